"""Lets the realtime simulator speak with the authored lines of a cast: the whole realtime path, with no key."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from townsfolk.errors import ModelError
from townsfolk.gates import Fact
from townsfolk.models.base import Model, ModelEvent, Request, Text
from townsfolk.persona import Persona
from townsfolk.prompt import Prompt
from townsfolk.simulator import Brain, Piece, asked

__all__ = ["authored_brain"]


def authored_brain(personas: Mapping[str, Persona], facts: Mapping[str, Fact], model: Model) -> Brain:
    """A brain that answers for whichever character a response is about.

    Args:
        personas: The cast.
        facts: What the game says is so; read anew for each answer.
        model: The authored model.
    """

    async def brain(response: Mapping[str, Any]) -> AsyncIterator[Piece]:
        text = asked(response)
        said = tuple(_said(response))
        request = Request(
            line="simulated",
            persona=_who(personas, response),
            prompt=Prompt("", (), (), 0),
            text=text,
            facts=facts,
            said=said,
            seed=zlib.crc32(f"{text}{len(said)}".encode()),
        )
        heard: asyncio.Queue[ModelEvent | None] = asyncio.Queue()
        speaking = asyncio.create_task(model.speak(request, heard.put_nowait))
        speaking.add_done_callback(lambda _: heard.put_nowait(None))
        try:
            while (event := await heard.get()) is not None:
                if isinstance(event, Text):
                    yield event.text
            if (error := speaking.exception()) is not None and not isinstance(error, ModelError):
                raise error
        finally:
            speaking.cancel()

    return brain


def _who(personas: Mapping[str, Persona], response: Mapping[str, Any]) -> Persona:
    named = personas.get(str((response.get("metadata") or {}).get("npc")))
    if named is not None:
        return named
    told = str(response.get("instructions") or "")
    for persona in personas.values():
        if f"You are {persona.name}" in told:
            return persona
    return next(iter(personas.values()))


def _said(response: Mapping[str, Any]) -> list[str]:
    """What the character said before, as the response's input tells it."""
    return [
        " ".join(str(part.get("text") or "") for part in item.get("content") or [])
        for item in response.get("input") or []
        if isinstance(item, dict) and item.get("role") == "assistant"
    ]
