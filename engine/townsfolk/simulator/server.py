"""The realtime simulator: a server that speaks OpenAI's realtime protocol. Answers from a script or a brain."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any

from townsfolk.simulator.connection import Connection
from townsfolk.simulator.frames import Frames
from townsfolk.simulator.pacer import Pacer
from townsfolk.simulator.script import Brain, Pace, Quirks, Reply, Script, echo

__all__ = ["Simulator"]


class Simulator:
    """A realtime server for tests, demos and benchmarks.

    Each response takes the next entry of ``script``; when that is used up, ``brain`` answers.

    Args:
        brain: Answers what the script does not.
        script: Replies, or texts, one for each response in the order in which they are asked for.
        key: The only API key that is let in; None lets all in. Others get HTTP 401.
        models: The only models there are; None means any.
        pace: How fast responses come.
        quirks: In what the server differs from OpenAI's.
        lifetime: A session ends after so many seconds.
        handshakes: HTTP statuses with which the next connections are answered, 101 to let one in, None to leave the
            handshake hanging. When used up, connections are let in.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
    """

    def __init__(
        self,
        brain: Brain = echo,
        script: Script = (),
        *,
        key: str | None = None,
        models: Collection[str] | None = None,
        pace: Pace | None = None,
        quirks: Quirks | None = None,
        lifetime: float = 3600.0,
        handshakes: Sequence[int | None] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.brain = brain
        self.key = key
        self.models = models
        self.pace = pace or Pace()
        self.quirks = quirks or Quirks()
        self.lifetime = lifetime
        self.handshakes = deque(handshakes)
        self.handshaken = 0
        """How many connections were tried, let in or not."""
        self.received: deque[dict[str, Any]] = deque(maxlen=10_000)
        """The latest events that clients sent, oldest first."""
        self.connections: set[Connection] = set()
        self.tokens = 0
        """Tokens used by all responses so far."""
        self.prefixes: set[str] = set()
        """Instructions that the prompt cache holds."""
        self.ids = itertools.count(1)
        self.frames = Frames()
        self.pacer = Pacer()
        self._script: deque[Reply] = deque()
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self.add(*script)

    @property
    def url(self) -> str:
        """The base URL for a client, such as ``ws://127.0.0.1:8765/v1``."""
        return f"ws://{self._host}:{self._port}/v1"

    def add(self, *replies: Reply | str) -> None:
        """Adds to the script."""
        self._script.extend(Reply(reply) if isinstance(reply, str) else reply for reply in replies)

    def creates(self) -> list[dict[str, Any]]:
        """The ``response`` part of each response.create received so far."""
        return [event.get("response") or {} for event in self.received if event.get("type") == "response.create"]

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), self._host, self._port, backlog=1024)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Closes all connections at once and stops listening. May be called twice."""
        self.pacer.close()
        if self._server is not None:
            self._server.close()
            for connection in list(self.connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None
            await asyncio.sleep(0)

    async def serve(self) -> None:
        """Serves until cancelled."""
        await asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # what connections and sessions ask of it

    def admit(self, path: str, authorization: str) -> int | None:
        """The HTTP status for a handshake: 101 lets it in, None leaves it hanging."""
        self.handshaken += 1
        if self.handshakes and (status := self.handshakes.popleft()) != 101:
            return status
        if path != "/v1/realtime":
            return 404
        if self.key is not None and authorization != f"Bearer {self.key}":
            return 401
        return 101

    def next_reply(self) -> Reply | None:
        """The next entry of the script, or None when it is used up."""
        return self._script.popleft() if self._script else None

    def return_reply(self, reply: Reply | None) -> None:
        """Puts back an entry that was not used after all."""
        if reply is not None:
            self._script.appendleft(reply)
