"""A model that says aloud what another model writes: subtitles at once, sound as fast as a voice makes it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from townsfolk.errors import ModelError
from townsfolk.guard import clean_shown
from townsfolk.models.base import Audio, Emit, Health, Model, ModelEvent, Request, Spoken, Text, Timing
from townsfolk.persona import Persona
from townsfolk.speech.ports import Voice
from townsfolk.speech.sentences import Cutter

__all__ = ["Aloud"]

_log = logging.getLogger(__name__)
_NOTE: Final = "the voice failed"


class Aloud:
    """Wraps a model. A voice that fails never silences the subtitles: the line goes on as text, with a note.

    A model that brings its own sound is left alone.
    """

    def __init__(self, model: Model, voice: Voice) -> None:
        self._model = model
        self._voice = voice

    @property
    def name(self) -> str:
        return self._model.name

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        line = _Line(self._voice, request.persona, emit)
        try:
            spoken = await self._model.speak(request, line.hear)
            await line.end()
        finally:
            await line.stop()
        return replace(spoken, notes=(*spoken.notes, *line.notes)) if line.notes else spoken

    async def warm(self, persona: Persona) -> None:
        await asyncio.gather(self._model.warm(persona), self._voice.warm(persona))

    async def health(self) -> Health:
        words, sound = await asyncio.gather(self._model.health(), self._voice.health())
        return Health(words.ok, f"{words.detail}; voice: {sound.detail}")

    async def close(self) -> None:
        await self._model.close()
        await self._voice.close()


class _Line:
    """One line on its way from words to sound."""

    def __init__(self, voice: Voice, persona: Persona, emit: Emit) -> None:
        self.notes: list[str] = []
        self._voice = voice
        self._persona = persona
        self._emit = emit
        self._cutter = Cutter()
        self._pieces: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self._shown = 0  # characters
        self._cut = 0  # of them, in pieces
        self._ms = 0.0  # of sound so far
        self._own = False  # the model brings its own sound
        self._task: asyncio.Task[None] | None = None

    def hear(self, event: ModelEvent) -> None:
        if isinstance(event, Audio | Timing):
            if self._task is None:
                self._own = True
                self._emit(event)
            return
        if isinstance(event, Text):
            # Places in the line are those of what is shown.
            text = clean_shown(event.text) if self._shown else clean_shown(event.text).lstrip()
            if not text:
                return
            event = Text(text)
            self._shown += len(text)
            self._emit(event)
            if not self._own:
                self._say(self._cutter.feed(text))
            return
        self._emit(event)

    async def end(self) -> None:
        """The words are whole: waits until they have been said."""
        if not self._own:
            self._say(self._cutter.end())
        if self._task is not None:
            self._pieces.put_nowait(None)
            await self._task

    async def stop(self) -> None:
        """Whatever is still being said is not wanted any more."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    def _say(self, pieces: list[str]) -> None:
        for piece in pieces:
            self._pieces.put_nowait((self._cut, piece))
            self._cut += len(piece)
        if pieces and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="aloud")

    async def _run(self) -> None:
        try:
            while (item := await self._pieces.get()) is not None:
                at, piece = item
                began = self._ms

                def sound(event: Audio | Timing, at: int = at, began: int = round(began)) -> None:
                    if isinstance(event, Audio):
                        self._ms += len(event.pcm) * 500 / event.rate
                        self._emit(event)
                    else:
                        words = tuple((a + at, e + at, s + began, t + began) for a, e, s, t in event.words)
                        self._emit(Timing(words, tuple((ms + began, shape) for ms, shape in event.shapes)))

                await self._voice.say(piece, self._persona, sound)
        except ModelError as error:
            self.notes.append(f"{_NOTE}: {error.code}: {error.message}")
        except Exception as error:
            _log.debug("the voice %s failed", self._voice.name, exc_info=True)
            self.notes.append(f"{_NOTE}: {type(error).__name__}")
