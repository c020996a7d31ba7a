"""Events to messages of the wire and back. Checks nothing: hosts send what the table in `protocol.py` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from townsfolk.events import (
    ActionRequested,
    Answer,
    Cue,
    Event,
    LineAccepted,
    LineAudio,
    LineDelta,
    LineDone,
    LineFailed,
    LineHeard,
    LineStarted,
    LineThinking,
    LineTiming,
    PlayerHeard,
    Status,
)

__all__ = ["EVENTS", "message"]

EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Event]]] = {
    "line_delta": lambda m, npc: LineDelta(m["line"], npc, m["text"]),
    "line_started": lambda m, npc: LineStarted(m["line"], npc),
    "line_accepted": lambda m, npc: LineAccepted(m["line"], m["npc"]),
    "line_done": lambda m, npc: LineDone(m["line"], npc, m["text"], m["reason"], m["model"]),
    "line_failed": lambda m, npc: LineFailed(m["line"], npc, m["text"], m["code"], m["message"], m["hint"]),
    "line_thinking": lambda m, npc: LineThinking(m["line"], npc, m["text"]),
    "line_audio": lambda m, npc: LineAudio(m["line"], npc, m["at"], m["rate"], m["pcm"], m["mouth"]),
    "line_timing": lambda m, npc: LineTiming(m["line"], npc, _tuples(m["words"]), _tuples(m["shapes"])),
    "line_heard": lambda m, npc: LineHeard(m["line"], m["npc"], m["text"], m["complete"]),
    "player_heard": lambda m, npc: PlayerHeard(m["line"], npc, m["text"], m["final"]),
    "cue": lambda m, npc: Cue(m["line"], npc, m["at"], m["kind"], m["name"]),
    "action": lambda m, npc: ActionRequested(m["line"], npc, m["at"], m["action"], m["name"], m["args"]),
    "status": lambda m, npc: Status(m["code"], m["message"], m["hint"]),
    "answer": lambda m, npc: Answer(m["id"], m["data"]),
}
"""The event of each message that is one, given the message and the character whose line it is."""


def message(event: Event) -> dict[str, Any]:
    """The message that carries an event."""
    match event:
        case LineDelta(line, _, text):
            return {"t": "line_delta", "line": line, "text": text}
        case LineAccepted(line, npc):
            return {"t": "line_accepted", "line": line, "npc": npc}
        case LineStarted(line, npc):
            return {"t": "line_started", "line": line, "npc": npc}
        case LineDone(line, npc, text, reason, model):
            return {"t": "line_done", "line": line, "npc": npc, "text": text, "reason": reason, "model": model}
        case LineFailed(line, npc, text, code, reason, hint):
            return {
                "t": "line_failed", "line": line, "npc": npc, "text": text,
                "code": code, "message": reason, "hint": hint,
            }  # fmt: skip
        case LineThinking(line, _, text):
            return {"t": "line_thinking", "line": line, "text": text}
        case LineAudio(line, _, at, rate, pcm, mouth):
            return {"t": "line_audio", "line": line, "at": at, "rate": rate, "pcm": pcm, "mouth": mouth}
        case LineTiming(line, _, words, shapes):
            return {
                "t": "line_timing", "line": line,
                "words": [list(word) for word in words], "shapes": [list(shape) for shape in shapes],
            }  # fmt: skip
        case LineHeard(line, npc, text, complete):
            return {"t": "line_heard", "line": line, "npc": npc, "text": text, "complete": complete}
        case PlayerHeard(line, _, text, final):
            return {"t": "player_heard", "line": line, "text": text, "final": final}
        case Cue(line, _, at, kind, name):
            return {"t": "cue", "line": line, "at": at, "kind": kind, "name": name}
        case ActionRequested(line, _, at, action, name, args):
            return {"t": "action", "line": line, "at": at, "action": action, "name": name, "args": dict(args)}
        case Status(code, text, hint):
            return {"t": "status", "code": code, "message": text, "hint": hint}
        case Answer(request, data):
            return {"t": "answer", "id": request, "data": dict(data)}


def _tuples(rows: Any) -> Any:
    return tuple(tuple(row) for row in rows)
