"""What of a small model's answer is shown: one or two sentences in character, the first only when it is whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.models.base import Call, Mood, Text
from townsfolk.models.local_line import SmallLine


def shown(ask: Any, answer: str, player: str = "Is the mine road safe?", *, cut: bool = False, **more: Any) -> Any:
    """What is shown of an answer that comes letter by letter, and the line."""
    pieces: list[str] = []
    line = SmallLine(ask(player, **more), lambda event: pieces.append(event.text))  # type: ignore[union-attr]
    for letter in answer:
        if line.enough():
            break
        line.hear(Text(letter))
    line.end(cut=cut)
    assert all(pieces) and line.said == bool(pieces)
    return "".join(pieces), line


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("No.", "No."),
        ("Since the slide, no. Ask the goats.", "Since the slide, no. Ask the goats."),
        ("One. Two! Three? Four.", "One. Two!"),
        ("Well... that depends. Who asks?", "Well... that depends. Who asks?"),
        ("Ask Mr. Harrow about it. He knows.", "Ask Mr. Harrow about it. He knows."),
        ("Mara Venn: The road is shut.", "The road is shut."),
        ("Mara:  The road is shut.", "The road is shut."),
        ('"The road is shut. Go home."', "The road is shut. Go home."),
        ("I'm Mara, and this is my inn.", "I'm Mara, and this is my inn."),
        ("My name is Mara Venn.", "My name is Mara Venn."),
        ("Mara. And you?", "Mara. And you?"),
        ("I cannot help with your love life.", ""),  # rather one good line lost than one machine heard
        ("  \n  ", ""),
    ],
)
def test_what_is_shown(ask: Any, answer: str, says: str) -> None:
    assert shown(ask, answer)[0] == says


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("As an AI language model, I have no roads.", "machine"),
        ("I'm sorry, but I can't assist with that request.", "machine"),
        ("I\u2019m just an AI, friend.", "machine"),
        ("Hello! How can I assist you today?", "machine"),
        ("I am Qwen, created by Alibaba Cloud.", "machine"),
        ("Mara looks at you and shrugs.", "third person"),
        ("The innkeeper Mara Venn is tired.", "third person"),
        ("You are Mara Venn, an innkeeper.", "third person"),
        ("Is the mine road safe?", "player's words"),
        ("Is the mine road safe, you ask?", "player's words"),
        ("Player: Is it safe?", "somebody else"),
        ("...", "nothing"),
    ],
)
def test_what_is_not(ask: Any, answer: str, fault: str) -> None:
    text, line = shown(ask, answer)
    if text:  # one harmless sentence may come before
        assert answer.startswith(text) and text.endswith(("!", "."))
    else:
        assert fault in line.fault and line.enough()


def test_a_fault_in_the_first_sentence_shows_nothing_in_the_second_only_the_first(ask: Any) -> None:
    assert shown(ask, "I am an AI. The road is shut.")[0] == ""
    text, line = shown(ask, "The road is shut. However, as an AI language model I never went.")
    assert text == "The road is shut." and "machine" in line.fault


def test_the_same_line_again_is_not_shown(ask: Any) -> None:
    said = ("The road is shut, friend. Go home.",)
    assert shown(ask, "The road is shut, friend. Go home.", said=said)[0] == ""
    assert shown(ask, "Aye. It is.", said=("Aye. It was.",))[0] == "Aye. It is.", "a short word may come again"


def test_a_short_echo_is_a_way_to_talk(ask: Any) -> None:
    assert shown(ask, "Safe? Nothing is.", "Safe?")[0] == "Safe? Nothing is."


def test_half_a_second_sentence_is_not_shown(ask: Any) -> None:
    assert shown(ask, "The road is shut. And then the", cut=True)[0] == "The road is shut."
    assert shown(ask, "The road is shut and the", cut=True)[0] == "The road is shut and the"


def test_the_first_sentence_is_held_and_the_second_streams(ask: Any) -> None:
    pieces: list[str] = []
    line = SmallLine(ask("Hello there"), lambda event: pieces.append(event.text))  # type: ignore[union-attr]
    for word in "The road is shut. And nobody who went there last week has come back since.".split():
        line.hear(Text(word + " "))
    line.end(cut=False)
    assert pieces[0] == "The road is shut." and len(pieces) > 5


def test_actions_and_moods_of_a_small_model_are_left_out(ask: Any, heard: Any) -> None:
    line = SmallLine(ask(), heard)
    line.hear(Call("1", "attack", {}))
    line.hear(Mood("emotion", "angry"))
    line.hear(Text("No."))
    line.end(cut=False)
    assert heard == [Text("No.")]


@given(st.text(alphabet=st.sampled_from('ab .!?"\n\u2019M'), max_size=80), st.lists(st.integers(1, 7), max_size=20))
def test_how_the_answer_is_cut_up_does_not_matter(ask: Any, answer: str, cuts: list[int]) -> None:
    whole, _ = shown(ask, answer)
    pieces: list[str] = []
    line = SmallLine(ask(), lambda event: pieces.append(event.text))  # type: ignore[union-attr]
    at = 0
    for size in [*cuts, len(answer)]:
        line.hear(Text(answer[at : at + size] or " "))
        at += size
    line.end(cut=False)
    assert "".join(pieces).rstrip() == whole.rstrip()
