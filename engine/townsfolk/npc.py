"""One character at run time: recall, prompt, speak, remember. Chooses no model and opens no store; it is given both."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from townsfolk.errors import ModelError, TownsfolkError
from townsfolk.events import Event, LineAccepted, LineDone, LineFailed, LineStarted
from townsfolk.gates import Fact, is_open
from townsfolk.knowledge import Knowledge
from townsfolk.lore import World
from townsfolk.memory.recall import Recall, Recalled
from townsfolk.memory.record import Ending, Memory, OpenLine
from townsfolk.models.base import Audio, Call, Image, Model, ModelEvent, Mood, Purse, Request, Spoken, Text, Timing
from townsfolk.persona import Persona, tool
from townsfolk.pictures import Picture, Sight, View
from townsfolk.prompt import BUDGET, Prompt, build, stable_parts
from townsfolk.turn import Deadlines, Turn

__all__ = ["Keep", "Npc", "Why"]

_TALK: Final = 12
"""Lines of the conversation that a prompt may show."""
_RECALLED: Final = 8
_SAID: Final = 6
_NOTE_EVERY: Final = 0.5
"""Seconds between notes on disk of a line that is being spoken."""
_LOOK_EVERY: Final = 0.05
"""Seconds between looks at how far a voiced line has been played."""
_FOR_DISK: Final = 0.05
"""Of the time that a line has, the share that the models leave to the disk."""


class Keep(Protocol):
    """Puts memories on disk, apart from the loop; the future is done when they are there."""

    def __call__(
        self, memories: Sequence[Memory] = (), open_lines: Sequence[OpenLine] = (), closed: Sequence[str] = ()
    ) -> asyncio.Future[None]: ...


@dataclass(frozen=True, slots=True)
class Why:
    """Why a character said what it said."""

    prompt: Prompt
    recalled: tuple[Recalled, ...]
    spoken: Spoken | None = None
    error: str = ""


class Npc:
    """A persona with its memories.

    Args:
        facts: What the game says is so; read anew for each line.
        clock: Seconds since 1970.
        purse: Pays for a line, given the turn, its prompt and the most tokens of its answer.
        sight: Whether it can see pictures, and for how long it looks at one.
    """

    def __init__(
        self,
        persona: Persona,
        world: World,
        recall: Recall,
        model: Model,
        keep: Keep,
        *,
        facts: Mapping[str, Fact],
        clock: Callable[[], float],
        budget: int = BUDGET,
        purse: Callable[[Turn, Prompt, int], Purse] | None = None,
        deadlines: Deadlines = Deadlines(),  # noqa: B008  # a frozen value
        sight: Sight = Sight(),  # noqa: B008
    ) -> None:
        self.persona = persona
        self.recall = recall
        self.model = model
        self.last: dict[str, Why] = {}  # by player
        self.sight = sight
        self.view: View | None = None
        self._keep = keep
        self._facts = facts
        self._clock = clock
        self._budget = budget
        self._purse = purse
        self._deadlines = deadlines
        self._stable = stable_parts(persona, world, budget)
        self._knowledge = Knowledge(persona, world)

    async def reply(self, turn: Turn, emit: Callable[[Event], None]) -> None:
        """Answers one player line; the events go to ``emit`` as they happen. Cancelling it interrupts the line."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._deadlines.whole_line
        now = self._clock()
        heard = Memory(self.persona.id, "heard", turn.player, turn.text, now, player=turn.player, turn=turn.line)
        accepted = self._keep([heard], [OpenLine(turn.line, turn.npc, turn.player, "", now)])
        accepted.add_done_callback(
            lambda kept: None if kept.cancelled() or kept.exception() else emit(LineAccepted(turn.line, turn.npc))
        )
        why = self.prepare(turn.text, turn.player)
        request = self._request(turn, why.prompt)
        if self.view is not None:
            self.view.lines -= 1
        self.recall.add(heard)
        turn.begin(now)
        model, topic, walked_off = self.model.name, None, False
        try:
            spoken = await self._speak(turn, request, emit)
            model, topic = spoken.model, spoken.topic
            why = Why(why.prompt, why.recalled, spoken)
            last = turn.finish(model, bark=spoken.reason == "bark")
            if not last:  # the model ended without a word
                raise ModelError("empty_reply", f"{model} said nothing")
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()  # what was said is still to be remembered
            last, walked_off = turn.cut(model), True
        except Exception as error:
            told = error if isinstance(error, TownsfolkError) else ModelError("internal", repr(error))
            why = Why(why.prompt, why.recalled, error=str(told))
            last = turn.fail(told, self._bark(self.persona.barks.offline, request)) or turn.cut(model)
        self.last[turn.player] = why
        ending = _ending(last)
        if turn.hearing:  # no more comes, but what is heard of it the player still decides
            for event in last:
                emit(event)
            if not walked_off:
                await self._hear_out(turn)
            if not turn.hearing.complete:
                ending = "interrupted"
            last, ends = turn.heard_out(), loop.time() + self._deadlines.whole_line * _FOR_DISK
        kept = self._remember(turn, _words(last, turn), ending, topic)
        await _settled(kept, ends)  # a failure to write is told by whoever keeps; the line ends all the same
        for event in last:
            emit(event)

    def prepare(self, text: str, player: str) -> Why:
        """What a model would be told for this line, and what came to mind. Changes nothing."""
        talk = self.recall.talk(player, _TALK)
        recalled = tuple(self.recall.find(text, player, _RECALLED, skip=talk))
        return Why(
            build(
                self._stable,
                text,
                knowledge=self._knowledge.fitting(text, talk, self._facts),
                memories=recalled,
                talk=talk,
                view=self.view if self.view is not None and self.view.holds(self._clock()) else None,
                budget=self._budget,
            ),
            recalled,
        )

    def observe(self, text: str, picture: Picture | None = None) -> Memory:
        """Something happened that the character noticed; the caller keeps what this returns.

        ``picture`` shows it. Memory keeps the words, and the picture's digest in place of a speaker.
        """
        if picture is not None:
            self.view = self.sight.view(picture, self._clock())
        source = f"picture:{picture.digest}" if picture is not None else ""
        memory = Memory(self.persona.id, "observed", source, text, self._clock())
        self.recall.add(memory)
        return memory

    def describe(self, picture: Picture, words: str) -> Memory:
        """What a picture shows that the character cannot see; the caller keeps what this returns."""
        if self.view is not None and self.view.picture.digest == picture.digest:
            self.view.words = words
        text = f"{picture.about} It showed: {words}"
        memory = Memory(self.persona.id, "observed", f"picture:{picture.digest}", text, self._clock())
        self.recall.add(memory)
        return memory

    def _request(self, turn: Turn, prompt: Prompt) -> Request:
        persona, player = self.persona, turn.player
        request = Request(
            line=turn.line,
            persona=persona,
            prompt=prompt,
            text=turn.text,
            player=player,
            facts=self._facts,
            said=self.recall.said(player, _SAID),
            asked=frozenset(self.recall.topics(player)),
            actions={id: tool(action) for id, action in persona.actions.items() if is_open(action.when, self._facts)},
            max_tokens=persona.model.max_tokens,
            seed=zlib.crc32(turn.line.encode()),
            patience_s=self._deadlines.first_word,
            images=self._images(prompt),
        )
        if self._purse is None:
            return request
        purse = self._purse(turn, prompt, request.max_tokens)
        return replace(request, reserve=purse.reserve, bill=purse.bill)

    def _images(self, prompt: Prompt) -> tuple[Image, ...]:
        seen = prompt.picture
        return () if seen is None else (Image(seen.mime, seen.data, seen.about, self.sight.detail or "low"),)

    async def _speak(self, turn: Turn, request: Request, emit: Callable[[Event], None]) -> Spoken:
        """Asks the model, within the line's deadlines.

        Raises:
            ModelError: It cannot speak, or not in time (``timeout``).
        """
        loop, limits = asyncio.get_running_loop(), self._deadlines
        now = loop.time()

        def think() -> None:
            for event in turn.think(self._bark(self.persona.barks.thinking, request)):
                emit(event)

        def begun() -> None:
            if not scope.expired():
                scope.reschedule(now + limits.whole_line * (1 - _FOR_DISK))

        thinking = loop.call_later(limits.thinking, think)
        try:
            async with asyncio.timeout_at(now + limits.first_word) as scope:
                return await self.model.speak(request, self._listener(turn, request, emit, begun))
        except TimeoutError:
            late = f"no word in {limits.first_word:g}" if not turn.shown else f"not at an end in {limits.whole_line:g}"
            raise ModelError("timeout", f"{self.model.name}: {late} s.") from None
        finally:
            thinking.cancel()

    def _listener(
        self, turn: Turn, request: Request, emit: Callable[[Event], None], begun: Callable[[], None]
    ) -> Callable[[ModelEvent], None]:
        loop = asyncio.get_running_loop()

        def listen(event: ModelEvent) -> None:
            if type(event) is Text:
                events = turn.hear(event.text)
                if len(events) > 1:  # it was the first
                    begun()
                if turn.due(now := self._clock(), _NOTE_EVERY):
                    self._note(turn, now)
            elif type(event) is Audio:
                events = turn.sound(event.pcm, event.rate, loop.time())
                if events and type(events[0]) is LineStarted:
                    begun()
            elif type(event) is Timing:
                events = turn.timed(event.words, event.shapes)
            elif type(event) is Mood:
                events = turn.cue(event.kind, event.name)
            elif type(event) is Call and event.name in request.actions:  # a model may call what it was not offered
                events = turn.act(event.name, dict(event.args))
            else:
                return
            for each in events:
                emit(each)

        return listen

    async def _hear_out(self, turn: Turn) -> None:
        """Waits until a voiced line has been played; cancelling it means that the player heard no more."""
        loop, noted = asyncio.get_running_loop(), -1
        self._note(turn, self._clock())
        try:
            while (left := turn.hearing.left(loop.time())) > 0:
                await asyncio.sleep(min(left, _LOOK_EVERY))
                if turn.hearing.played_ms >= noted + _NOTE_EVERY * 1000:
                    noted = turn.hearing.played_ms
                    self._note(turn, self._clock())
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()

    def _note(self, turn: Turn, now: float) -> None:
        """Puts on disk how far the line has come, in case the host dies before it ends."""
        self._keep(open_lines=[OpenLine(turn.line, turn.npc, turn.player, turn.heard, now)])

    def _remember(self, turn: Turn, text: str, ending: Ending, topic: str | None) -> asyncio.Future[None]:
        memories = []
        if text:
            memories.append(
                Memory(
                    self.persona.id, "said", self.persona.id, text, self._clock(),
                    player=turn.player, turn=turn.line, ending=ending, topic=topic,
                )
            )  # fmt: skip
            self.recall.add(memories[0])
        return self._keep(memories, closed=[turn.line])

    def _bark(self, barks: Sequence[str], request: Request) -> str:
        lines = [line for line in barks if line not in request.said] or barks
        return lines[request.seed % len(lines)]


def _ending(last: Sequence[Event]) -> Ending:
    """How the line is remembered to have ended; one that failed was answered with a bark."""
    return next((event.reason for event in last if isinstance(event, LineDone)), "bark")


def _words(last: Sequence[Event], turn: Turn) -> str:
    """What is remembered of the line."""
    return next((event.text for event in last if isinstance(event, LineFailed)), turn.heard)


async def _settled(future: asyncio.Future[None], until: float) -> None:
    """Waits for a future, at most until then by the loop's clock. What cancels the task has nothing left to stop."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            await asyncio.wait([future], timeout=max(0.0, until - loop.time()))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
        if future.done() or loop.time() >= until:
            return
