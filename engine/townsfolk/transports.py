"""How a game reaches its host: a process of its own, a thread, or a running bridge over TCP. Carries bytes only.

Nothing here blocks the frame loop: sockets are non-blocking, and what the other side does not take yet is kept. The
process and the thread talk over a socket pair, so all three carry the same frames and differ only in `open`.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from townsfolk.errors import TransportError, UsageError

__all__ = ["Link", "LinkLostError", "ProcessTransport", "TcpTransport", "ThreadTransport", "Transport"]

_CHUNK: Final = 256 * 1024
_MAX_UNSENT: Final = 4 * 1024 * 1024
"""Bytes kept for a host that does not read. Over that it counts as lost: it has hung."""


class LinkLostError(Exception):
    """The other side is gone."""


class Link:
    """A non-blocking byte stream over a socket."""

    def __init__(self, sock: socket.socket, *, connecting: bool = False) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._unsent = bytearray()
        self._connecting = connecting
        self._ready = _readiness(sock)
        # Filled again and again: for a buffer of this size recv() would ask the system for memory in every frame.
        self._buffer = memoryview(bytearray(_CHUNK))

    def send(self, data: bytes) -> None:
        """Sends now what the other side takes; keeps the rest.

        Raises:
            LinkLostError: The other side is gone, or has not read for megabytes.
        """
        if self._unsent or self._connecting:
            self._unsent += data
            if len(self._unsent) > _MAX_UNSENT:
                raise LinkLostError(f"the host has not read {len(self._unsent):,} bytes")
            self.flush()
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            raise LinkLostError(str(error)) from None
        if sent < len(data):
            self._unsent += data[sent:]

    def flush(self) -> None:
        """Sends what was kept.

        Raises:
            LinkLostError: The other side is gone.
        """
        if self._connecting and not self._connected():
            return
        while self._unsent:
            try:
                sent = self._sock.send(self._unsent)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise LinkLostError(str(error)) from None
            del self._unsent[:sent]

    def receive(self) -> bytes:
        """What has come, at most 256 KiB; empty when nothing has.

        Raises:
            LinkLostError: The other side is gone and all it sent has been received.
        """
        if self._unsent or self._connecting:
            self.flush()
            if self._connecting:
                return b""
        if not self._ready(0):
            return b""
        try:
            size = self._sock.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise LinkLostError(str(error)) from None
        if not size:
            raise LinkLostError("the connection was closed")
        return bytes(self._buffer[:size])

    @property
    def late(self) -> bool:
        """Whether so much waits for the other side already that pictures should not be added to it."""
        return len(self._unsent) > _MAX_UNSENT // 4

    def wait(self, seconds: float) -> bool:
        """Sleeps until something may have come, at most so long. For tools that have no frame loop."""
        if self._connecting or self._unsent:
            select.select([self._sock], [self._sock], [], seconds)
            return True
        return bool(self._ready(seconds))

    def close(self) -> None:
        self._sock.close()

    def _connected(self) -> bool:
        _, writable, broken = select.select([], [self._sock], [self._sock], 0)
        if not writable and not broken:
            return False
        failure = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise LinkLostError(os.strerror(failure))
        self._connecting = False
        return True


def _readiness(sock: socket.socket) -> Any:
    """A function of seconds that tells whether there is something to read; poll() costs a third of a failing recv()."""
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        return lambda seconds: poller.poll(seconds * 1000 if seconds else 0)
    return lambda seconds: select.select([sock], [], [], seconds)[0]


class Transport(Protocol):
    """A way to reach a host. Opening it again reaches it anew, with a new process where it had one."""

    what: str
    refused: str
    """The error code when it cannot be reached."""
    lost: str
    """The error code when it is lost."""

    def open(self) -> Link:
        """A new link.

        Raises:
            TransportError: The host cannot be started or the address makes no sense.
        """
        ...

    def close(self, seconds: float) -> None:
        """Waits for the host to end, at most so long, then makes it end."""
        ...


class ProcessTransport:
    """The host as a subprocess, which ends when the game does."""

    what = "the engine process"
    refused = "host_failed"
    lost = "host_lost"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = json.dumps(dict(config))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def open(self) -> Link:
        if self._process is not None:
            self._end(0)
        try:
            return self._open_shared() if sys.platform == "win32" else self._open_pair()
        except OSError as error:
            raise TransportError("host_failed", f"the engine process cannot start: {error}") from None

    def _open_pair(self) -> Link:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._spawn(["--fd", str(theirs.fileno())], pass_fds=(theirs.fileno(),))
        return Link(ours)

    def _open_shared(self) -> Link:
        # Windows hands a socket to a process that runs already; its bytes go through the child's standard input.
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._spawn(["--shared"], stdin=subprocess.PIPE)
            assert self._process.stdin is not None
            self._process.stdin.write(theirs.share(self._process.pid))  # type: ignore[attr-defined,unused-ignore]
            self._process.stdin.close()
        return Link(ours)

    def _spawn(self, more: list[str], **how: Any) -> subprocess.Popen[bytes]:
        # The package may be on sys.path by other means than an installation.
        root = str(Path(__file__).resolve().parents[1])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(
            [sys.executable, "-m", "townsfolk", "host", "--config", self._config, *more],
            env={**os.environ, "PYTHONPATH": paths},
            **how,
        )

    def close(self, seconds: float) -> None:
        if self._process is not None:
            self._end(seconds)

    def _end(self, seconds: float) -> None:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class ThreadTransport:
    """The host as a thread of this process: for tests, notebooks, frozen builds and platforms without processes."""

    what = "the engine thread"
    refused = "host_failed"
    lost = "host_lost"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._thread: threading.Thread | None = None

    def open(self) -> Link:
        ours, theirs = socket.socketpair()
        self._thread = threading.Thread(target=_serve, args=(theirs, self._config), name="townsfolk-host", daemon=True)
        self._thread.start()
        return Link(ours)

    def close(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)
            self._thread = None


def _serve(sock: socket.socket, config: Mapping[str, Any]) -> None:
    with sock:  # closed whatever happens: the game learns of it
        # The one place where the game side loads the host: in the thread, since it takes several frames.
        from townsfolk.host.server import serve_socket

        serve_socket(sock, config)


class TcpTransport:
    """A bridge that is running already: ``tcp://HOST:PORT``."""

    what = "the bridge"
    refused = "bridge_refused"
    lost = "bridge_lost"

    def __init__(self, address: str) -> None:
        host, colon, port = address.removeprefix("tcp://").rpartition(":")
        if not address.startswith("tcp://") or not colon or not host or not port.isdigit() or int(port) > 65535:
            raise UsageError("bad_argument", f"{address!r} is no address", hint="Give one like tcp://127.0.0.1:7777.")
        self._host, self._port = host.strip("[]"), int(port)
        self._where: tuple[socket.AddressFamily, Any] | None = None

    def open(self) -> Link:
        if self._where is None:  # asked once: a name look-up can block, and this runs in the frame when it reconnects
            try:
                found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            except OSError as error:
                raise TransportError("bridge_refused", f"{self._host} cannot be found: {error}") from None
            self._where = found[0], found[4]
        family, where = self._where
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(where)
        except BlockingIOError:
            pass  # under way; the link looks whether it came about
        except OSError as error:
            sock.close()
            raise TransportError("bridge_refused", f"the bridge cannot be reached: {error}") from None
        return Link(sock, connecting=True)

    def close(self, seconds: float) -> None:
        pass
