"""Answers with lines that an author wrote: finds the topic a player means, and varies its lines. Invents nothing."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from townsfolk.errors import ModelError
from townsfolk.memory.embed import Embedder
from townsfolk.models.base import Call, Emit, Health, Mood, Request, Spoken, Text
from townsfolk.persona import Persona
from townsfolk.topics import MEANING, PLAINEST, WORDS, Match, Repertoire
from townsfolk.vary import vary
from townsfolk.wordmatch import likeness

if TYPE_CHECKING:
    from townsfolk.memory.embed import Vectors

__all__ = ["Authored"]

_LOG: Final = logging.getLogger("townsfolk")
_WORD: Final = re.compile(r"\s*\S+(?:\s+\Z)?")
_CHUNK: Final = 16
"""Texts embedded in one go while warming up: some 40 ms, so that a player who speaks meanwhile hardly waits."""
_REST: Final = {",": 0.5, ";": 0.7, ":": 0.7, "-": 0.5, ".": 1.5, "!": 1.5, "?": 1.5}
"""How long a voice rests at a mark, in words."""
_Result = TypeVar("_Result")


class Authored:
    """Picks among the persona's open topics by meaning; without an embedder by words alone.

    Args:
        embedder: What gives texts their vectors; it runs in a thread of this model's own.
        topics: Whether topics answer at all. Without them every line is a deflection: the last word of a ladder.
        deflect: Whether to say a deflection when no topic fits; without it the model raises ``no_topic``, and
            another one may answer.
        words_per_second: The pace; ``None`` gives the whole line at once.
    """

    name: Final = "authored"

    def __init__(
        self,
        *,
        embedder: Embedder | None = None,
        topics: bool = True,
        deflect: bool = True,
        words_per_second: float | None = None,
    ) -> None:
        self._embedder = embedder
        self._topics = topics
        self._deflect = deflect
        self._pace = words_per_second
        self._vectors: dict[str, Vectors] = {}
        self._known: dict[str, Repertoire] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="townsfolk-authored")
        self._warming = asyncio.Lock()
        self._told = False

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        """Says a line of the topic that answers, or a deflection.

        Raises:
            ModelError: ``no_topic``, when nothing fits and deflections were not asked for.
        """
        match, considered = (await self._apart(lambda: self._find(request))) if self._topics else (None, [])
        notes = tuple(f"{each.topic} {each.score:.2f} {each.sample!r}" for each in considered[:3])
        line = None if match is None else vary(_lines(request, match), request.said, request.seed)
        if match is None or line is None:
            await self._deflected(request, emit, notes)
            return Spoken(self.name, reason="bark", notes=notes)
        if match.bark:
            await self._say(line, emit)
            return Spoken(self.name, notes=notes)
        topic = request.persona.topics[match.topic]
        if topic.cue is not None:
            emit(Mood("emotion", topic.cue))
        await self._say(line, emit)
        if topic.does is not None and topic.does.action in request.actions and not match.more:
            emit(Call(f"{request.line}-does", topic.does.action, dict(topic.does.args)))
        return Spoken(self.name, topic=match.topic, notes=("asked for more",) if match.more else notes)

    async def warm(self, persona: Persona) -> None:
        """Embeds what the character can be asked, a little at a time."""
        if not self._topics:
            return
        async with self._warming:
            try:
                texts = (await self._apart(lambda: self._repertoire(persona))).texts()
                for start in range(0, len(texts), _CHUNK):
                    if self._embedder is None:
                        return
                    chunk = texts[start : start + _CHUNK]
                    await self._apart(lambda chunk=chunk: self._alike((), chunk))  # type: ignore[misc]
            except Exception as error:
                _LOG.warning("cannot prepare the topics of %s: %s", persona.id, error)

    async def health(self) -> Health:
        """It can always speak; the detail says how it finds topics."""
        if self._embedder is None:
            return Health(True, "finds topics by words alone; for meaning: pip install 'townsfolk[embed]'")
        return Health(True, f"finds topics by meaning, with {self._embedder.name}")

    async def close(self) -> None:
        """Ends the thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _deflected(self, request: Request, emit: Emit, notes: Sequence[str]) -> None:
        if not self._deflect:
            best = f"the nearest was {notes[0]}" if notes else "there was nothing to go by"
            raise ModelError("no_topic", f"No topic of {request.persona.name} answers this; {best}.")
        barks = request.persona.barks
        line = vary([barks.deflect, barks.thinking, barks.busy], request.said, request.seed)
        await self._say(line or barks.deflect[0], emit)

    async def _say(self, line: str, emit: Emit) -> None:
        """Word by word, as a voice would."""
        due = asyncio.get_running_loop().time()
        for word in _WORD.findall(line):
            if self._pace is not None:
                # Against the clock and not one wait after the other: late wake-ups do not add up.
                await asyncio.sleep(due - asyncio.get_running_loop().time())
                due += (1 + _REST.get(word.rstrip()[-1], 0.0)) / self._pace
            emit(Text(word))

    async def topic(self, request: Request) -> str | None:
        """The topic that would answer a line, if one would."""
        match, _ = await self._apart(lambda: self._find(request))
        return None if match is None or match.bark else match.topic

    # What follows runs in the worker.

    async def _apart(self, job: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, job)

    def _find(self, request: Request) -> tuple[Match | None, list[Match]]:
        try:
            return self._repertoire(request.persona).find(request.text, request.facts, request.said)
        except Exception as error:
            if self._embedder is None:
                raise
            _LOG.warning("the embedder failed (%s); authored topics are found by words alone from now on", error)
            self._embedder, self._told = None, True
            self._known.clear()
            return self._repertoire(request.persona).find(request.text, request.facts, request.said)

    def _repertoire(self, persona: Persona) -> Repertoire:
        known = self._known.get(persona.id)
        if known is None or known.persona is not persona:  # files may be loaded anew
            known = self._known[persona.id] = self._new(persona)
        return known

    def _new(self, persona: Persona) -> Repertoire:
        if self._embedder is not None:
            self._alike((), PLAINEST)  # every character needs them
            return Repertoire(persona, self._alike, MEANING)
        if not self._told:
            self._told = True
            _LOG.warning("authored topics are found by words alone; for meaning: pip install 'townsfolk[embed]'")
        return Repertoire(persona, likeness, WORDS)

    def _alike(self, asked: Sequence[str], samples: Sequence[str]) -> Sequence[Sequence[float]]:
        """The cosines. Vectors of samples are kept; those of what players say are not."""
        import numpy as np

        if self._embedder is None:
            return []
        if new := [text for text in dict.fromkeys(samples) if text not in self._vectors]:
            self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        if not asked or not samples:
            return [[] for _ in asked]
        heard = self._vectors
        if unknown := [text for text in dict.fromkeys(asked) if text not in heard]:
            heard = {**heard, **dict(zip(unknown, self._embedder.embed(unknown), strict=True))}
        rows = np.stack([heard[text] for text in asked]) @ np.stack([self._vectors[text] for text in samples]).T
        table: list[list[float]] = rows.tolist()
        return table


def _lines(request: Request, match: Match) -> tuple[Sequence[str], ...]:
    """What may be said, the preferred lines first."""
    barks = request.persona.barks
    if match.bark:
        return (barks.farewell if match.topic.startswith("farewell") else barks.greeting,)
    topic = request.persona.topics[match.topic]
    if match.more:
        return ((*topic.says, *topic.again),)
    if match.topic in request.asked:
        return (topic.again, topic.says)
    return (topic.says, topic.again)
