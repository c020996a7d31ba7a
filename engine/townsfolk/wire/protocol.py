"""The messages of the wire, version 0: their fields, which way they go, and what checks them. No sockets, no codec.

Clients and host must agree on the major number, and while it is 0 on the minor one too.

Revisions: 0.1 is the first; 0.2 brings thinking barks, speech in both directions, what was heard of a line, and
pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from townsfolk.errors import HINTS, ProtocolError
from townsfolk.pictures import CHUNK, MAX_PICTURE

__all__ = ["MAX_LINE", "MESSAGES", "PROTOCOL", "Field", "MessageType", "check", "compatible", "error"]

PROTOCOL: Final = (0, 2)
MAX_LINE: Final = 4000
"""Characters of one player line or observation."""

Kind: TypeAlias = Literal["text", "number", "flag", "map", "list", "bytes"]
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "number": (int, float),
    "flag": (bool,),
    "map": (dict,),
    "list": (list,),
    "bytes": (bytes, str),  # JSON carries them as base64 text
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message. ``reaches_model`` marks text that a language model may be shown."""

    kind: Kind
    doc: str
    required: bool = True
    reaches_model: bool = False


@dataclass(frozen=True, slots=True)
class MessageType:
    """What a message is for, which way it goes (``game`` or ``host`` sends it), and its fields."""

    sender: Literal["game", "host"]
    doc: str
    fields: Mapping[str, Field]


def _line(doc: str = "The line's id.") -> Field:
    return Field("text", doc)


_NPC: Final = Field("text", "The character's id.")
_PLAYER: Final = Field("text", "The player's id; `player` when absent.", required=False)
_CODED: Final = {
    "code": Field("text", "Stable; see the error table."),
    "message": Field("text", "One sentence for people."),
    "hint": Field("text", "What to do about it."),
}

