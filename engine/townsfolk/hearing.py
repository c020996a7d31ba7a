"""How much of a voiced line the player has heard, and so what is remembered of it. Pure: time is passed in."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Final

__all__ = ["Hearing", "Word", "loudness"]

Word = tuple[int, int, int, int]
"""``(at, end, from_ms, to_ms)``: the line's characters ``at`` to ``end`` sound from then to then."""
_NEARLY: Final = 20
"""Milliseconds at the end of a line that nobody misses: games report what their mixer has taken, in blocks."""
_SLACK: Final = 5.0
"""Seconds without a report, over what is left to play, after which playback counts as over."""


class Hearing:
    """The sound of one line, and how far it has been played.

    Attributes:
        length_ms: Sound that there is so far.
        played_ms: What the game says was played of it.
        ended: No more sound will come.
    """

    __slots__ = ("_began", "_bytes", "_rate", "_reported", "_timed", "_words", "ended", "played_ms")

    def __init__(self) -> None:
        self.played_ms = 0
        self.ended = False
        self._bytes = 0
        self._rate = 24000
        self._words: list[Word] = []
        self._timed = False
        self._began = 0.0
        self._reported: float | None = None

    @property
    def length_ms(self) -> int:
        return self._bytes * 500 // self._rate

    def __bool__(self) -> bool:
        """Whether the line has any sound."""
        return self._bytes > 0

    def sound(self, pcm: bytes, rate: int, now: float) -> int:
        """More sound has come; returns where it begins, in milliseconds."""
        if not self._bytes:
            self._began = now
            self._rate = rate
        at = self.length_ms
        self._bytes += len(pcm)
        return at

    def timed(self, words: Sequence[Word]) -> None:
        """Words have their times; earlier ones of the same characters are replaced.

        Of a line that comes with times, a word without one has not sounded yet.
        """
        self._timed = True
        for at, end, _, _ in words:
            self._words = [word for word in self._words if word[1] <= at or word[0] >= end]
        self._words = sorted([*self._words, *words])

    def played(self, ms: int, now: float) -> None:
        """The game has played so much of the line. Reports that go back, or beyond what there is, change nothing."""
        self._reported = now
        self.played_ms = max(self.played_ms, min(ms, self.length_ms))

    @property
    def complete(self) -> bool:
        """Whether all was played that there will ever be."""
        return self.ended and self.played_ms >= self.length_ms - _NEARLY

    def left(self, now: float) -> float:
        """Seconds until playback counts as over if no report comes; 0 or less when it is over.

        A game that never reports is taken to play at once and to the end. One that does and falls silent (a crash of
        its sound, a pause that is never ended) has some seconds more than it needs; what it reported last was heard.
        """
        if self._reported is None:
            over = self._began + self.length_ms / 1000
            if now >= over:
                self.played_ms = self.length_ms
            return over - now
        if self.played_ms >= self.length_ms - _NEARLY:
            return 0.0
        return self._reported + (self.length_ms - self.played_ms) / 1000 + _SLACK - now

    def heard(self, text: str) -> str:
        """What was heard of the line: all of it, or up to the end of the last word that was played whole."""
        if self.complete:
            return text
        if not self._timed:
            return _at_word(text, len(text) * self.played_ms // max(1, self.length_ms))
        end = 0
        for _, stop, _, to in self._words:
            if to > self.played_ms:
                break
            end = stop
        while 0 < end < len(text) and not text[end].isspace() and not text[end].isalnum():
            end += 1  # the mark that closes a word is heard with it
        return text[:end]


def _at_word(text: str, at: int) -> str:
    """The text up to the last word that ends at or before a place; up to that place in a script without spaces."""
    if at >= len(text) or text[at].isspace():
        return text[:at].rstrip()
    head = text[:at]
    cut = max((n for n, letter in enumerate(head) if letter.isspace()), default=0)
    return head[:cut].rstrip() if cut or text[at].isascii() else head


def loudness(pcm: bytes, rate: int) -> bytes:
    """How loud samples are, 0 to 255, one byte for each 20 ms that has begun: the peak, on a scale that suits a mouth.

    Args:
        pcm: One channel of signed 16-bit little-endian samples.
        rate: Samples a second.
    """
    samples = array("h")
    samples.frombytes(pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    step = max(1, rate // 50)
    # Every other sample will do for a peak: what is missed is above 6 kHz, and no vowel.
    parts = (samples[at : at + step : 2] for at in range(0, len(samples), step))
    return bytes(min(255, max(max(part), -min(part)) >> 6) for part in parts)
