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
    LineDelta,
    LineDone,
    LineFailed,
    LineStarted,
    Status,
)

__all__ = ["EVENTS", "message"]

EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Event]]] = {
    "line_delta": lambda m, npc: LineDelta(m["line"], npc, m["text"]),
    "line_started": lambda m, npc: LineStarted(m["line"], npc),
    "line_accepted": lambda m, npc: LineAccepted(m["line"], m["npc"]),
    "line_done": lambda m, npc: LineDone(m["line"], npc, m["text"], m["reason"], m["model"]),
    "line_failed": lambda m, npc: LineFailed(m["line"], npc, m["text"], m["code"], m["message"], m["hint"]),
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
        case Cue(line, _, at, kind, name):
            return {"t": "cue", "line": line, "at": at, "kind": kind, "name": name}
        case ActionRequested(line, _, at, action, name, args):
            return {"t": "action", "line": line, "at": at, "action": action, "name": name, "args": dict(args)}
        case Status(code, text, hint):
            return {"t": "status", "code": code, "message": text, "hint": hint}
        case Answer(request, data):
            return {"t": "answer", "id": request, "data": dict(data)}
