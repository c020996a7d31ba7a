"""A voice of tones, one for each word: what tests, demos and a game's first day use. Needs nothing, says no words."""

from __future__ import annotations

import asyncio
import math
import re
import zlib
from array import array
from functools import lru_cache
from typing import Final

from townsfolk.models.base import Audio, Health, Timing
from townsfolk.persona import Persona
from townsfolk.speech.mouth import shapes
from townsfolk.speech.ports import Sound

__all__ = ["RATE", "Tones"]

RATE: Final = 24_000
_WORD: Final = re.compile(r"\S+")
_BASE_MS, _LETTER_MS, _GAP_MS = 60, 30, 40


class Tones:
    """Each word is a tone as long as its letters take; each character has a pitch of its own."""

    name = "tones"

    async def say(self, text: str, persona: Persona, emit: Sound) -> None:
        pitch = 180 + zlib.crc32(persona.id.encode()) % 12 * 20
        at = 0
        for found in _WORD.finditer(text):
            ms = round((_BASE_MS + _LETTER_MS * len(found[0])) / persona.voice.speed)
            words = ((found.start(), found.end(), at, at + ms),)
            emit(Audio(_tone(pitch, ms, _GAP_MS), RATE))
            emit(Timing(words, shapes(text, words)))
            at += ms + _GAP_MS
            await asyncio.sleep(0)

    async def warm(self, persona: Persona) -> None:
        """Nothing to prepare."""

    async def health(self) -> Health:
        return Health(True, "tones instead of words")

    async def close(self) -> None:
        """Nothing to give back."""


@lru_cache(maxsize=256)
def _tone(pitch: int, ms: int, gap_ms: int) -> bytes:
    """A sine that swells and fades, and silence after it."""
    count = RATE * ms // 1000
    wave = array(
        "h",
        (round(9000 * math.sin(math.pi * n / count) * math.sin(2 * math.pi * pitch * n / RATE)) for n in range(count)),
    )
    wave.extend([0] * (RATE * gap_ms // 1000))
    return wave.tobytes()
