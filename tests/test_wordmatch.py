"""Likeness by words alone."""

import time

import pytest

from townsfolk.wordmatch import likeness

SAMPLES = ["Is the mine road safe?", "Who are you?", "Do you have a bed for the night?", "What happened to the miller?"]


@pytest.mark.parametrize(
    ("asked", "best"), [("are the mine roads SAFE", 0), ("who're you", 1), ("a bed, please", 2), ("the millers", 3)]
)
def test_the_sample_that_shares_the_rarest_words_is_nearest(asked: str, best: int) -> None:
    (row,) = likeness([asked], SAMPLES)
    assert max(range(4), key=row.__getitem__) == best


def test_the_same_words_are_one_and_no_shared_word_is_nothing() -> None:
    (same, other) = likeness(["WHO are you", "purple monkey dishwasher"], SAMPLES)
    assert same[1] == pytest.approx(1)
    assert other == [0, 0, 0, 0]


def test_nothing_is_like_nothing() -> None:
    assert likeness([], SAMPLES) == []
    assert likeness(["", "?!"], SAMPLES) == [[0.0] * 4] * 2
    assert likeness(["hello"], []) == [[]]


def test_long_texts_are_quick() -> None:
    start = time.perf_counter()
    likeness(["mine " * 1000] * 8, [f"sample {n} of the mine" for n in range(700)])
    assert time.perf_counter() - start < 2
