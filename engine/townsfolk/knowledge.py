"""What a character knows now: its own facts, open secrets, goals, relations and lore. Pure; finds no memories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from townsfolk.gates import Fact, Gate, is_open
from townsfolk.lore import World, known_lore
from townsfolk.memory.rank import words
from townsfolk.memory.record import Memory
from townsfolk.persona import Persona

__all__ = ["Knowledge"]


class Knowledge:
    """All that a persona and its world can let a character know, and which of it no gate hides."""

    def __init__(self, persona: Persona, world: World) -> None:
        self._persona = persona
        self._world = world
        self._known: tuple[dict[str, Fact], list[tuple[str, frozenset[str]]], int] | None = None

    def fitting(self, text: str, talk: Sequence[Memory], facts: Mapping[str, Fact]) -> list[str]:
        """Most fitting first: what shares words with the talk, then the character's own concerns."""
        said = set(words(text)).union(*(words(memory.text) for memory in talk[-1:]))
        known, own = self._open(facts)
        fitting = [item for item in known if not said.isdisjoint(item[1])]
        fitting.sort(key=lambda item: -len(item[1] & said))  # stable: own facts first
        return [fact for fact, _ in fitting] + [fact for fact, about in known[:own] if said.isdisjoint(about)]

    def _open(self, given: Mapping[str, Fact]) -> tuple[list[tuple[str, frozenset[str]]], int]:
        """What no gate hides, each with its words; and how many of the first are the character's own facts."""
        facts = dict(given)
        if self._known is None or self._known[0] != facts:  # gates change rarely
            persona = self._persona
            knows = [each.fact for each in persona.knows if is_open(each.when, facts)]
            gated: list[tuple[Gate, str]] = [(each.when, each.fact) for each in persona.secrets]
            gated += [(goal.when, f"You want: {goal.want}") for goal in persona.goals if goal.when != Gate()]
            knows_too = [fact for gate, fact in gated if is_open(gate, facts)]
            items = [(fact, frozenset(words(fact))) for fact in (*knows, *knows_too)]
            items += [
                (f"What you think of {id}: {relation.about}", frozenset(words(f"{id} {relation.about}")))
                for id, relation in persona.relations.items()
            ]
            items += [
                (lore.text, frozenset(words(f"{' '.join(lore.keys)} {lore.text}")))
                for lore in known_lore(self._world, persona.id, facts).values()
            ]
            self._known = facts, items, len(knows)
        return self._known[1:]
