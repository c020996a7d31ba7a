"""One WebSocket connection of the simulator, on sans-I/O websockets. Knows HTTP and frames, not the realtime API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from townsfolk.simulator.frames import frame
from townsfolk.simulator.session import Session

if TYPE_CHECKING:
    from townsfolk.simulator.server import Simulator

__all__ = ["Connection"]

HIGH_WATER = 1 << 18
MAX_MESSAGE = 1 << 24


class Connection(asyncio.Protocol):
    """Shakes hands, joins fragments, answers pings, and writes what its session says in as few calls as may be."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.paused = False
        self.stalled = False
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE)
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._parts: list[bytes] = []
        self._out: list[bytes] = []

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self.sim.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._frame(event)
        self._drive()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._drive()

    def connection_lost(self, exc: Exception | None) -> None:
        self.sim.connections.discard(self)
        if self._session is not None:
            self._session.close()
        self._transport = None

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self._session is not None:
            self._session.resume()

    # what the session asks of it

    def write(self, data: bytes) -> None:
        """Gathers whole frames; :meth:`flush` sends them."""
        self._out.append(data)

    def write_text(self, text: str) -> None:
        self.write(frame(text.encode()))

    def flush(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None and not self.stalled and self._protocol.state is State.OPEN:
            self._transport.write(b"".join(out))

    def close(self, code: int, reason: str) -> None:
        """Says what was gathered, then closes by the WebSocket handshake."""
        self.flush()
        try:
            self._protocol.send_close(code, reason)
        except InvalidState:
            return
        self._drive()

    def abort(self) -> None:
        """Resets the TCP connection, after what was gathered has left."""
        self.flush()
        if self._transport is not None:
            self._transport.abort()

    def tear(self, data: bytes) -> None:
        """Ends the TCP connection in the middle of the frame ``data``."""
        self.write(data[: len(data) // 2])
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def stall(self) -> None:
        """Leaves the connection half-open: nothing is read or written any more."""
        self.flush()
        self.stalled = True
        if self._transport is not None:
            self._transport.pause_reading()

    # the inside

    def _shake_hands(self, request: Request) -> None:
        url = urlsplit(request.path)
        status = self.sim.admit(url.path, request.headers.get("Authorization", ""))
        if status is None:
            return  # a handshake that never ends
        if status != 101:
            self._protocol.send_response(self._protocol.reject(status, f"The simulator says {status}.\n"))
            return
        self._protocol.send_response(self._protocol.accept(request))
        if self._protocol.state is State.OPEN:
            self._drive()
            model = parse_qs(url.query).get("model", [""])[0]
            self._session = Session(self.sim, self, model)
            self._session.open()
            self.flush()

    def _frame(self, event: Frame) -> None:
        if event.opcode not in (Opcode.TEXT, Opcode.CONT, Opcode.BINARY):
            return
        self._parts.append(bytes(event.data))
        if event.fin and self._session is not None:
            message, self._parts = b"".join(self._parts), []
            self._session.receive(message)
            self.flush()

    def _drive(self) -> None:
        transport = self._transport
        if transport is None or self.stalled:
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            else:
                transport.close()
        if self._protocol.close_expected() and self._protocol.state is State.CLOSED:
            transport.close()
