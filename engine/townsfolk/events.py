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
    "LineAudio",
    "LineDelta",
    "LineDone",
    "LineFailed",
    "LineHeard",
    "LineStarted",
    "LineThinking",
    "LineTiming",
    "PlayerHeard",
    "Status",
]


@dataclass(frozen=True, slots=True)
class LineAccepted:
    """The player's line is on disk: it survives a crash from here on."""

    line: str
    npc: str


@dataclass(frozen=True, slots=True)
class LineThinking:
    """The answer takes a while: an authored bark to show until the first word comes. It is no part of the line.

    Comes at most once for a line, and never after its first word.
    """

    line: str
    npc: str
    text: str


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
class LineAudio:
    """More of the line's sound, in order and without gaps. It may come much faster than it plays.

    Attributes:
        at_ms: Where it begins in the line's sound.
        rate: Samples a second.
        pcm: One channel of signed 16-bit little-endian samples.
        mouth: How loud it is, 0 to 255, one byte for each 20 ms: enough to move a mouth.
    """

    line: str
    npc: str
    at_ms: int
    rate: int
    pcm: bytes
    mouth: bytes


@dataclass(frozen=True, slots=True)
class LineTiming:
    """When the words of a voiced line sound. What comes later for the same characters replaces what came before.

    Attributes:
        words: ``(at, end, from_ms, to_ms)``: the line's characters ``at`` to ``end`` sound from then to then.
        shapes: ``(ms, shape)``: from then on the mouth has one of Rhubarb's shapes, ``A`` to ``H`` and ``X`` (rest).
    """

    line: str
    npc: str
    words: tuple[tuple[int, int, int, int], ...]
    shapes: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class LineHeard:
    """A voiced line has been played to its end, or was cut before: comes after `LineDone`.

    ``text`` is what was really heard, to the last whole word, and just what the character remembers to have said.
    """

    line: str
    npc: str
    text: str
    complete: bool


@dataclass(frozen=True, slots=True)
class PlayerHeard:
    """What the ear understood of the player's speech so far. The ``final`` one is the player's line."""

    line: str
    npc: str
    text: str
    final: bool


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
    LineDelta
    | LineStarted
    | LineDone
    | LineFailed
    | LineAccepted
    | LineThinking
    | LineAudio
    | LineTiming
    | LineHeard
    | PlayerHeard
    | Cue
    | ActionRequested
    | Status
    | Answer
)
