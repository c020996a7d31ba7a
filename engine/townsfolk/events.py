"""What a game hears from townsfolk: one small closed vocabulary, the same in every client. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = [
    "ActionRequested",
    "Answer",
    "Cue",
    "Event",
    "LineAccepted",
    "LineDelta",
    "LineDone",
    "LineFailed",
    "LineStarted",
    "Status",
]


@dataclass(frozen=True, slots=True)
class LineAccepted:
    """The player's line is on disk: it survives a crash from here on."""

    line: str
    npc: str


@dataclass(frozen=True, slots=True)
class LineStarted:
    """The character begins to speak. Comes once, before the first delta."""

    line: str
    npc: str


@dataclass(slots=True, unsafe_hash=True)  # a value like the others; freezing it would triple what one costs a frame
class LineDelta:
    """More of the line. Deltas of one line come in order and join to its text."""

    line: str
    npc: str
    text: str


@dataclass(frozen=True, slots=True)
class LineDone:
    """The line ended. ``text`` repeats all of it, so a game may ignore the deltas.

    ``reason`` is ``complete``, ``interrupted`` (cancelled, or the model was lost in mid-line) or ``bark`` (the
    character had no answer and said an authored filler). ``model`` is what spoke, such as ``authored`` or
    ``realtime:gpt-realtime-2.1-mini``.
    """

    line: str
    npc: str
    text: str
    reason: Literal["complete", "interrupted", "bark"]
    model: str


@dataclass(frozen=True, slots=True)
class LineFailed:
    """The line could not be answered. ``text`` is an authored bark to show instead, empty where there is none."""

    line: str
    npc: str
    text: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Cue:
    """A stage direction (``kind`` is ``emotion`` or ``gesture``) before the character at offset ``at`` of the line."""

    line: str
    npc: str
    at: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ActionRequested:
    """The character wants the game to do something at offset ``at`` of the line. The game decides."""

    line: str
    npc: str
    at: int
    action: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """News about the engine itself, such as ``ready`` or ``host_lost``. ``code`` is stable; the rest is for people."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question to the host (``why``, ``memory``) found. ``request`` is the id that the call returned."""

    request: str
    data: Mapping[str, Any]


Event: TypeAlias = (
    LineDelta | LineStarted | LineDone | LineFailed | LineAccepted | Cue | ActionRequested | Status | Answer
)
