"""Writes a folder of small characters, and a save in which they remember much. Measures nothing."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["PLAYER", "name", "write_cast", "write_memories"]

PLAYER = "player"

_PERSONA = """\
name: Person {n}
role: fish seller
description: Person {n} sells fish at stall {n} of the quay market, and knows what the boats bring.
manner: Short and friendly.
barks:
  greeting: [Morning.]
  thinking: [Hm.]
  busy: [One moment.]
  offline: [Not now.]
  farewell: [Mind the ropes.]
  deflect: [I would not know that.]
knows:
  - The herring boats come in before dawn.
  - The harbour lamp has been dark for two nights.
  - Ice is dear this summer.
model: {{max_tokens: 2000}}
"""
_WORLD = """\
name: Quay
description: A harbour town in autumn. The lamp of the lighthouse has been dark for two nights.
lore:
  lamp: {text: The lighthouse lamp has been dark for two nights., keys: [lamp, lighthouse, light]}
  boats: {text: Nine boats fish from the quay., keys: [boats, fleet, fishing]}
"""
_WORDS = (
    "lamp boat herring harbour ice market storm rope keeper cellar bread lantern mast ferry anchor bell widow letter"
    " silver knife tide cask candle sailor goat bridge hammer road winter fever song dog chapel well key map barrel"
).split()


def name(n: int) -> str:
    """The id of the character with this number."""
    return f"person{n:03d}"


def write_cast(folder: Path, count: int) -> Path:
    """A folder of ``count`` characters."""
    for n in range(count):
        home = folder / name(n)
        home.mkdir(parents=True)
        (home / "persona.yaml").write_text(_PERSONA.format(n=n), encoding="utf-8")
    (folder / "world.yaml").write_text(_WORLD, encoding="utf-8")
    return folder


def write_memories(save: Path, characters: int, count: int, seed: int) -> None:
    """A save in which so many characters remember ``count`` lines of talk with the player each."""
    from townsfolk.memory.record import Memory
    from townsfolk.memory.sqlite import SqliteStore

    dice, rare = random.Random(seed), [one + other for one in _WORDS for other in _WORDS]
    memories = []
    for npc in map(name, range(characters)):
        for n in range(count):
            text = f"The {' '.join([*dice.choices(_WORDS, k=3), *dice.choices(rare, k=6)])}."
            if n % 2:
                memory = Memory(npc, "said", npc, text, 1.7e9 + n, player=PLAYER, turn=f"{npc}/{n - 1}")
            else:
                memory = Memory(npc, "heard", PLAYER, text, 1.7e9 + n, player=PLAYER, turn=f"{npc}/{n}")
            memories.append(memory)
    store = SqliteStore(save)
    store.add(memories)
    store.close()
