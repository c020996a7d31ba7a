"""The game's link to its host: says hello, sends, receives, and reaches it again when it is lost. Knows no verbs.

Never blocks and never raises at run time; what goes wrong becomes events for the next poll.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from townsfolk.errors import HINTS, ProtocolError, TransportError, UsageError
from townsfolk.events import Event, LineDelta, LineFailed, Status
from townsfolk.transports import Link, LinkLostError, Transport
from townsfolk.wire.codec import FrameReader, Message, decode, encode
from townsfolk.wire.events import EVENTS
from townsfolk.wire.protocol import PROTOCOL

__all__ = ["BACKOFF", "Session"]

BACKOFF: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try to reach the host."""
_HEALTHY: Final = 10.0
"""A host that lived so long starts the backoff anew."""
_TRIES: Final = 4
"""A process that never said welcome is not started more often than this: it would fail for ever."""


class Session:
    """One game's link to a host.

    Attributes:
        open: Lines whose end has not come, and their characters.
        sounding: The same, of voiced lines that may still be played.
        npcs: Name and role of each character, by id; empty until the host has said welcome.
        facts: What was told of the game, to tell it again to a host that starts anew.
    """

    def __init__(self, transport: Transport, token: str | None, backoff: Sequence[float]) -> None:
        self.open: dict[str, str] = {}
        self.sounding: dict[str, str] = {}
        self.npcs: dict[str, Mapping[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self._backoff = backoff
        self._transport = transport
        self._token = token
        self._link: Link | None = None
        self._reader = FrameReader()
        self._events: list[Event] = []  # made here, for the next poll
        self._waiting: list[Message] = []  # sent as soon as there is a link
        self._welcomed = False
        self._failures = 0
        self._retry_at = 0.0
        self._linked_at = 0.0
        self._fatal: Status | None = None
        self._closed = False
        self._connect()

    def poll(self) -> list[Event]:
        """What has happened since the last poll, in order."""
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

    def sleep(self, seconds: float) -> None:
        """Waits until something may have come, at most so long."""
        if self._link is None or not self._link.wait(min(seconds, 0.5)):
            time.sleep(min(seconds, 0.01) if self._link is None else 0)

    def send(self, message: Message) -> None:
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

    def send_picture(self, pieces: Sequence[Message]) -> bool:
        """Sends a picture, unless so much waits for the host that it would only add to that."""
        if self._link is None or self._link.late:
            self._events.append(Status("picture_late", "a picture was not shown", HINTS["picture_late"]))
            return False
        for piece in pieces:
            self.send(piece)
        return True

    def _connect(self) -> None:
        hello: Message = {"t": "hello", "proto": list(PROTOCOL), "client": "python/0.1.0"}
        if self._token is not None:
            hello["token"] = self._token
        first: list[Message] = [hello]
        if self.facts:
            first.append({"t": "set", "facts": self.facts})
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
        self.sounding.clear()
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
        for line, npc in list(self.open.items()):
            if line not in kept:
                barks = self.npcs.get(npc, {}).get("offline") or [""]
                bark = barks[self._failures % len(barks)]
                self._events.append(LineFailed(line, npc, bark, code, message, HINTS.get(code, "")))
                del self.open[line]

    def _receive(self, data: bytes) -> None:
        events, open_lines = self._events, self.open
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
                        self.sounding[line] = npc
                    elif t in ("line_done", "line_failed"):
                        del open_lines[line]
                    events.append(EVENTS[t](message, npc))
                elif t == "line_heard" and self.sounding.pop(line, None) is not None:
                    events.append(EVENTS[t](message, message["npc"]))

    def _news(self, t: str, m: Message) -> None:
        if t in EVENTS:
            self._events.append(EVENTS[t](m, ""))
        elif t == "welcome":
            self._welcomed = True
            self.npcs = m["npcs"]
            self._events.append(Status("ready", f"{len(self.npcs)} characters; {m['model']} speaks"))
        elif t == "error":
            status = Status(m["code"], m["message"], m["hint"])
            self._events.append(status)
            if m.get("fatal"):  # the host says that it cannot work so; trying again would not help
                self._fatal = status
                self._end_lines(status.code, status.message)
        # A newer host may say more than this client knows.

    def close(self, seconds: float = 5.0) -> None:
        """Says goodbye; the host keeps everything first. Waits for that at most so long. May be called twice."""
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
        self.open.clear()
