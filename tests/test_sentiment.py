"""How strongly a player feels, told by a few words: what it finds, and what it is known to miss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.sentiment import feeling


@pytest.mark.parametrize(
    ("text", "least", "most", "sign"),
    [
        ("Do you have a room?", 0.0, 0.0, 0),
        ("I hate you!", 0.8, 1.0, -1),
        ("I love you", 0.6, 0.7, 1),
        ("You are a good man", 0.35, 0.5, 1),
        ("I'm afraid she is dead", 0.8, 1.0, -1),
        ("Confess, you murdering bastard!", 0.9, 1.0, -1),
        ("I do not hate you", 0.3, 0.5, 1),
        ("I was very sad", 0.45, 0.5, -1),
        ("WHERE IS SHE", 0.2, 0.3, 0),
        ("WHERE IS SHE!!!", 0.4, 0.6, 0),
        ("I saw NASA", 0.0, 0.0, 0),
    ],
)
def test_feeling(text: str, least: float, most: float, sign: int) -> None:
    found = feeling(text)
    assert least <= found.strength <= most, found
    assert (found.valence > 0) - (found.valence < 0) == sign


@pytest.mark.parametrize("text", ["Oh, wonderful. Another flood.", "My feet are killing me from the walk"])
def test_irony_and_idiom_are_taken_at_their_word(text: str) -> None:
    """Known limits, said in the module: should these ever fail, the text there is to be changed."""
    assert feeling(text).strength >= 0.6


@pytest.mark.parametrize("text", ["She is gone and the bed is cold.", "Ich hasse dich!"])
def test_what_none_of_its_words_tells_it_does_not_find(text: str) -> None:
    assert feeling(text).strength <= 0.1


def test_it_says_what_told_it() -> None:
    assert feeling("You liar, you cursed liar").words == ("liar", "curs")


@given(st.text(max_size=300))
def test_any_text_has_a_measure(text: str) -> None:
    found = feeling(text)
    assert 0 <= found.strength <= 1 and -1 <= found.valence <= 1 and feeling(text) == found
