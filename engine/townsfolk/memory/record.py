"""What one memory is, and what any store of them can do. No database, no ranking."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from townsfolk.ledger import Spent

__all__ = ["Ending", "Kind", "Memory", "OpenLine", "Store", "checksum"]

Kind: TypeAlias = Literal["heard", "said", "observed"]
"""``heard``: a player line; ``said``: the character's own line; ``observed``: what the game told."""

Ending: TypeAlias = Literal["complete", "interrupted", "bark"]


@dataclass(frozen=True, slots=True)
class Memory:
    """One remembered thing.

    Attributes:
        npc: Whose memory it is.
        kind: How it is known.
        speaker: Who said it: an id. For an observation empty, or ``picture:`` and the digest of the picture it was.
        text: What was said or seen.
        at: When, in seconds since 1970.
        player: Whose conversation it belongs to; None when it is no conversation.
        turn: The line id of the turn. A store keeps one memory of each kind for a turn: told twice, it keeps the first.
        ending: How a line ended.
        topic: The authored topic that answered, if one did.
        seq: Its place in the save's history; 0 while no store has it.
    """

    npc: str
    kind: Kind
    speaker: str
    text: str
    at: float
    player: str | None = None
    turn: str | None = None
    ending: Ending = "complete"
    topic: str | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that is being spoken: what was shown of it so far. A crash turns it into an interrupted memory."""

    turn: str
    npc: str
    player: str
    text: str
    at: float


class Store(Protocol):
    """Where memories are kept. Synchronous; the host calls it from a thread of its own.

    Every method that writes is one durable step: when it returns, what it wrote survives a crash and a power loss; when
    it raises :exc:`~townsfolk.errors.StoreError`, it wrote nothing.
    """

    def add(self, memories: Sequence[Memory], open_lines: Sequence[OpenLine] = (), closed: Sequence[str] = ()) -> None:
        """Keeps memories, notes lines that are being spoken, drops the notes of those that ended; all or nothing."""
        ...

    def load(self, npc: str) -> list[Memory]:
        """All memories of a character, oldest first. Damaged ones are left out and counted in ``damaged``."""
        ...

    def spend(self, entries: Sequence[Spent]) -> None:
        """Keeps what responses took."""
        ...

    def spent(self, since: float = 0.0) -> list[Spent]:
        """That of responses that ended at that time (seconds since 1970) or later, oldest first."""
        ...

    @property
    def damaged(self) -> int:
        """How many memories have failed their checksum so far."""
        ...

    def close(self) -> None: ...


def checksum(memory: Memory) -> int:
    """CRC-32 over all that a memory says. SQLite itself does not notice most flipped bits in text."""
    fields = (
        memory.npc,
        memory.kind,
        memory.speaker,
        memory.text,
        memory.player,
        memory.turn,
        memory.ending,
        memory.topic,
    )
    return zlib.crc32(repr((*fields, float(memory.at))).encode())
