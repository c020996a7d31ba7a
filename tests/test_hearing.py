"""How much of a voiced line was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.hearing import Hearing, loudness

TEXT = "Mind the step, friend. It is older than both of us."


def timed(text, ms=200):
    words, at = [], 0
    for n, word in enumerate(text.split()):
        at = text.index(word, at)
        words.append((at, at + len(word.rstrip(".,!?")), n * ms, (n + 1) * ms))
        at += len(word)
    return words


def hearing(text=TEXT, ms=200, words=True):
    made = Hearing()
    made.ended = True
    made.sound(b"\0" * (48 * ms * len(text.split())), 24000, 100.0)
    if words:
        made.timed(timed(text, ms))
    return made


@pytest.mark.parametrize(
    ("ms", "heard"),
    [
        (0, ""),
        (199, ""),
        (200, "Mind"),
        (399, "Mind"),
        (600, "Mind the step,"),
        (850, "Mind the step, friend."),
        (99999, TEXT),
    ],
)
def test_a_word_counts_when_it_was_played_whole(ms, heard):
    made = hearing()
    made.played(ms, 101.0)
    assert made.heard(TEXT) == heard


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_what_was_heard_is_a_prefix_that_only_grows_and_ends_with_a_word(first, second):
    made = hearing()
    made.played(first, 101.0)
    before = made.heard(TEXT)
    made.played(second, 102.0)
    after = made.heard(TEXT)
    assert TEXT.startswith(after) and after.startswith(before)
    assert after in ("", TEXT) or TEXT[len(after)] == " "


def test_without_times_the_share_that_was_played_decides():
    made = hearing(words=False)
    made.played(made.length_ms // 2, 101.0)
    assert made.heard(TEXT) == "Mind the step, friend. It"


def test_a_script_without_spaces_is_cut_at_a_character():
    made = Hearing()
    made.sound(b"\0" * 48000, 24000, 0.0)
    made.played(500, 1.0)
    assert (
        made.heard("\u304a\u306f\u3088\u3046\u3054\u3056\u3044\u307e\u3059\u3002") == "\u304a\u306f\u3088\u3046\u3054"
    )


def test_later_times_replace_earlier_ones():
    made = Hearing()
    made.sound(b"\0" * 96000, 24000, 0.0)
    made.timed([(0, 4, 0, 100), (5, 8, 100, 200)])
    made.timed([(0, 4, 0, 900)])
    made.played(500, 1.0)
    assert made.heard("Mind the") == ""
    made.played(900, 1.0)
    assert made.heard("Mind the gap") == "Mind the"


def test_a_game_that_never_reports_has_played_all_when_its_time_is_over():
    made = hearing()
    assert made.left(100.5) > 0 and not made.complete
    assert made.left(100.0 + made.length_ms / 1000) <= 0
    assert made.heard(TEXT) == TEXT


def test_a_game_that_falls_silent_has_heard_what_it_reported_last():
    made = hearing()
    made.played(400, 100.4)
    assert made.left(105.0) > 0
    assert made.left(100.4 + (made.length_ms - 400) / 1000 + 5.1) < 0
    assert made.heard(TEXT) == "Mind the"


def test_places_follow_from_what_came_before():
    made = Hearing()
    assert not made
    assert [made.sound(b"\0" * 4800, 24000, 0.0) for _ in range(3)] == [0, 100, 200]
    assert made and made.length_ms == 300
    made.played(100000, 1.0)
    assert made.played_ms == 300


def test_while_more_is_to_come_nothing_is_complete():
    made = hearing()
    made.ended = False
    made.played(made.length_ms, 101.0)
    assert not made.complete and made.heard(TEXT + " And more") == TEXT


def test_loudness_has_a_byte_for_each_20_ms():
    quiet, loud = b"\0\0" * 480, b"\0\x20\0\xe0" * 240
    assert loudness(quiet + loud + quiet[:100], 24000) == bytes([0, 128, 0])
    assert loudness(b"", 24000) == b"" and loudness(b"\1", 24000) == b""
    assert loudness(b"\0\x80" * 480, 24000) == b"\xff"
