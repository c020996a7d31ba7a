"""Lines are cut into pieces that can be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.speech.sentences import Cutter


def cut(*parts):
    cutter = Cutter()
    return [piece for part in parts for piece in cutter.feed(part)] + cutter.end()


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("Mind the step. It is old.", ["Mind the step. ", "It is old."]),
        ("No. That road is shut tonight. Go home.", ["No. ", "That road is shut tonight. ", "Go home."]),
        ("Well, the road to the old mine, I hear, is shut.", ["Well, the road to the old mine, ", "I hear, is shut."]),
        ('"Go home!" she said. "Now."', ['"Go home!" ', 'she said. "Now."']),
        ("Dr Venn paid 3.50 for it", ["Dr Venn paid 3.50 for it"]),
        ("\u304a\u306f\u3088\u3046\u3002\u5143\u6c17\uff1f", ["\u304a\u306f\u3088\u3046\u3002", "\u5143\u6c17\uff1f"]),
        ("", []),
    ],
)
def test_where_a_line_is_cut(line, pieces):
    assert cut(line) == pieces


def test_the_first_piece_comes_before_the_line_is_whole():
    cutter = Cutter()
    assert cutter.feed("Mind the step. I") == ["Mind the step. "]


@given(st.lists(st.text(alphabet="abc .,!?;\n\u3002", max_size=12), max_size=40))
def test_nothing_is_lost_or_changed(parts):
    assert "".join(cut(*parts)).strip() == "".join(parts).strip()


def test_a_line_without_marks_is_cut_at_a_space():
    pieces = cut("word " * 100)
    assert len(pieces) > 1 and all(piece.endswith(" ") for piece in pieces[:-1]) and max(map(len, pieces)) <= 221
