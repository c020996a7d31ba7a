"""A byte-level proxy that breaks what goes through it: resets, stalls, slices, slows, cuts, injects. On loopback."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from collections.abc import Callable

_RESPONSE = re.compile(rb'"response_id":"([^"]+)"')
_CREATED = re.compile(rb'"type":"response\.created".{0,200}?"id":"([^"]+)"')


class Pipe(asyncio.Protocol):
    """One side of a connection through the proxy."""

    def __init__(self, through: Through, *, from_server: bool) -> None:
        self.through = through
        self.from_server = from_server
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.through.joined(self)

    def data_received(self, data: bytes) -> None:
        self.through.forward(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.through.ended(self)


class Through:
    """One connection through the proxy, with what is wrong with it."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.client: Pipe | None = None
        self.server: Pipe | None = None
        self.response = b"resp_none"
        """The latest response that the server has begun, for events that are made up."""
        self.deaf = {False: False, True: False}  # by from_server: these bytes go nowhere
        self.shape: Callable[[bytes], list[tuple[float, bytes]]] | None = None
        self._early: list[bytes] = []
        self._due = 0.0
        self._closed = False

    def joined(self, pipe: Pipe) -> None:
        if pipe.from_server:
            self.server = pipe
            for data in self._early:
                self._write(pipe, data)
            self._early.clear()
        else:
            self.client = pipe
            if (status := self.proxy.greet(self)) is not None:
                self._early.clear()
                self.deaf[False] = True
                status()
                return
            self.proxy.spawn(self._dial())

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Pipe(self, from_server=True), *self.proxy.upstream)
        except OSError:
            self.reset()

    def forward(self, pipe: Pipe, data: bytes) -> None:
        if self.deaf[pipe.from_server]:
            return
        if pipe.from_server:
            for found in (*_CREATED.finditer(data), *_RESPONSE.finditer(data)):
                self.response = found[1]
        to = self.client if pipe.from_server else self.server
        if to is None:
            self._early.append(data)
        elif self.shape is not None and pipe.from_server:
            loop = asyncio.get_running_loop()
            for delay, part in self.shape(data):
                self._due = max(self._due, loop.time()) + delay
                loop.call_at(self._due, self._write, to, part)
        else:
            self._write(to, data)

    def _write(self, to: Pipe, data: bytes) -> None:
        if to.transport is not None and not to.transport.is_closing():
            to.transport.write(data)

    def ended(self, pipe: Pipe) -> None:
        other = self.client if pipe.from_server else self.server
        if self.deaf[pipe.from_server] and pipe.from_server:
            return  # the client does not learn of it
        if other is not None and other.transport is not None:
            asyncio.get_running_loop().call_at(max(self._due, 0.0), other.transport.close)
        if not pipe.from_server:
            self.proxy.connections.discard(self)

    # what can go wrong

    def reset(self) -> None:
        """RST on both sides."""
        for pipe in (self.client, self.server):
            if pipe is not None and pipe.transport is not None:
                raw = pipe.transport.get_extra_info("socket")
                if raw is not None and raw.fileno() >= 0:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                pipe.transport.abort()
        self.proxy.connections.discard(self)

    def close(self) -> None:
        """FIN to the client, as a middlebox that has had enough."""
        if self.client is not None and self.client.transport is not None:
            self.client.transport.close()

    def half_open(self) -> None:
        """Nothing goes through any more, in neither direction, and nobody is told."""
        self.deaf = {False: True, True: True}

    def inject(self, data: bytes) -> None:
        """The client hears this as if the server had sent it."""
        if self.client is not None:
            self._write(self.client, data)

    def cut_frame(self) -> None:
        """The beginning of a frame, and FIN."""
        self.inject(b"\x81\x7e\x01\x00{")
        self.close()


class Proxy:
    """Listens on a port of its own and passes everything on to ``upstream``, but for what it is told to break.

    Attributes:
        greeting: What happens to new connections instead of being let through; None lets them through.
        tried: How many connections came.
    """

    def __init__(self, upstream: tuple[str, int], rng: random.Random) -> None:
        self.upstream = upstream
        self.rng = rng
        self.connections: set[Through] = set()
        self.greeting: Callable[[Through], Callable[[], None] | None] | None = None
        self.tried = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def made() -> Pipe:
            through = Through(self)
            self.connections.add(through)
            return Pipe(through, from_server=False)

        self._server = await loop.create_server(made, "127.0.0.1", 0, backlog=256)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def greet(self, through: Through) -> Callable[[], None] | None:
        self.tried += 1
        return self.greeting(through) if self.greeting is not None else None

    def spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def reset_all(self) -> None:
        """Every connection is reset."""
        for through in list(self.connections):
            through.reset()

    async def close(self) -> None:
        """Stops listening and drops all."""
        if self._server is not None:
            self._server.close()
            self.reset_all()
            await self._server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)
