"""A WebSocket connection that hands messages over as they arrive, without a queue between. Reads nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

__all__ = ["DirectConnection"]

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class DirectConnection(ClientConnection):
    """For websockets' ``create_connection``: spares a queue and three coroutines for each message.

    Attributes:
        hear: Is called with each message from when it is set, and must not raise. Until then, and for all that is no
            message, this is an ordinary connection.
    """

    hear: Callable[[bytes], None] | None = None
    _parts: bytes = b""

    def process_event(self, event: Any) -> None:
        if self.hear is None or event.__class__ is not Frame or event.opcode not in _DATA:
            super().process_event(event)
        elif event.fin and not self._parts:
            self.hear(bytes(event.data))
        else:
            self._parts += event.data
            if event.fin:
                whole, self._parts = self._parts, b""
                self.hear(whole)
