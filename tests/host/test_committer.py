"""The thread that puts memories on disk."""

import asyncio
import threading

import pytest

from townsfolk.errors import StoreError
from townsfolk.host import committer as module
from townsfolk.host.committer import Committer
from townsfolk.memory.record import Memory, OpenLine
from townsfolk.memory.sqlite import SqliteStore


def memory(n):
    return Memory("ada", "heard", "ana", f"line {n}", float(n), player="ana", turn=f"t{n}")


class Disk:
    """A store that can be full, and counts its commits."""

    def __init__(self):
        self.full, self.commits, self.notes, self.hold = False, 0, [], threading.Event()
        self.hold.set()
        self._store = SqliteStore(None)

    def add(self, memories, open_lines=(), closed=()):
        self.hold.wait(5)
        if self.full:
            raise StoreError("save_full", "no room")
        self.commits += 1
        self.notes += [line.turn for line in open_lines]
        self._store.add(memories, open_lines, closed)

    def load(self, npc):
        return self._store.load(npc)

    damaged = 0

    def close(self):
        self._store.close()


def run(work):
    disk, told = Disk(), []

    async def main():
        committer = Committer(disk, told.append)
        await work(committer, disk)
        await committer.close()
        await asyncio.sleep(0)

    asyncio.run(main())
    return disk, [error and error.code for error in told]


def test_what_is_kept_can_be_loaded_at_once():
    async def work(committer, disk):
        for n in range(3):
            committer.keep([memory(n)])
        assert [each.text for each in await committer.load("ada")] == ["line 0", "line 1", "line 2"]

    run(work)


def test_what_waits_goes_into_one_commit():
    async def work(committer, disk):
        disk.hold.clear()
        first = committer.keep([memory(0)])
        await asyncio.sleep(0.05)
        rest = [committer.keep([memory(n)]) for n in range(1, 50)]
        disk.hold.set()
        await asyncio.gather(first, *rest)
        assert disk.commits == 2
        assert len(await committer.load("ada")) == 50

    run(work)


def test_a_line_that_has_ended_meanwhile_leaves_no_note():
    async def work(committer, disk):
        disk.hold.clear()
        committer.keep([memory(0)])
        await asyncio.sleep(0.05)
        committer.keep(open_lines=[OpenLine("t1", "ada", "ana", "We", 0.0)])
        last = committer.keep(closed=["t1"])
        disk.hold.set()
        await last
        assert disk.notes == []

    run(work)


def test_a_full_disk_is_told_once_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(module, "_RETRY", 0.02)

    async def work(committer, disk):
        disk.full = True
        with pytest.raises(StoreError):
            await committer.keep([memory(0)])
        with pytest.raises(StoreError):
            await committer.keep([memory(1)])
        await asyncio.sleep(0.1)
        disk.full = False
        await asyncio.sleep(0.1)
        assert [each.text for each in await committer.load("ada")] == ["line 0", "line 1"]

    assert run(work)[1] == ["save_full", None]


def test_closing_writes_what_waits():
    async def work(committer, disk):
        disk.hold.clear()
        kept = [committer.keep([memory(n)]) for n in range(20)]
        closing = asyncio.create_task(committer.close())
        await asyncio.sleep(0.02)
        assert not any(done.done() for done in kept)
        disk.hold.set()
        await closing
        assert all(done.done() and not done.exception() for done in kept)

    run(work)
