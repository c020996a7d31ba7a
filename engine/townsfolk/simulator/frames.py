"""Builds WebSocket text frames that hold realtime server events. Knows no session, and sends nothing."""

from __future__ import annotations

import base64
import itertools
import json
import math
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["RATE", "Deltas", "Frames", "frame", "tokens", "tone"]

RATE = 24_000
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def frame(payload: bytes) -> bytes:
    """One unmasked WebSocket text frame."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e%b%b" % (struct.pack(">H", size), payload)
    return b"\x81\x7f%b%b" % (struct.pack(">Q", size), payload)


Deltas = Callable[[str], bytes]
"""Makes the frame of one delta from its text."""


class Frames:
    """Frames with event ids that are unique for as long as this object is shared."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def event(self, type_: str, **fields: Any) -> bytes:
        """The frame of any event."""
        return frame(_encode({"type": type_, "event_id": f"event_{next(self._ids):010d}", **fields}).encode())

    def deltas(self, type_: str, **fields: Any) -> Deltas:
        """A maker of delta frames in which everything but the event's id and the delta is built once."""
        head = _encode({"type": type_})[:-1].encode() + b',"event_id":"event_'
        tail = b'",' + _encode(fields)[1:-1].encode() + b',"delta":'
        ids, encode = self._ids, _encode

        def make(delta: str) -> bytes:
            return frame(b"%b%010d%b%b}" % (head, next(ids), tail, encode(delta).encode()))

        return make


def tokens(text: str) -> int:
    """About as many tokens as a text has: a quarter of its UTF-8 bytes, rounded up."""
    return -(-len(text.encode()) // 4)


def _tone() -> bytes:
    """One second of a soft 220 Hz tone, pcm16 at 24 kHz. 220 divides it evenly, so it loops without a click."""
    return struct.pack(f"<{RATE}h", *(round(2500 * math.sin(2 * math.pi * 220 * n / RATE)) for n in range(RATE)))


_TONE = b""


def tone(start: int, samples: int) -> str:
    """``samples`` of the tone from sample ``start`` on, as base64 pcm16."""
    global _TONE
    if not _TONE:
        _TONE = _tone()
    start %= RATE
    pcm = _TONE[2 * start :]
    while len(pcm) < 2 * samples:
        pcm += _TONE
    return base64.b64encode(pcm[: 2 * samples]).decode()
