"""A few warm realtime sockets for many characters: opens, shares, rotates and closes them. Speaks no line."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from townsfolk.errors import ModelError
from townsfolk.models.backoff import full_jitter
from townsfolk.models.breaker import Breaker
from townsfolk.models.socket import Socket

__all__ = ["Pool"]

_TRIES: Final = 3
"""Connects before those that wait are told: with full jitter 0.75 s on the average, and the breaker opens then."""
_LONG_S: Final = 2.0
"""A server that asks to be left alone for longer is: the breaker rests as long, and lines go elsewhere."""


class Pool:
    """At most ``most`` sockets that take lines. One is opened when all places are taken, one at a time.

    Args:
        connect: Opens one; it is given the callback that the socket calls when a place is free or the socket is lost.
        most: Sockets at most that take lines; those that only finish theirs are not counted.
        idle_s: A socket that nobody has used for so long is closed.
        roll: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        connect: Callable[[Callable[[Socket], None]], Awaitable[Socket]],
        most: int,
        *,
        idle_s: float = 60.0,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self.breaker = Breaker(jitter=roll)
        self._connect = connect
        self._most = most
        self._idle_s = idle_s
        self._roll = roll
        self._sockets: list[Socket] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._timers: dict[Socket, asyncio.TimerHandle] = {}
        self._used_at = 0.0
        self._closed = False

    @property
    def sockets(self) -> int:
        """How many sockets are open, those that only finish their lines included."""
        return len(self._sockets)

    @property
    def waiting(self) -> int:
        """How many lines wait for a place."""
        return len(self._waiting)

    async def acquire(self) -> Socket:
        """A socket with a place that is reserved now; `Socket.speak` or `Socket.release` gives it back.

        Raises:
            ModelError: No socket can be opened, and none is open. While the breaker is open that is known at once.
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
                self._used_at = self._now()
                return socket
            refused = self._grow()
            if refused is not None and not any(each.usable for each in self._sockets):
                raise refused
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
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.close() for socket in sockets), *self._closing, return_exceptions=True)
        self._wake(len(self._waiting))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _changed(self, socket: Socket) -> None:
        self._sweep()
        self._wake(1)
        if socket in self._sockets and not socket.busy:
            self._look_again(socket)

    def _look_again(self, socket: Socket) -> None:
        """Comes back to a socket when it will have been idle for long, or is too old for new lines."""
        if (timer := self._timers.pop(socket, None)) is not None:
            timer.cancel()
        at = min(self._now() + self._idle_s, socket.usable_until)
        self._timers[socket] = asyncio.get_running_loop().call_at(at, self._look, socket)

    def _look(self, socket: Socket) -> None:
        self._timers.pop(socket, None)
        if socket not in self._sockets or self._closed:
            return
        if not socket.busy and self._now() - socket.idle_since >= self._idle_s - 0.001:
            socket.retire()
        elif socket.usable:
            self._look_again(socket)
            return
        # It is too old. Who has just talked shall not wait for the next one to be opened.
        self._sweep()
        if self._now() - self._used_at < self._idle_s and not any(each.usable for each in self._sockets):
            self._grow()

    def _sweep(self) -> None:
        """Lets go of sockets that are lost, or old and idle."""
        for socket in [each for each in self._sockets if each.lost or (not each.busy and not each.usable)]:
            self._sockets.remove(socket)
            if (timer := self._timers.pop(socket, None)) is not None:
                timer.cancel()
            task = asyncio.get_running_loop().create_task(socket.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _grow(self) -> ModelError | None:
        """Opens one more, where there is room for it; returns why it may not be tried."""
        if self._opening is not None or sum(each.usable for each in self._sockets) >= self._most:
            return None
        refused = self.breaker.ask(self._now())
        if refused is None:
            self._opening = asyncio.get_running_loop().create_task(self._open(), name="realtime connect")
        return refused

    async def _open(self) -> None:
        try:
            socket = await self._try()
        except asyncio.CancelledError:
            self.breaker.gave_up(self._now())
            raise
        except Exception as error:
            self._opening = None
            failed = error if isinstance(error, ModelError) else ModelError("internal", repr(error))
            self.breaker.failed(failed, self._now())
            if any(each.usable for each in self._sockets):
                return  # those that wait will have their turn on these
            waiting, self._waiting = self._waiting, deque()
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_exception(failed)
        else:
            self._opening = None
            self.breaker.succeeded()
            self._sockets.append(socket)
            self._look_again(socket)
            self._wake(socket.limit)
            if self._waiting:
                self._grow()  # more wait than it has places

    async def _try(self) -> Socket:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._connect(self._changed)
            except ModelError as error:
                if error.fatal or tries == _TRIES or error.retry_after_s > _LONG_S:
                    raise
                await asyncio.sleep(max(error.retry_after_s, full_jitter(tries, self._roll())))

    def _wake(self, count: int) -> None:
        while count > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
