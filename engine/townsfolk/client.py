"""The game's side: say what the player said, poll for what characters answer. Never blocks, never raises at run time.

A programmer's mistake raises :exc:`UsageError` at the call; all that can go wrong while the game runs arrives as an
event with a code and a hint. The engine itself is elsewhere (see ``transports.py``): this module only talks with it.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from townsfolk.errors import HINTS, ProtocolError, TransportError, UsageError
from townsfolk.events import Event, LineDelta, LineDone, LineFailed, Status
from townsfolk.ids import line_ids
from townsfolk.transports import Link, LinkLostError, ProcessTransport, TcpTransport, ThreadTransport, Transport
from townsfolk.wire.codec import FrameReader, Message, decode, encode
from townsfolk.wire.events import EVENTS
from townsfolk.wire.protocol import MAX_LINE, PROTOCOL

__all__ = ["Engine"]

BACKOFF: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try to reach the host."""
_HEALTHY: Final = 10.0
"""A host that lived so long starts the backoff anew."""
_TRIES: Final = 4
"""A process that never said welcome is not started more often than this: it would fail for ever."""


class Engine:
    """Characters that talk, for one game.

    Example::

        with Engine.open("characters", save="saves/slot1.db") as engine:
            line = engine.say("tamsin", "Is the mine road safe?")
            while running:
                for event in engine.poll():
                    ...

    Use it from one thread. All times are in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        player: str = "player",
        token: str | None = None,
        backoff: Sequence[float] = BACKOFF,
    ) -> None:
        """Use :meth:`open` or :meth:`connect`; this takes any transport, and a backoff of one's own."""
        self.player = player
        self._backoff = backoff
        self._transport = transport
        self._token = token
        self._session = uuid.uuid4().hex[:12]
        self._ids = line_ids(self._session)
        self._link: Link | None = None
        self._reader = FrameReader()
        self._open: dict[str, str] = {}  # line id: npc
        self._sounding: dict[str, str] = {}  # the same, of voiced lines that may still be played
        self._npcs: dict[str, Mapping[str, Any]] = {}
        self._facts: dict[str, Any] = {}
        self._events: list[Event] = []  # made here, for the next poll
        self._waiting: list[Message] = []  # sent as soon as there is a link
        self._welcomed = False
        self._failures = 0
        self._retry_at = 0.0
        self._linked_at = 0.0
        self._fatal: Status | None = None
        self._closed = False
        self._connect()

    @classmethod
    def open(
        cls,
        characters: str | Path,
        *,
        save: str | Path | None = None,
        model: str = "auto",
        player: str = "player",
        host: Literal["process", "thread"] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Engine:
        """Starts a host beside the game. Returns at once; lines said before it is ready wait for it.

        Args:
            characters: The folder of personas.
            save: The file that memory is kept in; None keeps nothing after the game.
            model: What speaks: ``auto``, ``realtime``, ``text``, ``local``, ``authored``, ``scripted``, ``simulator``.
            player: The player's id in memories, where a call names no other.
            host: ``process``, or ``thread`` to run it in this process (what a frozen build does by default).
            options: Settings of the host by name; see docs/embedding.md.

        Raises:
            UsageError: ``characters`` is no folder of personas, or an argument makes no sense.
        """
        folder = Path(characters)
        if not any(folder.glob("*/persona.yaml")):
            raise UsageError("no_characters", f"{str(folder)!r} holds no character")
        if host is None:
            host = "thread" if getattr(sys, "frozen", False) else "process"
        config = {
            **(options or {}),
            "characters": str(folder.resolve()),
            "save": str(Path(save).resolve()) if save is not None else None,
            "model": model,
        }
        if host == "process":
            return cls(ProcessTransport(config), player=player)
        if host == "thread":
            return cls(ThreadTransport(config), player=player)
        raise UsageError("bad_argument", f"host is 'process' or 'thread', not {host!r}")

    @classmethod
    def connect(cls, address: str, *, token: str | None = None, player: str = "player") -> Engine:
        """Joins a running bridge, such as ``tcp://127.0.0.1:7777``. Returns at once.

        Raises:
            UsageError: The address cannot be read.
        """
        return cls(TcpTransport(address), player=player, token=token)

    # --- what a game says ---------------------------------------------------------------------------------------

    def say(self, npc: str, text: str, *, player: str | None = None) -> str:
        """A player says something to a character; returns the id that all events of the answer carry.

        Args:
            npc: The character's id.
            text: What the player says, at most 4,000 characters.
            player: Who speaks; the engine's ``player`` when absent.
        """
        line = next(self._ids)
        self._alive()
        self._open[line] = npc
        self._send({"t": "say", "line": line, "npc": npc, "text": _sendable(text), "player": player or self.player})
        return line

    def observe(self, text: str, *, npcs: Iterable[str] | None = None) -> None:
        """Something happened that the characters ``npcs`` (all when absent) saw or heard, in plain words."""
        self._alive()
        sent: Message = {"t": "observe", "text": _sendable(text)}
        if npcs is not None:
            sent["npcs"] = list(npcs)
        self._send(sent)

    def set(self, facts: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Tells game facts that gates look at: text, numbers, True, False or None.

        Raises:
            UsageError: A value is something else.
        """
        self._alive()
        told = {**(facts or {}), **more}
        for name, value in told.items():
            if value is not None and not isinstance(value, str | int | float | bool):
                raise UsageError("bad_argument", f"the fact {name!r} cannot be a {type(value).__name__}")
        self._facts.update(told)
        self._send({"t": "set", "facts": told})

    def cancel(self, line: str) -> None:
        """Stops a line; it ends as interrupted with what was said of it. One that has ended stays as it is.

        Of a voiced line the character remembers what was played: call :meth:`played` first.
        """
        self._alive()
        if line in self._open or line in self._sounding:
            self._send({"t": "cancel", "line": line})

    def played(self, line: str, ms: int) -> None:
        """Tells how much of a voiced line the player has heard; call it a few times a second, and before a cut.

        Args:
            ms: Milliseconds of the line's sound, counted from its beginning.
        """
        self._alive()
        if line in self._sounding:
            self._send({"t": "played", "line": line, "ms": int(ms)})

    def warm(self, npc: str) -> None:
        """The player may soon talk to this character: makes its model ready, so that its first word comes sooner."""
        self._alive()
        self._send({"t": "warm", "npc": npc})

    def why(self, npc: str, text: str | None = None, *, player: str | None = None) -> str:
        """Asks what the character was told for its last line, or would be told for ``text``; an ``Answer`` comes."""
        tried = {"text": _sendable(text)} if text else {}
        return self._ask({"t": "why", "npc": npc, "player": player or self.player, **tried})

    def memory(self, npc: str, *, limit: int = 50) -> str:
        """Asks for the character's newest memories; an ``Answer`` comes."""
        return self._ask({"t": "memory", "npc": npc, "limit": limit})

    # --- what a game hears --------------------------------------------------------------------------------------

    @property
    def npcs(self) -> Mapping[str, Mapping[str, Any]]:
        """Name and role of each character, by id; empty until the status ``ready`` has come."""
        return self._npcs

    def poll(self) -> list[Event]:
        """What has happened since the last poll, in order. Call it once a frame: it never blocks and never raises."""
        link = self._link
        if link is None:
            if not self._closed and self._fatal is None and time.monotonic() >= self._retry_at:
                self._connect()
        else:
            try:
                data = link.receive()
                if data:
                    self._receive(data)
            except LinkLostError as error:
                self._lost(str(error))
            except ProtocolError as error:
                self._lost(error.message)
        if not self._events:
            return []
        events, self._events = self._events, []
        return events

    def wait(self, seconds: float = 0.05) -> list[Event]:
        """Like :meth:`poll`, but sleeps until something has come, at most so long. For tools without a frame loop."""
        deadline = time.monotonic() + seconds
        while True:
            events = self.poll()
            left = deadline - time.monotonic()
            if events or left <= 0:
                return events
            if self._link is None or not self._link.wait(min(left, 0.5)):
                time.sleep(min(left, 0.01) if self._link is None else 0)

    def until(self, line: str, seconds: float = 60.0) -> Iterator[Event]:
        """The events up to the end of a line, as they come: for tools and tests. Ends early after ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.wait(0.25):
                yield event
                if isinstance(event, LineDone | LineFailed) and event.line == line:
                    return

    # --- the end ------------------------------------------------------------------------------------------------

    def close(self, seconds: float = 5.0) -> None:
        """Ends the host, which keeps everything first; waits for that at most so long. May be called twice."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + seconds
        if self._link is not None:
            try:
                self._link.send(encode({"t": "close"}))
                while time.monotonic() < deadline:  # until the host has kept all and hangs up
                    if self._link.wait(0.1):
                        self._link.receive()
            except LinkLostError:
                pass
            self._link.close()
            self._link = None
        self._transport.close(max(0.1, deadline - time.monotonic()))
        self._open.clear()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the link -----------------------------------------------------------------------------------------------

    def _alive(self) -> None:
        if self._closed:
            raise UsageError("closed", "the engine was closed")

    def _ask(self, message: Message) -> str:
        self._alive()
        message["id"] = next(self._ids)
        self._send(message)
        return str(message["id"])

    def _send(self, message: Message) -> None:
        if self._fatal is not None:
            self._end_lines(self._fatal.code, self._fatal.message)
            return
        if self._link is None:
            self._waiting.append(message)
            return
        try:
            self._link.send(encode(message))
        except LinkLostError as error:
            self._lost(str(error))
        except ProtocolError as error:
            raise UsageError("bad_argument", error.message) from None

    def _connect(self) -> None:
        hello: Message = {"t": "hello", "proto": list(PROTOCOL), "client": "python/0.1.0"}
        if self._token is not None:
            hello["token"] = self._token
        first: list[Message] = [hello]
        if self._facts:
            first.append({"t": "set", "facts": self._facts})
        try:
            self._link = self._transport.open()
            self._reader = FrameReader()
            self._linked_at = time.monotonic()
            for message in first + self._waiting:
                self._link.send(encode(message))
            self._waiting.clear()
        except (TransportError, LinkLostError) as error:
            self._lost(str(error))

    def _lost(self, reason: str) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        self._sounding.clear()
        if self._fatal is not None:
            return
        now = time.monotonic()
        if self._welcomed and now - self._linked_at > _HEALTHY:
            self._failures = 0
        code = self._transport.lost if self._welcomed else self._transport.refused
        message = f"{self._transport.what} is gone: {reason}"
        self._failures += 1
        if not self._welcomed and code == "host_failed" and self._failures >= _TRIES:
            self._fatal = Status(code, message, HINTS[code])
        self._welcomed = False
        self._retry_at = now + self._backoff[min(self._failures, len(self._backoff)) - 1]
        # One status for each loss, not one for each try.
        if self._failures == 1 or self._fatal is not None or code == self._transport.lost:
            self._events.append(Status(code, message, HINTS[code]))
        # Lines that wait for the first start stay; those that a host had are over.
        waiting = {message.get("line") for message in self._waiting}
        self._end_lines(code, message, keep=waiting if self._fatal is None else frozenset())

    def _end_lines(self, code: str, message: str, keep: Iterable[Any] = ()) -> None:
        kept = set(keep)
        for line, npc in list(self._open.items()):
            if line not in kept:
                barks = self._npcs.get(npc, {}).get("offline") or [""]
                bark = barks[self._failures % len(barks)]
                self._events.append(LineFailed(line, npc, bark, code, message, HINTS.get(code, "")))
                del self._open[line]

    def _receive(self, data: bytes) -> None:
        events, open_lines = self._events, self._open
        for payload in self._reader.feed(data):
            for message in decode(payload, trusted=True):
                t, line = message["t"], message.get("line")
                if t == "line_delta":  # nearly all are, and this runs in a game's frame
                    if line in open_lines:
                        events.append(LineDelta(line, open_lines[line], message["text"]))
                elif line is None or t == "line_accepted":
                    self._news(t, message)
                elif line in open_lines and t in EVENTS:  # what comes for a line that has ended here is too late
                    npc = open_lines[line]
                    if t == "line_audio":
                        self._sounding[line] = npc
                    elif t in ("line_done", "line_failed"):
                        del open_lines[line]
                    events.append(EVENTS[t](message, npc))
                elif t == "line_heard" and self._sounding.pop(line, None) is not None:
                    events.append(EVENTS[t](message, message["npc"]))

    def _news(self, t: str, m: Message) -> None:
        if t in EVENTS:
            self._events.append(EVENTS[t](m, ""))
        elif t == "welcome":
            self._welcomed = True
            self._npcs = m["npcs"]
            self._events.append(Status("ready", f"{len(self._npcs)} characters; {m['model']} speaks"))
        elif t == "error":
            status = Status(m["code"], m["message"], m["hint"])
            self._events.append(status)
            if m.get("fatal"):  # the host says that it cannot work so; trying again would not help
                self._fatal = status
                self._end_lines(status.code, status.message)
        # A newer host may say more than this client knows.


def _sendable(text: str) -> str:
    """The text without what UTF-8 cannot carry, and cut just over the limit: the host then refuses it in voice."""
    return text[: MAX_LINE + 1].encode("utf-8", "replace").decode()
