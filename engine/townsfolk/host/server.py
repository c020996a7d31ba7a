"""The host's sockets: one to the game that started it, or a TCP bridge for many. Decides nothing about characters."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from townsfolk import __version__
from townsfolk.errors import ProtocolError, TownsfolkError, TransportError, UsageError
from townsfolk.host.client import Client
from townsfolk.host.config import Config
from townsfolk.host.engine import Host
from townsfolk.host.outbox import Outbox
from townsfolk.wire.codec import FrameReader, decode, encode
from townsfolk.wire.protocol import PROTOCOL, check, compatible, error

__all__ = ["Bridge", "serve_socket", "serve_tcp"]

_HELLO_WITHIN: Final = 5.0
"""Seconds that a connection has to say hello."""


class Connection(asyncio.Protocol):
    """One game's connection."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._reader = FrameReader()
        self._client: Client | None = None
        self._transport: asyncio.Transport
        self._outbox: Outbox
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outbox = Outbox(transport.write)
        self._bridge.connections.add(self)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(_HELLO_WITHIN, self._end, "bad_message", "no hello came")

    def connection_lost(self, exc: Exception | None) -> None:
        self._bridge.connections.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._client is not None:
            self._bridge.host.leave(self._client)
        self._bridge.lost()

    def pause_writing(self) -> None:
        self._outbox.pause()

    def resume_writing(self) -> None:
        self._outbox.resume()

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._reader.feed(data):
                for message in decode(payload):
                    self._take(message)
                    if self._transport.is_closing():
                        return
        except ProtocolError as failure:
            self._end(failure.code, failure.message)

    def _take(self, message: Mapping[str, Any]) -> None:
        try:
            t = check(message)
            if self._client is None:
                return self._hello(t, message)
            if t == "ping":
                self._outbox.put({"t": "pong", "n": message["n"]})
            elif t == "close":
                self._bridge.host.spawn(self._farewell(self._client))
            elif t != "hello":
                self._bridge.host.receive(self._client, t, message)
        except ProtocolError as failure:
            if self._client is None:  # who cannot say hello is not talked with
                return self._end(failure.code, failure.message)
            about = message.get("id") or message.get("line") or message.get("t")
            self._outbox.put(error(failure.code, failure.message, re=str(about)[:100]))

    def _hello(self, t: str, message: Mapping[str, Any]) -> None:
        if t != "hello":
            return self._end("bad_message", f"the first message is a hello, not {t}")
        if not compatible(message["proto"]):
            theirs = ".".join(str(each)[:10] for each in message["proto"][:3])
            ours = ".".join(map(str, PROTOCOL))
            return self._end("proto_unsupported", f"this host speaks protocol {ours}, the client {theirs}")
        token = self._bridge.token
        if token and not hmac.compare_digest(token.encode(), str(message.get("token") or "").encode()):
            return self._end("bad_token", "the token is missing or wrong")
        if self._deadline is not None:
            self._deadline.cancel()
        host = self._bridge.host
        self._client = Client(self._outbox.put)
        self._outbox.put(
            {
                "t": "welcome",
                "proto": list(PROTOCOL),
                "server": f"townsfolk/{__version__}",
                "model": host.lineup.what,
                "npcs": host.welcome(),
            }
        )
        host.join(self._client)

    async def _farewell(self, client: Client) -> None:
        await self._bridge.host.dismiss(client)
        self.hang_up()

    def _end(self, code: str, why: str) -> None:
        self._outbox.put(error(code, why, fatal=True))
        self.hang_up()

    def hang_up(self) -> None:
        """Sends what is left, then closes."""
        self._outbox.flush()
        self._transport.close()


class Bridge:
    """A host and the connections to it. ``token``, if not empty, is what every client must show."""

    def __init__(self, host: Host, *, token: str = "") -> None:
        self.host = host
        self.token = token
        self.connections: set[Connection] = set()
        self.lost: Callable[[], None] = lambda: None
        """Called when a connection ends."""

    def connection(self) -> Connection:
        """A protocol for a new connection."""
        return Connection(self)

    async def close(self) -> None:
        """Keeps everything, then hangs up."""
        await self.host.close()
        for connection in list(self.connections):
            connection.hang_up()


def serve_socket(sock: socket.socket, config: Mapping[str, Any]) -> None:
    """Runs a host for the one game at the other end of ``sock``, until that hangs up."""
    asyncio.run(_serve_socket(sock, config))


async def _serve_socket(sock: socket.socket, config: Mapping[str, Any]) -> None:
    try:
        host = Host(Config.read(config))
        await host.start()
    except TownsfolkError as failure:
        with sock:
            sock.settimeout(1)
            with contextlib.suppress(OSError):
                sock.sendall(encode(error(failure.code, failure.message[:4000], hint=failure.hint, fatal=True)))
        return
    bridge = Bridge(host)
    ended = asyncio.Event()
    bridge.lost = ended.set
    sock.setblocking(False)
    await asyncio.get_running_loop().create_connection(bridge.connection, sock=sock)
    await ended.wait()
    await bridge.close()


async def serve_tcp(
    config: Config, address: tuple[str, int], *, token: str = "", ready: Callable[[str], None] = lambda _: None
) -> None:
    """Runs a host as a bridge for many games, until it is cancelled.

    Args:
        address: Where to listen; port 0 takes a free one.
        token: What every client must show; may be empty on loopback only.
        ready: Told the address once games can connect.

    Raises:
        UsageError: The address is not on loopback and there is no token.
        TransportError: The address cannot be listened on.
        TownsfolkError: The host cannot start.
    """
    if not token and not _loopback(address[0]):
        raise UsageError("bad_token", f"{address[0]} is open to others", hint="Give --token, or listen on 127.0.0.1.")
    host = Host(config)
    await host.start()
    bridge = Bridge(host, token=token)
    try:
        try:
            server = await asyncio.get_running_loop().create_server(bridge.connection, *address)
        except OSError as failure:
            raise TransportError("bridge_refused", f"cannot listen on {address[0]}:{address[1]}: {failure}") from None
        async with server:
            name, port = server.sockets[0].getsockname()[:2]
            ready(f"tcp://[{name}]:{port}" if ":" in name else f"tcp://{name}:{port}")
            await asyncio.get_running_loop().create_future()
    finally:
        await bridge.close()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
