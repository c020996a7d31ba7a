"""What the host answers when asked why a character said something, or what it remembers. Decides nothing."""

from __future__ import annotations

from typing import Any, Final

from townsfolk.npc import Npc, Why

__all__ = ["describe_memory", "describe_why"]

_ROOM: Final = 40_000
"""Characters of memories in one answer, so that it fits into a frame whatever the script."""


def describe_why(npc: Npc, why: Why) -> dict[str, Any]:
    """The prompt's parts with their token counts, what was recalled with scores, what was cut, and what spoke."""
    prompt, spoken = why.prompt, why.spoken
    return {
        "npc": npc.persona.id,
        "tokens": prompt.tokens,
        "budget": prompt.budget,
        "parts": [
            {"name": part.name, "tokens": part.tokens, "text": part.text[:4000], "cut": part.cut}
            for part in prompt.parts
        ],
        "recalled": [
            {"text": each.memory.text[:400], "score": round(each.score, 3), "reasons": list(each.reasons)}
            for each in why.recalled
        ],
        "model": spoken.model if spoken else "",
        "topic": (spoken.topic or "") if spoken else "",
        "notes": list(spoken.notes) if spoken else [],
        "error": why.error,
    }


def describe_memory(npc: Npc, limit: int) -> dict[str, Any]:
    """The newest memories, oldest of them first, as many as fit."""
    rows, room = [], _ROOM
    for memory in reversed(npc.recall.newest(limit)):
        room -= len(memory.text.encode()) + 120
        if room < 0:
            break
        rows.append(
            {
                "kind": memory.kind, "speaker": memory.speaker, "text": memory.text, "at": memory.at,
                "player": memory.player, "ending": memory.ending,
            }
        )  # fmt: skip
    return {"npc": npc.persona.id, "total": len(npc.recall), "memories": rows[::-1]}
