"""Decides when each response of a simulator says its next delta: one timer for all of them. Builds no frames."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Protocol

__all__ = ["Paced", "Pacer"]

GRID = 0.001
"""Wake-ups fall on whole milliseconds, so that many streams share one."""
BURST = 64
"""At most so many deltas of one flooding stream before the next has its turn."""


class Paced(Protocol):
    """A response in the eyes of the pacer."""

    interval: float
    """Seconds between two deltas; 0 floods."""

    def advance(self, count: int) -> int:
        """Says up to ``count`` deltas; returns how many it said. Fewer means: call :meth:`Pacer.wake` for more."""
        ...

    def flush(self) -> None:
        """Sends what :meth:`advance` has gathered."""
        ...


class Pacer:
    """Wakes streams when they are due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Paced]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    def wake(self, stream: Paced, delay: float = 0.0) -> None:
        """Lets ``stream`` go on after ``delay`` seconds. A stream that is waiting already must not be woken twice."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        heapq.heappush(self._heap, (due, next(self._order), stream))
        self._arm(loop)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._heap.clear()

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._heap:
            return
        due = self._heap[0][0]
        now = loop.time()
        at = now if due <= now else (due // GRID + 1) * GRID
        if self._timer is not None:
            if self._at <= at:
                return
            self._timer.cancel()
        self._at = at
        self._timer = loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        heap, touched = self._heap, []
        due_now = []
        while heap and heap[0][0] <= now:
            due_now.append(heapq.heappop(heap))
        for due, _, stream in due_now:
            interval = stream.interval
            if interval:
                count = int((now - due) / interval) + 1
                if stream.advance(count) == count:
                    heapq.heappush(heap, (due + count * interval, next(self._order), stream))
            elif stream.advance(BURST) == BURST:
                heapq.heappush(heap, (now, next(self._order), stream))
            touched.append(stream)
        for stream in touched:
            stream.flush()
        self._arm(loop)
