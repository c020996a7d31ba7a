"""Words are placed where they sound, while the line comes and when it is whole; any sound and any line do no harm."""

from __future__ import annotations

import asyncio
import itertools
import math
import statistics
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.alignment import Alignment
from townsfolk.cast import load_cast
from townsfolk.models.base import Audio, Timing
from townsfolk.speech.tones import Tones

ADA = load_cast(Path(__file__).parent / "cast").personas["ada"]
LINES = (
    "The oil boat comes on a Tuesday. It goes on a Wednesday, and between the two I mend what the rocks have torn.",
    "Mind the step, friend; it is older than both of us... and it bites!",
    "A lamp, two wicks, a net of nine yards, and a word of thanks that nobody has said to me since the spring.",
)


def spoken(text: str) -> tuple[bytes, list[tuple[int, int, int, int]]]:
    """A line as the voice of tones says it, with half a second of silence before and 300 ms after each mark; and the
    true times of its words."""
    events: list[Audio | Timing] = []
    asyncio.run(Tones().say(text, ADA, events.append))
    pcm, words, shift = bytearray(24_000), [], 500
    sounds = [event.pcm for event in events if isinstance(event, Audio)]
    times = [event.words[0] for event in events if isinstance(event, Timing)]
    for sound, (at, end, start, stop) in zip(sounds, times, strict=True):
        words.append((at, end, start + shift, stop + shift))
        pcm += sound
        if text[end - 1] in ".,;!":
            pcm += bytes(300 * 48)
            shift += 300
    return bytes(pcm), words


@pytest.mark.parametrize("text", LINES)
def test_words_are_where_they_sound(text: str) -> None:
    pcm, true = spoken(text)
    alignment = Alignment()
    alignment.text(text)
    for at in range(0, len(pcm), 5000):  # no whole frames
        alignment.sound(pcm[at : at + 5000], 24_000)
    found = alignment.words(whole=True)
    assert [word[:2] for word in found] == [word[:2] for word in true]
    off = [abs(a[3] - b[3]) for a, b in zip(found, true, strict=True)]
    assert statistics.mean(off) < 60 and max(off) < 160, off
    # Letters over the whole sound, silence and all, are the obvious way.
    length, letters = len(pcm) // 48, sum(end - at + 1 for at, end, _, _ in true)
    naive = [length * n / letters for n in itertools.accumulate(end - at + 1 for at, end, _, _ in true)]
    assert statistics.mean(off) < 0.4 * statistics.mean(abs(a - b[3]) for a, b in zip(naive, true, strict=True))


def test_while_a_line_comes_its_first_words_are_placed() -> None:
    text = LINES[0]
    pcm, true = spoken(text)
    alignment = Alignment(speed=1.45)  # the tones are quicker than people
    alignment.text(text)
    alignment.sound(pcm[: len(pcm) // 2], 24_000)
    found = alignment.words(whole=False)
    assert 3 <= len(found) < len(true)
    # A guess, until it is whole; rather late than early: what counts as heard was heard.
    assert all(b[3] - 100 < a[3] < b[3] + 800 for a, b in zip(found, true, strict=False))


def test_a_line_without_a_sound_and_a_sound_without_a_line_have_no_times() -> None:
    alignment = Alignment()
    alignment.text("Hello.")
    assert alignment.words(whole=True) == ()
    alignment = Alignment()
    alignment.sound(bytes(4800), 24_000)
    assert alignment.words(whole=True) == ()


wave = st.builds(
    lambda level, size: array("h", (round(level * math.sin(n / 9)) for n in range(size))).tobytes(),
    st.integers(0, 32_000),
    st.integers(0, 9000),
)


@given(st.lists(st.text(max_size=30), max_size=6), st.lists(wave, max_size=6), st.sampled_from([8000, 24_000, 48_000]))
def test_times_are_in_order_and_in_the_sound(texts: list[str], sounds: list[bytes], rate: int) -> None:
    alignment, length = Alignment(), 0
    for text, sound in itertools.zip_longest(texts, sounds, fillvalue=None):
        if text:
            alignment.text(text)
        if sound:
            alignment.sound(sound, rate)
            length += len(sound)
        alignment.words(whole=False)
    found = alignment.words(whole=True)
    line = "".join(texts)
    if found:
        assert [line[at:end] for at, end, _, _ in found] == line.split()
    for at, end, start, stop in found:
        assert 0 <= at < end <= len(line) and 0 <= start < stop <= length * 500 // rate + 20
    assert all(a[2] <= b[2] and a[3] <= b[3] for a, b in itertools.pairwise(found))
