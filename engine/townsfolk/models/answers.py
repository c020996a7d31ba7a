"""Answers of paid models that may be given again: finds and keeps them for requests. Decides by `answercache.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from townsfolk.answercache import Answer, AnswerCache, Question, facts_read
from townsfolk.errors import ModelError
from townsfolk.lore import World
from townsfolk.models.base import Call, Emit, Health, Model, ModelEvent, Request, Spoken, Text
from townsfolk.persona import Persona

if TYPE_CHECKING:
    from townsfolk.memory.embed import Embedder

__all__ = ["Answers", "Keeping", "Remembered", "again"]


class Answers:
    """A cache of answers, asked with requests.

    Args:
        embedder: Compares questions by meaning, apart from the loop; without one only the same words are the same.
    """

    def __init__(
        self,
        cache: AnswerCache,
        world: World,
        *,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._world = world
        self._embedder = embedder
        self._clock = clock

    async def find(self, request: Request) -> Answer | None:
        """What was answered when the same was asked, in the same state of things."""
        asked = self._question(request)
        found = self._cache.find(asked, self._clock())
        if found is not None or self._embedder is None or not (near := self._cache.near(asked)):
            return found
        try:
            rows = await asyncio.to_thread(self._embedder.embed, [asked.text, *near])
        except Exception:
            return None  # a defect of the embedder costs a cache hit, and no line
        likeness = {text: float(rows[0] @ row) for text, row in zip(near, rows[1:], strict=True)}
        return self._cache.find_alike(asked, likeness, self._clock())

    def keep(self, request: Request, answer: Answer) -> None:
        """Keeps an answer, if its question makes sense by itself."""
        self._cache.keep(self._question(request), answer, self._clock())

    def _question(self, request: Request) -> Question:
        return Question.of(
            request.persona,
            request.prompt,
            request.facts,
            request.text,
            request.player,
            reads=facts_read(request.persona, self._world),
            actions=tuple(request.actions),
        )


class Keeping:
    """A model whose answers are kept. Those that came with an action are not: it would not be proposed again."""

    def __init__(self, model: Model, answers: Answers) -> None:
        self._model = model
        self._answers = answers

    @property
    def name(self) -> str:
        return self._model.name

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        said: list[str] = []
        acted = False

        def hear(event: ModelEvent) -> None:
            nonlocal acted
            if isinstance(event, Text):
                said.append(event.text)
            acted = acted or isinstance(event, Call)
            emit(event)

        spoken = await self._model.speak(request, hear)
        if spoken.reason == "stop" and not acted and (text := "".join(said).strip()):
            self._answers.keep(request, Answer(text, spoken.model))
        return spoken

    async def warm(self, persona: Persona) -> None:
        await self._model.warm(persona)

    async def health(self) -> Health:
        return await self._model.health()

    async def close(self) -> None:
        await self._model.close()


class Remembered:
    """Speaks only what was answered before: a rung for when no paid model may be asked, or none can be reached."""

    name = "cache"

    def __init__(self, *answers: Answers) -> None:
        self._answers = answers

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        """Says the answer that was given to the same question.

        Raises:
            ModelError: ``no_answer``: there is none.
        """
        for answers in self._answers:
            if (found := await answers.find(request)) is not None:
                return again(found, emit)
        raise ModelError("no_answer", "Nothing like it was answered before.")

    async def warm(self, persona: Persona) -> None:
        """Needs none."""

    async def health(self) -> Health:
        return Health(True, "answers that paid models have given since the start")

    async def close(self) -> None:
        """Holds nothing."""


def again(answer: Answer, emit: Emit) -> Spoken:
    """Says an answer that was kept."""
    emit(Text(answer.text))
    return Spoken("cache", notes=(f"answered before by {answer.model}",))
