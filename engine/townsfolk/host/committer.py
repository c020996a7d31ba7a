"""Puts memories on disk from a thread of its own, so that the host's loop never waits for one. Knows no characters.

What waits while the disk is busy goes into one commit: a game with many characters pays for one flush, not for many.
When the disk refuses, what was to be kept stays in a backlog that is tried again every two seconds.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from townsfolk.errors import StoreError
from townsfolk.ledger import Spent
from townsfolk.memory.record import Memory, OpenLine, Store

__all__ = ["Committer"]

_RETRY: Final = 2.0
_GATHER: Final = 0.004
"""Seconds in which more may join a commit. Nobody feels them, and the loop has them to itself: when a player has just
spoken, it asks the model meanwhile."""


@dataclass(slots=True)
class _Write:
    done: asyncio.Future[None]
    memories: Sequence[Memory] = ()
    open_lines: Sequence[OpenLine] = ()
    closed: Sequence[str] = ()
    spent: Sequence[Spent] = ()


@dataclass(slots=True)
class _Read:
    done: asyncio.Future[Any]
    read: Callable[[], Any]


@dataclass(slots=True)
class _Batch:
    """Writes that make one commit. A line that ended leaves no note of what was shown of it in mid-line."""

    writes: list[_Write] = field(default_factory=list)

    def run(self, store: Store) -> None:
        closed = [turn for write in self.writes for turn in write.closed]
        store.add(
            [memory for write in self.writes for memory in write.memories],
            [line for write in self.writes for line in write.open_lines if line.turn not in closed],
            closed,
        )
        if spent := [entry for write in self.writes for entry in write.spent]:
            store.spend(spent)


class Committer:
    """Owns a store and the thread that uses it.

    Args:
        store: What is written to; it is closed by :meth:`close`.
        on_trouble: Told on the loop when writing fails, and with None when all of the backlog is on disk after all.
    """

    def __init__(self, store: Store, on_trouble: Callable[[StoreError | None], None]) -> None:
        self._store = store
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Write | _Read | None] = queue.SimpleQueue()
        self._backlog: list[_Write] = []
        self._ended: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._run, name="townsfolk-store", daemon=True).start()

    @property
    def damaged(self) -> int:
        """How many memories have failed their checksum so far."""
        return self._store.damaged

    def keep(
        self, memories: Sequence[Memory] = (), open_lines: Sequence[OpenLine] = (), closed: Sequence[str] = ()
    ) -> asyncio.Future[None]:
        """Keeps memories; the future is done when they are on disk, or fails with a :exc:`StoreError`."""
        return self._put(_Write(self._loop.create_future(), memories, open_lines, closed))

    def spend(self, entries: Sequence[Spent]) -> asyncio.Future[None]:
        """The same for what responses took."""
        return self._put(_Write(self._loop.create_future(), spent=entries))

    def _put(self, write: _Write) -> asyncio.Future[None]:
        # Nobody has to look at it: trouble is told by `on_trouble`.
        write.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._queue.put(write)
        return write.done

    def load(self, npc: str) -> asyncio.Future[list[Memory]]:
        """All memories of a character, with those that :meth:`keep` was given before."""
        return self._ask(lambda: self._store.load(npc))

    def spent(self, since: float) -> asyncio.Future[list[Spent]]:
        """What responses took from that time on (seconds since 1970)."""
        return self._ask(lambda: self._store.spent(since))

    def _ask(self, read: Callable[[], Any]) -> asyncio.Future[Any]:
        asked = _Read(self._loop.create_future(), read)
        self._queue.put(asked)
        return asked.done

    async def close(self) -> None:
        """Writes what waits, then closes the store."""
        if not self._ended.done():
            self._queue.put(None)
        await asyncio.shield(self._ended)

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, reads = _Batch(list(self._backlog)), []
            try:
                item = self._queue.get(timeout=_RETRY if self._backlog else None)
                if isinstance(item, _Write):
                    time.sleep(_GATHER)
                while True:
                    if item is None:
                        ended = True
                    elif isinstance(item, _Write):
                        batch.writes.append(item)
                    else:
                        reads.append(item)
                    item = self._queue.get_nowait()
            except queue.Empty:
                pass
            self._commit(batch)
            for read in reads:
                try:
                    self._settle(read.done, read.read())
                except StoreError as error:
                    self._settle(read.done, error)
        self._store.close()
        self._settle(self._ended, None)

    def _commit(self, batch: _Batch) -> None:
        late = bool(self._backlog)
        try:
            batch.run(self._store)
        except StoreError as error:
            for write in batch.writes:
                self._settle(write.done, error)
            if not late:
                self._tell(error)
            self._backlog = batch.writes
            return
        self._backlog = []
        for write in batch.writes:
            self._settle(write.done, None)
        if late:
            self._tell(None)

    def _settle(self, done: asyncio.Future[Any], result: Any) -> None:
        def settle() -> None:
            if done.done():
                return
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)

        self._on_loop(settle)

    def _tell(self, error: StoreError | None) -> None:
        self._on_loop(lambda: self._on_trouble(error))

    def _on_loop(self, call: Callable[[], None]) -> None:
        # A loop that is closed no longer waits for anything.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
