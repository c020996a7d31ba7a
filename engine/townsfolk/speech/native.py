"""Lines that a model speaks itself: asks it for sound, and times its words. Makes no sound of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from townsfolk.alignment import Alignment
from townsfolk.guard import clean_shown
from townsfolk.hearing import Word
from townsfolk.models.base import Audio, Emit, Health, Model, ModelEvent, Request, Spoken, Text, Timing
from townsfolk.models.realtime import voice_of
from townsfolk.persona import Persona
from townsfolk.speech.mouth import shapes

__all__ = ["Native"]

_EVERY_MS: Final = 400
"""So much more sound before words are timed again."""


class Native:
    """Wraps a model, or a ladder of them: lines are asked for with sound.

    Models that bring no sound give the words alone. Words that come with their times are left as they are.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        line = _Line(emit, request.persona.voice.speed)
        spoken = await self._model.speak(replace(request, voice=voice_of(request.persona)), line.hear)
        line.end()
        return spoken

    async def warm(self, persona: Persona) -> None:
        await self._model.warm(persona)

    async def health(self) -> Health:
        return await self._model.health()

    async def close(self) -> None:
        await self._model.close()


class _Line:
    """One line on its way, with its times so far."""

    def __init__(self, emit: Emit, speed: float) -> None:
        self._emit = emit
        self._alignment: Alignment | None = Alignment(speed)
        self._shown = ""
        self._told = 0  # words
        self._begun = False
        self._new_ms = 0.0

    def hear(self, event: ModelEvent) -> None:
        if isinstance(event, Text):
            text = clean_shown(event.text) if self._shown else clean_shown(event.text).lstrip()
            if not text:
                return
            self._shown += text
            if self._alignment is not None:
                self._alignment.text(text)
            event = Text(text)
        elif isinstance(event, Timing):
            self._alignment = None  # the words come with their times
        self._emit(event)
        if isinstance(event, Audio) and self._alignment is not None:
            self._alignment.sound(event.pcm, event.rate)
            self._new_ms += len(event.pcm) * 500 / event.rate
            if self._new_ms >= _EVERY_MS or not self._begun:
                self._new_ms, self._begun = 0.0, True
                self._tell(self._alignment.words(whole=False)[self._told :])

    def end(self) -> None:
        """The line is whole: now all its words have their place."""
        if self._alignment is not None and self._begun:
            self._tell(self._alignment.words(whole=True))

    def _tell(self, words: tuple[Word, ...]) -> None:
        self._told += len(words)
        self._emit(Timing(words, shapes(self._shown, words)))
