"""Bytes to messages and back, with limits: msgpack in length-prefixed frames, or JSON text. Knows no message's meaning.

A frame is a 4-byte big-endian length and that many bytes of msgpack: one message (a map with string keys) or a batch
(an array of such maps). The limits keep a hostile peer from costing more than its bytes did; the frame limit also
keeps every frame under Godot's default WebSocket buffer of 65,535 bytes.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgpack

from townsfolk.errors import ProtocolError

__all__ = [
    "MAX_DEPTH",
    "MAX_FRAME",
    "MAX_KEYS",
    "MAX_TEXT",
    "FrameReader",
    "Message",
    "decode",
    "decode_json",
    "encode",
    "encode_json",
    "raw",
]

Message: TypeAlias = dict[str, Any]

MAX_FRAME: Final = 60 * 1024
"""Bytes of one frame's payload."""
MAX_DEPTH: Final = 16
MAX_KEYS: Final = 256
MAX_TEXT: Final = 32 * 1024
"""Bytes of one string: what a bulk answer needs. A player's line has its own, lower limit."""
_MAX_BATCH: Final = 4096

_pack = msgpack.Packer(use_bin_type=True).pack


def encode(message: Message | list[Message]) -> bytes:
    """One frame that holds a message or a batch.

    Raises:
        ProtocolError: It does not fit into a frame, or holds what the wire cannot carry (``bad_frame``).
    """
    try:
        payload: bytes = _pack(message)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError) as error:
        raise ProtocolError("bad_frame", f"a message holds what cannot be sent: {error}") from None
    if len(payload) > MAX_FRAME:
        raise ProtocolError("bad_frame", f"a message of {len(payload):,} bytes is over the limit of {MAX_FRAME:,}")
    return len(payload).to_bytes(4, "big") + payload


def decode(payload: bytes | memoryview, *, trusted: bool = False) -> list[Message]:
    """The messages of one frame's payload.

    Args:
        trusted: The peer is the engine's own host: skips the checks that look at every value.

    Raises:
        ProtocolError: It is not msgpack, or breaks a limit (``bad_frame``).
    """
    try:
        value = msgpack.unpackb(
            payload,
            max_str_len=MAX_TEXT,
            max_bin_len=MAX_FRAME,
            max_array_len=_MAX_BATCH,
            max_map_len=MAX_KEYS,
            max_ext_len=0,
        )
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError("bad_frame", f"a frame is not msgpack within the limits: {error}") from None
    return _messages(value, trusted)


def encode_json(message: Message | list[Message]) -> str:
    """The same as :func:`encode`, as JSON text for a WebSocket text frame. Bytes become base64 text."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_base64)
    if len(text.encode()) > MAX_FRAME:
        raise ProtocolError("bad_frame", f"a message of over {MAX_FRAME:,} bytes")
    return text


def decode_json(text: str) -> list[Message]:
    """The messages of one WebSocket text frame.

    Raises:
        ProtocolError: It is not JSON, or breaks a limit (``bad_frame``).
    """
    # Bytes, as for msgpack; a surrogate that JSON escapes can smuggle in is no text.
    if len(text) > MAX_FRAME or len(text.encode(errors="surrogatepass")) > MAX_FRAME:
        raise ProtocolError("bad_frame", f"a frame of over {MAX_FRAME:,} bytes")
    try:
        return _messages(json.loads(text), False)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("bad_frame", f"a frame is not JSON: {error}") from None


def raw(value: bytes | str) -> bytes:
    """The bytes of a field of kind ``bytes``, whichever encoding brought it.

    Raises:
        ProtocolError: It is text, but not base64 (``bad_message``).
    """
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise ProtocolError("bad_message", "bytes are sent as base64 text in JSON") from None


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not part of this protocol")


def _messages(value: object, trusted: bool) -> list[Message]:
    messages: list[Any] = value if isinstance(value, list) else [value]
    if not trusted:
        if len(messages) > _MAX_BATCH:
            raise ProtocolError("bad_frame", f"a batch of over {_MAX_BATCH:,} messages")
        for message in messages:
            if not isinstance(message, dict):
                raise ProtocolError("bad_frame", f"a message is a map, not {type(message).__name__}")
            _check(message, 1)
    return messages


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ProtocolError("bad_frame", f"a message is nested over {MAX_DEPTH} deep")
    if isinstance(value, str):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise ProtocolError("bad_frame", "a string holds half of a surrogate pair") from None
        if size > MAX_TEXT:
            raise ProtocolError("bad_frame", f"a string of over {MAX_TEXT:,} bytes")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ProtocolError("bad_frame", f"{value} is no number that every client can read")
    elif isinstance(value, int) and not isinstance(value, bool):
        if not -(2**63) <= value < 2**63:
            raise ProtocolError("bad_frame", "an integer of over 64 bits")
    elif isinstance(value, dict):
        if len(value) > MAX_KEYS:
            raise ProtocolError("bad_frame", f"a map of over {MAX_KEYS} keys")
        for key, each in value.items():
            if not isinstance(key, str):
                raise ProtocolError("bad_frame", f"a map's key is text, not {type(key).__name__}")
            _check(key, depth)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
    elif value is not None and not isinstance(value, bool | bytes):
        raise ProtocolError("bad_frame", f"{type(value).__name__} is not part of this protocol")


class FrameReader:
    """Cuts a stream of bytes into frames' payloads; keeps what is not whole yet."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> Iterable[memoryview]:
        """The payloads that are whole now.

        Raises:
            ProtocolError: A frame announces more than the limit: the stream cannot be read any further.
        """
        if self._rest:
            data = self._rest + data
        view, start, end = memoryview(data), 0, len(data)
        payloads: list[memoryview] = []
        while end - start >= 4:
            size = int.from_bytes(view[start : start + 4], "big")
            if size > self._limit:
                raise ProtocolError("bad_frame", f"a frame of {size:,} bytes is over the limit of {self._limit:,}")
            if end - start - 4 < size:
                break
            payloads.append(view[start + 4 : start + 4 + size])
            start += 4 + size
        self._rest = data[start:]
        return payloads
