"""What the host says to one client, on its way into frames: deltas joined, a batch at most every 8 ms. No sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from townsfolk.errors import ProtocolError
from townsfolk.wire.codec import Message, encode

__all__ = ["Outbox"]

_EVERY: Final = 0.008
"""Seconds between frames: half a frame of a 60 Hz game, and 6 % of a core saved at 20,000 deltas a second."""

_LONG: Final = 8000
"""Characters of a delta that does not grow any more: only a client that has not read for long gets to that."""


class Outbox:
    """Collects messages and hands them on as frames; while the client does not read, deltas go on joining.

    Args:
        write: Takes the bytes of frames; must not block.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._batch: list[Message] = []
        self._deltas: dict[str, Message] = {}  # line id: its delta in this batch that may still grow
        self._flushing: asyncio.Handle | None = None
        self._flushed_at = 0.0
        self._paused = False
        self._starting = False  # a line has begun whose first word has not come

    def put(self, message: Message) -> None:
        """Adds a message. Messages of one line stay in order; nothing is promised between lines."""
        line = message.get("line")
        if line is not None:
            if message["t"] == "line_delta":
                growing = self._deltas.get(line)
                if growing is not None and len(growing["text"]) < _LONG:
                    growing["text"] += message["text"]
                    return
                self._deltas[line] = message
            else:
                self._deltas.pop(line, None)
        self._batch.append(message)
        if self._paused:
            return
        if message["t"] == "line_started":
            self._starting = True
        elif self._starting and message["t"] == "line_delta":  # a player waits for the first word, and it for nothing
            return self.flush()
        if self._flushing is None:
            wait = self._flushed_at + _EVERY - self._loop.time()
            self._flushing = self._loop.call_later(wait, self.flush) if wait > 0 else self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hands everything on now."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        self._starting = False
        if self._batch:
            batch, self._batch = self._batch, []
            self._deltas.clear()
            self._flushed_at = self._loop.time()
            self._write(_frames(batch))

    def pause(self) -> None:
        """The client does not read: keep what comes."""
        self._paused = True
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def resume(self) -> None:
        """The client reads again."""
        self._paused = False
        self.flush()


def _frames(batch: list[Message]) -> bytes:
    try:
        return encode(batch)
    except ProtocolError:  # over the limit of one frame
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        return _frames(batch[:half]) + _frames(batch[half:])
