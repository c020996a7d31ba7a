"""Mouth shapes from letters."""

from hypothesis import given
from hypothesis import strategies as st

from townsfolk.speech.mouth import shapes


def test_each_letter_has_its_shape_and_pauses_close_the_mouth():
    made = shapes("Mill fog", ((0, 4, 0, 400), (5, 8, 500, 800)))
    assert made == (
        (0, "X"), (0, "A"), (100, "B"), (200, "H"), (400, "X"), (500, "G"), (600, "E"), (700, "B"), (800, "X"),
    )  # fmt: skip


def test_silence_has_no_shapes():
    assert shapes("", ()) == ()


@given(st.text(max_size=30).filter(str.strip), st.integers(1, 2000))
def test_shapes_are_rhubarbs_and_in_order(word, ms):
    made = shapes(word, ((0, len(word), 0, ms),))
    assert {shape for _, shape in made} <= set("ABCDEFGHX")
    assert ([at for at, _ in made] == sorted(at for at, _ in made) and made[-1] == (ms, "X")) or len(made) == 1
