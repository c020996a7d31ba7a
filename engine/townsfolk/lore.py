"""The world that a cast shares: the shape of `world.yaml`. Reads no files; `cast.py` does."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from townsfolk.gates import Fact, Gate, is_open
from townsfolk.persona import Escalation, Id, Lines, Rules, Short, Text, When

__all__ = ["NOWHERE", "FactDeclaration", "Lore", "World", "known_lore"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _named(data: object) -> object:
    """One name may stand where a list of names is meant; ``everyone`` is no list."""
    return [data] if isinstance(data, str) and data != "everyone" else data


class FactDeclaration(_Part):
    """A game fact that gates may look at: what it means and what it is when a new game starts."""

    start: Fact = None
    about: Short


class Lore(_Part):
    """One authored fact of the world.

    Attributes:
        text: What is so, in plain prose.
        keys: Words that call this entry into a conversation.
        known_by: Ids of the characters that know it, or ``everyone``.
        when: The gate. While it is shut nobody knows.
    """

    text: Text
    keys: Lines
    known_by: Annotated[tuple[Id, ...] | Literal["everyone"], BeforeValidator(_named)] = "everyone"
    when: When = Gate()


class World(_Part):
    """The whole of `world.yaml`."""

    name: Short
    description: Text
    """The place and its trouble, in a paragraph that every character's prompt begins with."""
    facts: dict[Id, FactDeclaration] = Field(default_factory=dict)
    lore: dict[Id, Lore] = Field(default_factory=dict)
    escalate: Rules = (Escalation(sentiment=0.7, complexity=0.6),)
    """When a stronger model is asked, whoever speaks; an empty list leaves it to the characters' own rules."""


NOWHERE: Final = World(name="here", description="Nothing is known of this place.")
"""The world of a cast that has no `world.yaml`."""


def known_lore(world: World, npc: str, facts: dict[str, Fact]) -> dict[str, Lore]:
    """The lore that ``npc`` knows while ``facts`` hold."""
    return {
        id: lore
        for id, lore in world.lore.items()
        if (lore.known_by == "everyone" or npc in lore.known_by) and is_open(lore.when, facts)
    }