MESSAGES: Final[Mapping[str, MessageType]] = {
    "hello": MessageType(
        "game",
        "The first message of a connection.",
        {
            "proto": Field("list", "The protocol version: `[major, minor]`."),
            "client": Field("text", "The client and its version, such as `python/0.1.0`."),
            "token": Field("text", "The host's token, where it wants one.", required=False),
        },
    ),
    "say": MessageType(
        "game",
        "A player says something to a character.",
        {
            "line": _line("An id for the answer, never used before."),
            "npc": _NPC,
            "text": Field("text", "What the player says.", reaches_model=True),
            "player": _PLAYER,
        },
    ),
    "observe": MessageType(
        "game",
        "Something happened that characters saw or heard.",
        {
            "text": Field("text", "What happened, in plain words.", reaches_model=True),
            "npcs": Field("list", "Ids of the characters that noticed; all when absent.", required=False),
            "picture": Field(
                "text", "The id of a picture of it, all pieces of which were sent before.", required=False
            ),
            "id": Field("text", "An id; an `ack` with it comes when it is on disk.", required=False),
        },
    ),
    "picture": MessageType(
        "game",
        "A piece of a PNG or JPEG. Pieces come in order; the `observe` that names the picture comes after the last.",
        {
            "id": Field("text", "The picture's id, never used before."),
            "at": Field("number", "The byte at which this piece begins."),
            "size": Field("number", f"Bytes of the whole picture, at most {MAX_PICTURE:,}."),
            "data": Field("bytes", f"The next bytes of it, at most {CHUNK:,}.", reaches_model=True),
        },
    ),
    "set": MessageType(
        "game",
        "Game facts that gates look at.",
        {"facts": Field("map", "Names and values: text, number, flag or null.", reaches_model=True)},
    ),
    "listen": MessageType(
        "game",
        "A player begins to speak to a character; what is understood becomes the player's line.",
        {
            "line": _line("An id for the answer, never used before."),
            "npc": _NPC,
            "player": _PLAYER,
            "rate": Field("number", "Samples a second of the speech that follows: 8,000 to 48,000."),
            "hands_free": Field(
                "flag",
                "Whether the host finds out when the player speaks; otherwise `listened` ends it.",
                required=False,
            ),
        },
    ),
    "speech": MessageType(
        "game",
        "More of the player's speech, at most 60 seconds in all.",
        {
            "line": _line(),
            "pcm": Field("bytes", "One channel of signed 16-bit little-endian samples.", reaches_model=True),
        },
    ),
    "listened": MessageType("game", "The player has said all (let go of the key).", {"line": _line()}),
    "cancel": MessageType("game", "Stop a line: one that is spoken, or one that still sounds.", {"line": _line()}),
    "played": MessageType(
        "game",
        "How much of a voiced line has been played; sent a few times a second, and when it is cut.",
        {"line": _line(), "ms": Field("number", "Milliseconds of its sound.")},
    ),
    "why": MessageType(
        "game",
        "Ask what a character was told for its last line, or would be told for a new one.",
        {
            "id": Field("text", "An id for the answer."),
            "npc": _NPC,
            "text": Field("text", "A player line to try, without saying it.", required=False),
            "player": _PLAYER,
        },
    ),
    "memory": MessageType(
        "game",
        "Ask what a character remembers.",
        {
            "id": Field("text", "An id for the answer."),
            "npc": _NPC,
            "limit": Field("number", "How many of the newest; 50 when absent.", required=False),
        },
    ),
    "warm": MessageType("game", "A player may soon talk to this character: make its model ready.", {"npc": _NPC}),
    "ping": MessageType("game", "Is the host alive?", {"n": Field("number", "Comes back in the `pong`.")}),
    "close": MessageType("game", "The game ends: open lines are cut, all is kept, the connection is closed.", {}),
    "welcome": MessageType(
        "host",
        "The answer to `hello`: the host is ready.",
        {
            "proto": Field("list", "The protocol version: `[major, minor]`."),
            "server": Field("text", "The host and its version."),
            "model": Field("text", "What speaks."),
            "npcs": Field("map", "By id: `name`, `role` and `offline`, a list of barks for when the host is away."),
        },
    ),
    "ack": MessageType("host", "What was sent with this id is on disk.", {"id": Field("text", "The id.")}),
    "line_accepted": MessageType("host", "The player's line is on disk.", {"line": _line(), "npc": _NPC}),
    "line_started": MessageType("host", "The character begins to speak.", {"line": _line(), "npc": _NPC}),
    "line_delta": MessageType(
        "host", "More of the line.", {"line": _line(), "text": Field("text", "What comes next in the line.")}
    ),
    "line_done": MessageType(
        "host",
        "The line ended.",
        {
            "line": _line(),
            "npc": _NPC,
            "text": Field("text", "All of it."),
            "reason": Field("text", "`complete`, `interrupted` or `bark`."),
            "model": Field("text", "What spoke."),
        },
    ),
    "line_failed": MessageType(
        "host",
        "The line could not be answered.",
        {"line": _line(), "npc": _NPC, "text": Field("text", "A bark to show instead; may be empty."), **_CODED},
    ),
    "line_thinking": MessageType(
        "host",
        "The answer takes a while: show this until the first word comes. It is no part of the line.",
        {"line": _line(), "text": Field("text", "An authored bark.")},
    ),
    "line_audio": MessageType(
        "host",
        "More of the line's sound, in order. It may come faster than it plays.",
        {
            "line": _line(),
            "at": Field("number", "Where it begins in the line's sound, in milliseconds."),
            "rate": Field("number", "Samples a second."),
            "pcm": Field("bytes", "One channel of signed 16-bit little-endian samples."),
            "mouth": Field("bytes", "How loud it is, 0 to 255, one byte for each 20 ms."),
        },
    ),
    "line_timing": MessageType(
        "host",
        "When the words of a voiced line sound. What comes later for the same characters replaces what came before.",
        {
            "line": _line(),
            "words": Field("list", "Lists `[at, end, from, to]`: characters of the line, milliseconds of its sound."),
            "shapes": Field("list", "Lists `[ms, shape]`: from then on the mouth has this shape (A to H, X)."),
        },
    ),
    "line_heard": MessageType(
        "host",
        "A voiced line was played to its end or cut; comes after `line_done`.",
        {
            "line": _line(),
            "npc": _NPC,
            "text": Field("text", "What was heard, to the last whole word: what the character remembers."),
            "complete": Field("flag", "Whether that is all of it."),
        },
    ),
    "player_heard": MessageType(
        "host",
        "What the ear understood of the player's speech.",
        {
            "line": _line(),
            "text": Field("text", "The words so far."),
            "final": Field("flag", "Whether they are the player's line now."),
        },
    ),
    "cue": MessageType(
        "host",
        "A stage direction inside the line.",
        {
            "line": _line(),
            "at": Field("number", "Before this character of the line."),
            "kind": Field("text", "`emotion` or `gesture`."),
            "name": Field("text", "Which."),
        },
    ),
    "action": MessageType(
        "host",
        "The character wants the game to do something.",
        {
            "line": _line(),
            "at": Field("number", "At this character of the line."),
            "action": Field("text", "The proposal's id, never used twice."),
            "name": Field("text", "The action, as the persona names it."),
            "args": Field("map", "Its arguments."),
        },
    ),
    "status": MessageType("host", "News about the host itself.", _CODED),
    "answer": MessageType(
        "host",
        "The answer to `why` or `memory`.",
        {"id": Field("text", "The question's id."), "data": Field("map", "What was found.")},
    ),
    "error": MessageType(
        "host",
        "A message could not be used. With `fatal` the connection is closed.",
        {
            **_CODED,
            "re": Field("text", "The type or id of the message at fault.", required=False),
            "fatal": Field("flag", "Whether the connection is closed.", required=False),
        },
    ),
    "pong": MessageType("host", "The answer to `ping`.", {"n": Field("number", "The ping's number.")}),
}


def check(sent: Mapping[str, Any], sender: Literal["game", "host"] = "game") -> str:
    """The type of a message that may be used as it is; unknown fields are allowed.

    Raises:
        ProtocolError: Unknown type (``unknown_type``), or a field is missing or of the wrong kind (``bad_message``).
    """
    t = sent.get("t")
    known = MESSAGES.get(t) if isinstance(t, str) else None
    if known is None or known.sender != sender:
        raise ProtocolError("unknown_type", f"{str(t)[:40]!r} is no message that a {sender} sends")
    for name, field in known.fields.items():
        value = sent.get(name)
        if value is None:
            if field.required:
                raise ProtocolError("bad_message", f"{t}: {name} is missing")
        elif not isinstance(value, _TYPES[field.kind]) or (field.kind == "number" and isinstance(value, bool)):
            raise ProtocolError("bad_message", f"{t}: {name} is a {field.kind}, not {type(value).__name__}")
    return str(t)


def compatible(proto: object) -> bool:
    """Whether a peer of this version can be talked with."""
    return isinstance(proto, list | tuple) and len(proto) == 2 and tuple(proto) == PROTOCOL


def error(code: str, text: str, *, hint: str = "", re: str = "", fatal: bool = False) -> dict[str, Any]:
    """An error message, with the hint of its code where it has no other."""
    sent: dict[str, Any] = {"t": "error", "code": code, "message": text, "fatal": fatal}
    sent["hint"] = hint or HINTS.get(code, "")
    if re:
        sent["re"] = re
    return sent
