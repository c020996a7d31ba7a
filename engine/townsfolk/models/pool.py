"""A few warm realtime sockets for many characters: opens them when needed, shares their places. Speaks no line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from townsfolk.errors import ModelError
from townsfolk.models.socket import Socket

__all__ = ["Pool"]


class Pool:
    """At most ``most`` sockets that take lines. One is opened when all places are taken, one at a time.

    ``connect`` opens one; it is given the callback that the socket calls when a place is free or the socket is lost.
    """

    def __init__(self, connect: Callable[[Callable[[Socket], None]], Awaitable[Socket]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._sockets: list[Socket] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def sockets(self) -> int:
        """How many sockets are open, those that only finish their lines included."""
        return len(self._sockets)

    async def acquire(self) -> Socket:
        """A socket with a place that is reserved now; `Socket.speak` or `Socket.release` gives it back.

        Raises:
            ModelError: No socket can be opened, and none is open.
        """
        first = True
        while True:
            if self._closed:
                raise ModelError("closed", "The model was closed.", fatal=True)
            self._sweep()
            # The fullest that has room: the others stay idle, and close when they are old.
            socket = max((each for each in self._sockets if each.has_room), key=lambda each: each.busy, default=None)
            if socket is not None:
                socket.busy += 1
                return socket
            self._grow()
            waiter = asyncio.get_running_loop().create_future()
            if first:
                self._waiting.append(waiter)
            else:
                self._waiting.appendleft(waiter)
            first = False
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake(1)  # it was this one's turn: pass it on
                elif waiter in self._waiting:
                    self._waiting.remove(waiter)
                raise

    async def close(self) -> None:
        """Closes all sockets. May be called twice."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.close() for socket in sockets), *self._closing, return_exceptions=True)
        self._wake(len(self._waiting))

    def _changed(self, socket: Socket) -> None:
        self._sweep()
        self._wake(1)

    def _sweep(self) -> None:
        """Lets go of sockets that are lost, or old and idle."""
        for socket in [each for each in self._sockets if each.lost or (not each.busy and not each.usable)]:
            self._sockets.remove(socket)
            task = asyncio.get_running_loop().create_task(socket.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _grow(self) -> None:
        if self._opening is None and sum(each.usable for each in self._sockets) < self._most:
            self._opening = asyncio.get_running_loop().create_task(self._open(), name="realtime connect")

    async def _open(self) -> None:
        try:
            socket = await self._connect(self._changed)
        except Exception as error:
            self._opening = None
            if any(each.usable for each in self._sockets):
                return  # those that wait will have their turn on these
            waiting, self._waiting = self._waiting, deque()
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_exception(error)
        else:
            self._opening = None
            self._sockets.append(socket)
            self._wake(socket.limit)
            if self._waiting:
                self._grow()  # more wait than it has places

    def _wake(self, count: int) -> None:
        while count > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
