"""A model that puts some lines on to a stronger one. Which lines, `escalation.py` decides; neither keeps answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from townsfolk.errors import ModelError
from townsfolk.escalation import reasons
from townsfolk.lore import World
from townsfolk.models.answers import Answers, again
from townsfolk.models.base import Emit, Health, Model, ModelEvent, Request, Spoken, Text
from townsfolk.persona import Persona
from townsfolk.prompt import Message

__all__ = ["Escalating"]

_OPEN: Final = (
    "Say one short sentence of at most ten words, in character, that shows that you have heard this and are thinking it"
    " over. The answer itself comes later: do not give it, and agree to nothing, deny nothing, ask nothing."
)
_GO_ON: Final = "You have just said, or are saying, that you are thinking it over. Give the answer itself now."
_OPENING_TOKENS: Final = 40
_SHARE: Final = 0.6
"""Of the time to the first word, for the stronger model: the usual one needs the rest if it fails."""
_FINISH_S: Final = 2.0
"""An answer waits so long for an opening to come to its end."""
_SENTENCE: Final = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)]*(?=\s)")


class Escalating:
    """Asks the stronger model where a rule wants it, the usual one everywhere else and when the stronger one fails.

    While the stronger model is asked, the fast one says an opening: one sentence that commits to nothing. It is left
    out when the stronger model is quicker.

    Args:
        usual: What answers all other lines.
        strong: The stronger model.
        fast: What says openings; None for no opening.
        world: Its rules hold for all characters.
        answers: What the stronger model has answered before.
        topic: Finds the authored topic that would answer a line.
    """

    def __init__(
        self,
        usual: Model,
        strong: Model,
        *,
        world: World,
        fast: Model | None = None,
        answers: Answers | None = None,
        topic: Callable[[Request], Awaitable[str | None]] | None = None,
    ) -> None:
        self._usual = usual
        self._strong = strong
        self._fast = fast
        self._world = world
        self._answers = answers
        self._topic = topic

    @property
    def name(self) -> str:
        return f"{self._usual.name} / {self._strong.name} / cache"

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        why = await self._why(request)
        if not why:
            return await self._usual.speak(request, emit)
        notes = tuple(f"{self._strong.name} is asked: {each}" for each in why)
        if self._answers is not None and (found := await self._answers.find(request)) is not None:
            spoken = again(found, emit)
        else:
            spoken = await self._ask(request, emit)
        return replace(spoken, notes=(*notes, *spoken.notes))

    async def warm(self, persona: Persona) -> None:
        await asyncio.gather(self._usual.warm(persona), self._strong.warm(persona))

    async def health(self) -> Health:
        usual, strong = await asyncio.gather(self._usual.health(), self._strong.health())
        return Health(usual.ok, f"{usual.detail}; stronger: {strong.detail}")

    async def close(self) -> None:
        await asyncio.gather(self._usual.close(), self._strong.close())

    async def _why(self, request: Request) -> tuple[str, ...]:
        topic = None
        if self._topic is not None and any(each.escalate for each in request.persona.topics.values()):
            topic = await self._topic(request)
        return reasons(request.text, request.persona, self._world.escalate, request.facts, topic=topic)

    async def _ask(self, request: Request, emit: Emit) -> Spoken:
        # An opening with a sound of its own would not fit to an answer with another.
        fast = self._fast if request.voice is None else None
        line = _Line(emit)
        opening = asyncio.create_task(self._open(fast, request, line), name="opening") if fast is not None else None
        line.opening = opening
        asked = replace(request, patience_s=request.patience_s and request.patience_s * _SHARE)
        try:
            spoken = await self._strong.speak(_told(asked, _GO_ON) if opening is not None else asked, line.hear)
            await line.open_up()
            return spoken
        except ModelError as error:
            await line.open_up()
            if line.answered:
                raise
            usual = _told(request, _GO_ON) if line.opened else request
            try:
                spoken = await self._usual.speak(usual, line.hear)
            except ModelError as worse:
                raise ModelError("interrupted", worse.message) if line.opened else worse from error
            return replace(spoken, notes=(f"{self._strong.name}: {error.code}: {error.message}", *spoken.notes))
        finally:
            if opening is not None:
                opening.cancel()
                await asyncio.wait([opening])

    async def _open(self, fast: Model, request: Request, line: _Line) -> None:
        """One sentence. What comes after it is not shown; a fast model that fails costs only this."""
        over = asyncio.Event()

        def hear(event: ModelEvent) -> None:
            if isinstance(event, Text) and not over.is_set() and line.open(event.text):
                over.set()

        asked = replace(
            _told(request, _OPEN), max_tokens=_OPENING_TOKENS, actions={}, images=(), line=f"{request.line}/opening"
        )
        speaking = asyncio.create_task(fast.speak(asked, hear))
        stop = asyncio.create_task(over.wait())
        try:
            await asyncio.wait([speaking, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (speaking, stop):
                task.cancel()
            await asyncio.wait([speaking, stop])
            if not speaking.cancelled():
                speaking.exception()


class _Line:
    """One line of an opening and an answer, in this order and with a space between."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._held: list[ModelEvent] = []
        self._opening = ""
        self.opening: asyncio.Task[None] | None = None
        self.answered = False

    @property
    def opened(self) -> bool:
        """Whether any of an opening was shown."""
        return bool(self._opening)

    def open(self, text: str) -> bool:
        """More of the opening; says whether its sentence is whole."""
        if self.answered:
            return True
        whole = self._opening + text
        end = _SENTENCE.search(whole)
        new = (whole[: end.end()] if end else whole)[len(self._opening) :]
        self._opening += new
        if new:
            self._emit(Text(new))
        return end is not None

    def hear(self, event: ModelEvent) -> None:
        """More of the answer. It waits for an opening that has begun, and stops one that has not."""
        if self.opening is not None and not self.opening.done():
            if self._opening:
                self._held.append(event)
                if len(self._held) == 1:
                    self.opening.add_done_callback(lambda task: self._let_go())
                    asyncio.get_running_loop().call_later(_FINISH_S, self.opening.cancel)
                return
            if isinstance(event, Text):
                self.opening.cancel()
                self.opening = None
        self._let_go()
        self._show(event)

    async def open_up(self) -> None:
        """Waits for an opening that has begun; all that was held is shown afterwards."""
        if self.opening is not None and self._opening:
            await asyncio.wait([self.opening])
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for event in held:
            self._show(event)

    def _show(self, event: ModelEvent) -> None:
        if isinstance(event, Text) and not self.answered and event.text.strip():
            self.answered = True
            if self._opening:
                event = Text(" " + event.text.lstrip())
        self._emit(event)


def _told(request: Request, what: str) -> Request:
    """The request with one more thing said to the model, right before the player's line."""
    *before, line = request.prompt.messages
    prompt = replace(request.prompt, messages=(*before, Message("system", what), line))
    return replace(request, prompt=prompt)
