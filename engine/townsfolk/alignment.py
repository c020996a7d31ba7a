"""When each word of a line sounds, found from the line and its sound alone. Pure; knows no language and no model.

A realtime model gives words and sound, and not which belongs where. People take about as long for a word as it has
letters, and rest at its marks; so the letters are laid over those parts of the sound that are not silence. While more
is coming the speed is a guess; when the line is whole it is known, and the words are placed anew.
"""

from __future__ import annotations

import re
from typing import Final

from townsfolk.hearing import Word, loudness

__all__ = ["Alignment"]

_WORD: Final = re.compile(r"\S+")
_FRAME_MS: Final = 20
_FRAMES_A_LETTER: Final = 3.4
"""15 letters a second, spaces counted: English speech at its usual pace of 150 words a minute."""
_SILENCE: Final = 0.06
"""Of the loudest frame so far: what is softer is no speech."""
_FLOOR: Final = 2
_PAUSE: Final = 6
"""Frames of silence that make a pause."""
_MARKS: Final = frozenset(".,;:!?\u2026\"'\u201d\u2019)-\u2014")
_NEAR: Final = 0.8
"""A word with a mark ends at a pause that is not further off than this, in its own lengths."""


class Alignment:
    """The words and the sound of one line as they come.

    Args:
        speed: How fast the voice speaks; 1 is usual.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._guess = _FRAMES_A_LETTER / speed
        self._text = ""
        self._rest = b""
        self._rate = 24_000
        self._frames = bytearray()  # loudness, one byte each

    def text(self, text: str) -> None:
        """More of the line."""
        self._text += text

    def sound(self, pcm: bytes, rate: int) -> None:
        """More of its sound: one channel of signed 16-bit little-endian samples."""
        self._rate = rate
        whole = self._rest + pcm
        cut = len(whole) - len(whole) % (rate // 50 * 2)
        self._frames += loudness(whole[:cut], rate)
        self._rest = whole[cut:]

    def words(self, *, whole: bool) -> tuple[Word, ...]:
        """The words whose time is known by now, in order.

        Args:
            whole: No more words and no more sound will come: all words are placed, over all of the sound.
        """
        spans = [(found.start(), found.end()) for found in _WORD.finditer(self._text)]
        if not spans or not self._frames:
            return ()
        loud = self._loud()
        pauses = [n for n in range(1, len(loud)) if loud[n] - loud[n - 1] > _PAUSE]
        # The space before a word is a part of it: short words take longer than their letters say.
        weights = [end - at + 1 for at, end in spans]
        placed: list[Word] = []
        before, left = 0.0, sum(weights)
        for (at, end), weight in zip(spans, weights, strict=True):
            each = (len(loud) - before) / left if whole else self._guess
            after = before + weight * each
            if self._text[end - 1] in _MARKS and (near := _nearest(pauses, after, _NEAR * weight * each)) is not None:
                after = max(before, near)
            if not whole and after > len(loud):
                break
            first = loud[min(int(before), len(loud) - 1)]
            last = loud[min(max(int(before), int(after) - 1), len(loud) - 1)]
            placed.append((at, end, first * _FRAME_MS, (last + 1) * _FRAME_MS))
            before, left = after, left - weight
        return tuple(placed)

    def _loud(self) -> list[int]:
        """The frames in which somebody speaks; all of them if there is only silence."""
        least = max(_FLOOR, max(self._frames) * _SILENCE)
        return [n for n, level in enumerate(self._frames) if level >= least] or list(range(len(self._frames)))


def _nearest(places: list[int], to: float, within: float) -> int | None:
    near = min(places, key=lambda place: abs(place - to), default=None)
    return near if near is not None and abs(near - to) <= within else None
