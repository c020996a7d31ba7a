"""Speech for tests: text as tones that a machine can read, and the ear that reads them. Understands no human."""

from __future__ import annotations

import sys
from array import array
from typing import Final

from townsfolk.models.base import Health
from townsfolk.speech.ports import Listening, Understood

__all__ = ["ToneEar", "spelled", "unspelled"]

_BLOCKS: Final = 100
"""Letters a second: each is 10 ms at a level of its own."""
_STEP: Final = 120
"""Between the levels of two letters; 256 of them fit into 16 bits."""
_QUIET_MS: Final = 300
"""Silence that ends a hands-free line."""


def spelled(text: str, rate: int = 24000) -> bytes:
    """The sound of a text, letter by letter: one channel of signed 16-bit little-endian samples.

    `ToneEar` understands it exactly; so a game's tests can speak without a microphone.
    """
    block = rate // _BLOCKS
    samples = array("h")
    for byte in text.encode():
        samples.extend([_STEP * (byte + 1)] * block)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def unspelled(pcm: bytes, rate: int = 24000) -> str:
    """The text of a sound that :func:`spelled` made, wherever it begins. Silence is left out."""
    block = rate // _BLOCKS * 2
    read = bytearray()
    # It may begin anywhere in a block: its middle is safe once the first loud sample is found.
    samples = memoryview(pcm[: len(pcm) & ~1]).cast("h")
    first = next((n for n, level in enumerate(samples) if level >= _STEP), len(samples))
    for at in range(first * 2 + block // 4 * 2, len(pcm) - 1, block):
        level = int.from_bytes(pcm[at : at + 2], "little", signed=True)
        if level >= _STEP:
            read.append(min(255, level // _STEP - 1))
    return read.decode("utf-8", "replace")


class ToneEar:
    """Understands what :func:`spelled` makes, and nothing else."""

    name = "tones"

    async def listen(self, told: Understood, *, rate: int, hands_free: bool) -> Listening:
        return _Listening(told, rate // _BLOCKS * 2, hands_free)

    async def health(self) -> Health:
        return Health(True, "understands tones only")

    async def close(self) -> None:
        """Nothing to give back."""


class _Listening:
    def __init__(self, told: Understood, block: int, hands_free: bool) -> None:
        self._told = told
        self._block = block
        self._hands_free = hands_free
        self._rest = b""
        self._read = bytearray()
        self._quiet = 0
        self._over = False

    def feed(self, pcm: bytes) -> None:
        self._rest += pcm
        words = len(self._read.split())
        while len(self._rest) >= self._block and not self._over:
            level = int.from_bytes(self._rest[:2], "little", signed=True)
            self._rest = self._rest[self._block :]
            if level >= _STEP:
                if not self._read and self._hands_free:
                    self._told.began()
                self._read.append(min(255, level // _STEP - 1))
                self._quiet = 0
            elif self._read and self._hands_free:
                self._quiet += 1000 // _BLOCKS
                if self._quiet >= _QUIET_MS:
                    self._over = True
                    self._told.ended()
        if len(self._read.split()) > words:
            self._told.words(self._read.decode("utf-8", "replace"))

    async def end(self) -> str:
        self._over = True
        return self._read.decode("utf-8", "replace")

    async def cancel(self) -> None:
        self._over = True
