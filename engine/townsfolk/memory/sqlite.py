"""Memories in one SQLite file per save, through apsw: one owner, every commit on disk before it returns. No ranking."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, cast

import apsw

from townsfolk.errors import StoreError
from townsfolk.ledger import Spent, Tokens
from townsfolk.memory.migrations import APPLICATION_ID, MIGRATIONS
from townsfolk.memory.record import Memory, OpenLine, checksum

__all__ = ["SqliteStore", "read_only_copy", "read_spent"]

_SPENT = (
    "at, session, npc, player, model, status, line, input_text, input_audio, input_image, cached_text, cached_audio,"
    " cached_image, output_text, output_audio, money, estimated"
)
_FIELDS = "npc, kind, speaker, text, at, player, turn, ending, topic"


class SqliteStore:
    """A save file. With ``path=None`` memories live as long as the store does.

    Raises:
        StoreError: ``save_locked`` (with who holds it), ``save_newer``, ``save_readonly``, ``save_unreadable``. The
            file is left as it was.
    """

    def __init__(self, path: Path | None) -> None:
        self.damaged = 0
        self._lock: _Lock | None = None
        if path is not None:
            _writable(path)
            self._lock = _Lock(path.with_name(path.name + ".lock"))
        try:
            self._db = apsw.Connection(str(path) if path is not None else ":memory:")
            with _told(path):
                self._prepare(path)
        except BaseException:
            if hasattr(self, "_db"):
                self._db.close()
            if self._lock is not None:
                self._lock.release()
            raise

    def _prepare(self, path: Path | None) -> None:
        db = self._db
        version = int(_one(db, "PRAGMA user_version"))
        if version > len(MIGRATIONS):
            raise StoreError(
                "save_newer", f"{path} has version {version}; this townsfolk reads up to {len(MIGRATIONS)}"
            )
        if _one(db, "SELECT count(*) FROM sqlite_schema") and _one(db, "PRAGMA application_id") != APPLICATION_ID:
            raise StoreError("save_unreadable", f"{path} is a database of another program")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # a commit survives the power, not only the program
        for step in range(version, len(MIGRATIONS)):
            with _transaction(db):
                db.execute(MIGRATIONS[step])
                db.execute(f"PRAGMA application_id={APPLICATION_ID}")
                db.execute(f"PRAGMA user_version={step + 1}")
        self._close_left_over()

    def _close_left_over(self) -> None:
        """Lines that a crash cut: the character remembers what was shown of them."""
        left = [
            OpenLine(*cast(Any, row)) for row in self._db.execute("SELECT turn, npc, player, text, at FROM open_line")
        ]
        self.add(
            [
                Memory(o.npc, "said", o.npc, o.text, o.at, player=o.player, turn=o.turn, ending="interrupted")
                for o in left
                if o.text
            ],
            closed=[o.turn for o in left],
        )

    def add(self, memories: Sequence[Memory], open_lines: Sequence[OpenLine] = (), closed: Sequence[str] = ()) -> None:
        if not (memories or open_lines or closed):
            return
        with _told(None), _transaction(self._db):
            self._db.executemany(
                f"INSERT INTO memory({_FIELDS}, crc) VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                [
                    (m.npc, m.kind, m.speaker, m.text, m.at, m.player, m.turn, m.ending, m.topic, checksum(m))
                    for m in memories
                ],
            )
            self._db.executemany(
                "INSERT INTO open_line(turn, npc, player, text, at) VALUES(?,?,?,?,?)"
                " ON CONFLICT(turn) DO UPDATE SET text=excluded.text",
                [(o.turn, o.npc, o.player, o.text, o.at) for o in open_lines],
            )
            self._db.executemany("DELETE FROM open_line WHERE turn=?", [(turn,) for turn in closed])

    def spend(self, entries: Sequence[Spent]) -> None:
        with _told(None), _transaction(self._db):
            self._db.executemany(
                f"INSERT INTO spent({_SPENT}) VALUES({','.join('?' * 17)})",
                [(*row[:7], *row[7], *row[8:]) for row in map(astuple, entries)],
            )

    def spent(self, since: float = 0.0) -> list[Spent]:
        with _told(None):
            return _spent(self._db, since)

    def load(self, npc: str) -> list[Memory]:
        memories = []
        with _told(None):
            for *fields, crc in self._db.execute(
                f"SELECT {_FIELDS}, seq, crc FROM memory WHERE npc=? ORDER BY seq", (npc,)
            ):
                memory = Memory(*cast(Any, fields))
                if checksum(memory) == crc:
                    memories.append(memory)
                else:
                    self.damaged += 1
        return memories

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            self._lock.release()


def read_spent(path: Path) -> list[Spent]:
    """What is written down in a save of what responses took, also while a host uses it.

    Raises:
        StoreError: It cannot be read.
    """
    with _told(path), contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        if _one(db, "PRAGMA application_id") != APPLICATION_ID:
            raise StoreError("save_unreadable", f"{path} is a database of another program")
        return _spent(db) if int(_one(db, "PRAGMA user_version")) >= 2 else []


def _spent(db: apsw.Connection, since: float = 0.0) -> list[Spent]:
    found = []
    for row in db.execute(f"SELECT {_SPENT} FROM spent WHERE at >= ? ORDER BY id", (since,)):
        at, session, npc, player, model, status, line, *counts, money, estimated = cast(Any, row)
        tokens = Tokens(*counts)
        found.append(Spent(at, session, npc, player, model, status, line, tokens, money, bool(estimated)))
    return found


def read_only_copy(path: Path) -> SqliteStore:
    """The memories of a save that cannot be written, in a store that lives as long as the program does.

    What is read is what was there when the last owner closed it; where even that cannot be read, the store is empty.
    """
    copy = SqliteStore(None)
    with contextlib.suppress(apsw.Error, StoreError):
        # "immutable" takes no locks and makes no files, which a folder that cannot be written would refuse.
        source = apsw.Connection(
            f"{path.resolve().as_uri()}?immutable=1", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
        with contextlib.closing(source):
            rows = source.execute(f"SELECT {_FIELDS}, seq FROM memory ORDER BY seq")
            copy.add([Memory(*cast(Any, row)) for row in rows])
    return copy


@contextlib.contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    """All or nothing. A full disk ends a transaction by itself, so a rollback is only for one that is still there."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _one(db: apsw.Connection, query: str) -> Any:
    return next(iter(db.execute(query)))[0]


