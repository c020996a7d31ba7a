"""The least that a first delta can cost: ready bytes over a blocking connection, and a wait. The reference for bar 9.

`Bare` is a blocking WebSocket of the `websockets` library with nothing around it: the floor that the bar is about.
`Raw` has not even the library; it shows how much of the floor is the server's.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
from urllib.parse import urlsplit

from jiter import from_json
from websockets.sync.client import connect

__all__ = ["Bare", "Raw"]


class Bare:
    """A blocking WebSocket."""

    def __init__(self, url: str) -> None:
        self._socket = connect(f"{url}/realtime?model=m", compression=None, proxy=None)
        self._socket.recv()  # session.created

    def ask(self, request: bytes) -> str:
        """Sends a response.create; gives the text of the first delta."""
        self._socket.send(request, text=True)
        while True:
            event = from_json(self._socket.recv(decode=False))
            if event["type"] == "response.output_text.delta":
                return str(event["delta"])

    def finish(self) -> None:
        """Reads on until the response is done."""
        while from_json(self._socket.recv(decode=False))["type"] != "response.done":
            pass

    def close(self) -> None:
        self._socket.close()


class Raw:
    """A socket with no library in between."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        assert where.hostname is not None and where.port is not None
        self._socket = socket.create_connection((where.hostname, where.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {where.path}/realtime?model=m HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._socket.recv(65536)
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
        self._next()  # session.created

    def ask(self, request: bytes) -> str:
        """Sends a response.create; gives the text of the first delta."""
        self._socket.sendall(masked(request))
        while True:
            event = self._next()
            if b'"response.output_text.delta"' in event:
                return str(from_json(event)["delta"])

    def finish(self) -> None:
        """Reads on until the response is done."""
        while b'"type":"response.done"' not in self._next():
            pass

    def close(self) -> None:
        self._socket.close()

    def _next(self) -> bytes:
        """The payload of the next frame. The server sends whole text frames, unmasked."""
        size, at = self._need(2)[1] & 0x7F, 2
        if size == 126:
            (size,), at = struct.unpack(">H", self._need(4)[2:4]), 4
        elif size == 127:
            (size,), at = struct.unpack(">Q", self._need(10)[2:10]), 10
        data = self._need(at + size)
        self._rest = data[at + size :]
        return data[at : at + size]

    def _need(self, count: int) -> bytes:
        while len(self._rest) < count:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the server is gone")
            self._rest += data
        return self._rest


def masked(payload: bytes) -> bytes:
    """A WebSocket text frame as clients must send it. The mask of zeros is a mask: the bytes stay as they are."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x81, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x81, 0xFE, size)
    else:
        head = struct.pack(">BBQ", 0x81, 0xFF, size)
    return head + bytes(4) + payload
