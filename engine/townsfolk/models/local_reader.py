"""Has a local model read characters' prompts beforehand, one at a time, while nobody speaks. Starts no process.

Reading is what takes a small machine long: a prompt of 800 tokens takes a 1.5B model 20 seconds on one core, and the
answer two. What was read stays in the model's cache, so a line that comes later begins at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from townsfolk.persona import Persona
from townsfolk.prompt import count_tokens

__all__ = ["PromptReader"]

_SPEED: Final = 38e9
"""Bytes of model times tokens that one core reads in a second; a guess until one prompt was read (1.5B at Q4: 35/s)."""
_MOST_SPEED: Final = 150.0
_REMEMBERED: Final = 16
"""Characters whose prompts the model's cache is trusted to keep."""
_ANSWER: Final = 40
"""What a first sentence costs, in tokens read: saying one takes three to four times as long as reading it."""
_LONG: Final = 100
"""Tokens from which on the time that reading takes says something of the speed."""


class PromptReader:
    """Reads prompts in the background.

    Args:
        read: Has one stable part read and says how many seconds that took; cancelling it stops the model.
        threads: Cores of the model.
        size: Its bytes.
    """

    def __init__(
        self,
        read: Callable[[Persona, str], Awaitable[float]],
        threads: int,
        size: int,
    ) -> None:
        self._read = read
        self._speed = threads * min(_MOST_SPEED, _SPEED / max(1, size))
        self._wanted: dict[str, tuple[Persona, str]] = {}
        self._known: dict[str, str] = {}
        self._speaking = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def seconds(self, persona: Persona, prefix: str, rest: Iterable[str]) -> float:
        """About how long it takes to the first sentence: what was not yet read of the prompt is read before it."""
        tokens = _ANSWER + sum(map(count_tokens, rest))
        if self._known.get(persona.id) != prefix:
            tokens += count_tokens(prefix)
        return tokens / self._speed

    def has_read(self, persona: Persona, prefix: str) -> None:
        """The model knows this by now."""
        self._known.pop(persona.id, None)
        self._known[persona.id] = prefix
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        if self._wanted.get(persona.id, (persona, prefix))[1] == prefix:
            self._wanted.pop(persona.id, None)

    def forget(self) -> None:
        """The model has started anew."""
        self._known.clear()

    def want(self, persona: Persona, prefix: str) -> None:
        """This is to be read when nobody speaks."""
        if prefix and self._known.get(persona.id) != prefix:
            self._wanted[persona.id] = (persona, prefix)

    async def read(self, persona: Persona, prefix: str) -> None:
        """The same, and waits until it is done or somebody speaks."""
        self.want(persona, prefix)
        self._start()
        while self._task is not None and persona.id in self._wanted and not self._speaking:
            await asyncio.wait([self._task])

    def pause(self) -> None:
        """Somebody speaks."""
        self._speaking += 1
        if self._task is not None:
            self._task.cancel()

    def go_on(self) -> None:
        """Somebody has spoken."""
        self._speaking -= 1
        self._start()

    async def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _start(self) -> None:
        if self._wanted and not self._speaking and self._task is None and not self._closed:
            self._task = asyncio.create_task(self._work())
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            self._start()  # unless somebody still speaks; then go_on() does
        elif task.exception() is not None:
            self._wanted.clear()  # the model is ill; the next line will tell why

    async def _work(self) -> None:
        while self._wanted:
            persona, prefix = next(iter(self._wanted.values()))
            took, tokens = await self._read(persona, prefix), count_tokens(prefix)
            if tokens >= _LONG and took > 0:
                self._speed = tokens / took
            self.has_read(persona, prefix)
