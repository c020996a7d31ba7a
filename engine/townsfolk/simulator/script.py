"""What a test or an author may script: replies, faults, pace and quirks. Values only; the server acts on them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = [
    "Brain",
    "Fault",
    "Pace",
    "Piece",
    "Quirks",
    "Reply",
    "Script",
    "ToolCall",
    "asked",
    "echo",
    "split",
    "words",
]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call in a reply. ``arguments`` is sent as it is, so it may be broken JSON."""

    name: str
    arguments: str = "{}"


Piece: TypeAlias = str | ToolCall
"""One text delta, or a whole function call."""


Doing = Literal[
    "refuse", "ignore", "fail", "incomplete", "error", "silence", "expire", "close", "drop", "tear", "stall", "send"
]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with one response, just before its delta number ``after`` (0 is the first).

    * ``refuse``: an ``error`` event instead of the response: neither created nor done ever comes.
    * ``ignore``: no event at all answers the create.
    * ``fail``: ``response.done`` with status ``failed`` and this code.
    * ``incomplete``: ``response.done`` with status ``incomplete``; ``code`` is the reason.
    * ``error``: an ``error`` event with this code, then nothing more of this response.
    * ``silence``: nothing more of this response.
    * ``expire``: the error ``session_expired``, then close 1001.
    * ``close``: the socket closes with ``number`` and ``message``.
    * ``drop``: the TCP connection is reset. ``tear``: the same, in the middle of a frame.
    * ``stall``: the whole connection stops reading and writing, but stays open (half-open).
    * ``send``: ``data`` is sent as a text frame of its own (broken JSON, an unknown event), and the response goes on.
    """

    do: Doing
    after: int = 0
    code: str | None = None
    kind: str = "server_error"
    message: str = "The simulator was told to fail here."
    number: int = 1011
    data: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: its pieces, and at most one fault. ``text`` is cut into words."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    pieces: tuple[Piece, ...] = ()
    fault: Fault | None = None

    def all(self) -> tuple[Piece, ...]:
        return (*split(self.text), *self.pieces, *self.calls)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast responses come. ``rate`` is in deltas a second; 0 floods: as fast as the client reads."""

    ttft: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Quirks:
    """How compatible servers differ from OpenAI's. The defaults are OpenAI's ways.

    Attributes:
        parallel: Out-of-band responses may run beside others. Else a second response is always refused.
        in_flight: At most so many responses at once on a connection.
        busy_in: Where the error's name stands when a response is refused so: ``code``, or ``type`` with ``code`` null.
        metadata: ``response.metadata`` is echoed.
        legacy_items: ``conversation.item.created`` instead of ``added`` and ``done``.
        usage: ``response.done`` says what it took.
        references: ``item_reference`` is taken in ``response.input``.
        rate_limits: ``rate_limits.updated`` is sent.
        expires_at: ``session.created`` says when the session ends.
        deaf: Transcriptions of what players say fail.
        cancel: ``response.cancel`` stops the response. Else the answer is the made-up event ``response.cancelled``, and
            the response goes on.
    """

    parallel: bool = True
    in_flight: int | None = None
    busy_in: Literal["code", "type"] = "code"
    metadata: bool = True
    legacy_items: bool = False
    usage: bool = True
    references: bool = True
    rate_limits: bool = True
    expires_at: bool = True
    deaf: bool = False
    cancel: bool = True


Answer: TypeAlias = str | Reply | AsyncIterator[Piece]
Brain: TypeAlias = Callable[[Mapping[str, Any]], Answer | Awaitable[Answer]]
"""Answers the ``response`` of a response.create, in which ``input`` and ``instructions`` are always filled in."""
Script: TypeAlias = Sequence[Reply | str]

_WORD = re.compile(r"\S+\s*|\s+")


def split(text: str) -> list[str]:
    """Cuts a text into deltas of about a token: words with the space that follows."""
    return _WORD.findall(text)


def asked(response: Mapping[str, Any]) -> str:
    """The last thing that a user says in the input of a response, as text; empty where there is none."""
    for item in reversed(response.get("input") or []):
        if isinstance(item, dict) and item.get("type") == "message" and item.get("role") == "user":
            parts = item.get("content") or []
            return " ".join(str(part.get("text") or part.get("transcript") or "") for part in parts).strip()
    return ""


def echo(response: Mapping[str, Any]) -> Answer:
    """The brain of a server that was given none: repeats what the user said."""
    return f"You said: {asked(response) or 'nothing'}"


def words(count: int) -> Brain:
    """A brain that says ``count`` deltas of a token each, whatever it is asked, for benchmarks."""
    pieces = tuple(f"w{n % 100:02d} " for n in range(count))
    reply = Reply(pieces=pieces)
    return lambda response: reply
