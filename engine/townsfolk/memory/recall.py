"""One character's memories in the host: what it recalls for a player's line, and what the two said last. Pure, no I/O.

What another player said in private is never among what it gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from townsfolk.memory.rank import WordIndex, words
from townsfolk.memory.record import Memory

__all__ = ["Recall", "Recalled"]

_PREVIOUS = 0.3
"""The weight of words from the character's previous line: "and her?" alone would find nothing."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A memory that came up, how strongly, and why."""

    memory: Memory
    score: float
    reasons: tuple[str, ...]


class Recall:
    """The memories of one character, newest last."""

    def __init__(self, memories: Iterable[Memory] = ()) -> None:
        self._memories: list[Memory] = []
        self._index = WordIndex()
        self._talks: dict[str, list[Memory]] = {}
        for memory in memories:
            self.add(memory)

    def __len__(self) -> int:
        return len(self._memories)

    def add(self, memory: Memory) -> None:
        self._memories.append(memory)
        self._index.add(f"{memory.speaker} {memory.text}")
        if memory.player is not None:
            self._talks.setdefault(memory.player, []).append(memory)

    def newest(self, count: int) -> list[Memory]:
        """Whatever is newest, whoever it concerns, for people who look into a save; oldest of them first."""
        return self._memories[-count:] if count > 0 else []

    def talk(self, player: str, count: int) -> list[Memory]:
        """The last ``count`` lines between the character and a player, oldest first."""
        return self._talks.get(player, [])[-count:]

    def said(self, player: str, count: int) -> tuple[str, ...]:
        """The character's last lines to a player, oldest first."""
        return tuple(memory.text for memory in self.talk(player, 2 * count) if memory.kind == "said")[-count:]

    def topics(self, player: str) -> list[str]:
        """The authored topics that answered this player, oldest first."""
        return [memory.topic for memory in self._talks.get(player, []) if memory.topic is not None]

    def find(self, text: str, player: str, count: int, *, skip: Iterable[Memory] = ()) -> list[Recalled]:
        """What a player's line brings to mind, best first.

        Args:
            text: What the player says now.
            player: Who says it: memories of talks with others stay out.
            count: At most so many.
            skip: Memories that the prompt shows already.
        """
        query = dict.fromkeys(words(text), 1.0)
        for line in self.said(player, 1):
            for word in words(line):
                query.setdefault(word, _PREVIOUS)
        skipped = {id(memory) for memory in skip}

        def allowed(doc: int) -> bool:
            memory = self._memories[doc]
            return (memory.player is None or memory.player == player) and id(memory) not in skipped

        return [
            Recalled(self._memories[hit.doc], hit.score, hit.reasons)
            for hit in self._index.search(query, count, allowed)
        ]