@contextlib.contextmanager
def _told(path: Path | None) -> Iterator[None]:
    """SQLite's errors, in our words."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreError("save_full", f"the disk is full: {error}") from None
    except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise StoreError("save_readonly", f"the save cannot be written: {error}") from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreError("save_unreadable", f"{path or 'the save'} is no save that can be read: {error}") from None
    except apsw.Error as error:
        raise StoreError("save_readonly", f"the save cannot be used: {error}") from None


def _writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("save_readonly", f"the save's folder cannot be made: {error}") from None
    if path.is_dir():
        raise StoreError("save_unreadable", f"{path} is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreError("save_readonly", f"{path} cannot be written")


class _Lock:
    """One owner per save: an operating-system lock, which a killed process loses, on a file that names the owner."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise StoreError("save_readonly", f"the save's lock cannot be made: {error}") from None
        try:
            _lock(self._file.fileno())
        except OSError:
            owner = _owner(path)
            self._file.close()
            raise StoreError("save_locked", f"{path.with_suffix('').name} is in use by {owner}") from None
        self._file.truncate(0)
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        self._file.write(json.dumps(who).encode())
        self._file.flush()

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two different files of the same name.
        self._file.close()


def _owner(path: Path) -> str:
    try:
        who = json.loads(path.read_text())
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


if os.name == "nt":  # pragma: no cover - needs Windows
    import msvcrt

    def _lock(fd: int) -> None:
        os.lseek(fd, 1 << 30, os.SEEK_SET)  # far behind the owner's name, which others may read
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
