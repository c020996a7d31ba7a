"""What a model is told: named parts under a token budget, stable ones first. Builds text; calls no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Message", "Part", "Prompt"]

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Part:
    """One named part: ``rules``, ``world``, ``persona``, ``examples``, ``knowledge``, ``memories``, ``history``...

    ``cut`` says what was left out of it for the budget, in words, empty when nothing was.
    """

    name: str
    text: str
    tokens: int
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation that a model is shown. What a player said is always in the role ``user``."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told.

    Attributes:
        instructions: The stable prefix: the same bytes for every line of a character, so that servers can cache it.
        messages: What changes: knowledge and memories (``system``), the latest turns, and last the player's line (``user``).
        parts: The same, by name and with token counts, for `/why`.
        budget: The most tokens it may take.
    """

    instructions: str
    messages: tuple[Message, ...]
    parts: tuple[Part, ...]
    budget: int

    @property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts)
