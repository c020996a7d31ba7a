"""The realtime model: lines as out-of-band text responses over a few sockets of the openai SDK. Speaks no audio."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from townsfolk.catalogue import REALTIME, find
from townsfolk.errors import ModelError
from townsfolk.models.base import Emit, Health, Request, Spoken
from townsfolk.models.decode import create, decode
from townsfolk.models.pool import Pool
from townsfolk.models.refusals import refusal
from townsfolk.models.socket import Busy, Lost, Settings, Socket
from townsfolk.persona import Persona

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

__all__ = ["Realtime"]

_log = logging.getLogger(__name__)
_PATIENCE: Final = 8
"""How often a line may be refused because the server is busy before that counts as a failure."""
_MAX_FRAME: Final = 1 << 22
_QUEUE: Final = 256
"""Frames that may wait for us; at the default of 16, a burst stops and restarts the socket all the time."""
_warned: set[str] = set()


class Realtime:
    """Speaks lines over OpenAI's realtime protocol. Nothing is opened before the first line or :meth:`warm`.

    Args:
        model: The model's name. One that was replaced is replaced here too, with one warning.
        api_key: The key. Without one, only a server of your own (``base_url``) can be asked.
        base_url: Another server, such as ``ws://127.0.0.1:8765/v1``; None means OpenAI's.
        sockets: At most so many connections.
        in_flight: At most so many lines at once on each; 1 for servers that take only one.
        connect_s: A connection must stand, and its session have begun, in so many seconds.
        created_s: The server must begin to answer in so many seconds.
        stall_s: It must not be silent in a response for longer (found out at most a quarter later).
        session_s: A socket older than that takes no new lines.
        margin_s: Nor does one that the server will end sooner than that.
    """

    def __init__(
        self,
        *,
        model: str = REALTIME,
        api_key: str | None = None,
        base_url: str | None = None,
        sockets: int = 4,
        in_flight: int = 8,
        connect_s: float = 10.0,
        created_s: float = 5.0,
        stall_s: float = 10.0,
        session_s: float = 1500.0,
        margin_s: float = 120.0,
    ) -> None:
        self._model = _current(model) if base_url is None else model  # another server names its models as it likes
        self._key = (api_key or "").strip()
        self._base_url = _websocket_url(base_url) if base_url else None
        where = urlsplit(self._base_url).netloc.rpartition("@")[2] if self._base_url else "OpenAI"
        self._settings = Settings(
            self._model, f"{self._model} on {where}", self._key, max(1, in_flight), connect_s, created_s, stall_s,
            session_s, margin_s,
        )  # fmt: skip
        self._pool = Pool(self._connect, max(1, sockets))
        self._rids = itertools.count(1)
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"realtime:{self._model}"

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        lost = 0
        for _ in range(_PATIENCE):
            rid = f"{request.line[:400]}/{next(self._rids)}"
            payload = create(request, rid)
            socket = await self._pool.acquire()
            try:
                return await socket.speak(rid, payload, emit)
            except Busy:
                # This socket knows now that it has but one place; so shall the next ones.
                self._settings = replace(self._settings, in_flight=1)
            except Lost:
                # Nothing of the line has come: it may be asked for again, once.
                lost += 1
                if lost == 2:
                    raise
        raise ModelError("rate_limited", f"{self._settings.who} is busy with other lines.")

    async def warm(self, persona: Persona) -> None:
        if self._pool.sockets:
            return
        try:
            (await self._pool.acquire()).release()
        except ModelError as error:
            _log.info("%s is not warm: %s", self.name, error)

    async def health(self) -> Health:
        try:
            if not self._pool.sockets:
                (await self._pool.acquire()).release()
        except ModelError as error:
            return Health(False, str(error))
        return Health(True, f"connected to {self._settings.who}")

    async def close(self) -> None:
        await self._pool.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # connections

    async def _connect(self, changed: Callable[[Socket], None]) -> Socket:
        settings = self._settings
        client = await self._ready()
        from townsfolk.models.direct import DirectConnection

        made: list[DirectConnection] = []

        def make(*args: Any, **options: Any) -> DirectConnection:
            made.append(DirectConnection(*args, **options))
            return made[-1]

        options: dict[str, Any] = {
            "create_connection": make,
            "compression": None,
            "max_size": _MAX_FRAME,
            "max_queue": _QUEUE,
            "ping_interval": 5,
            "ping_timeout": 5,
            "close_timeout": 1,
            "open_timeout": None,  # ours counts, below
        }
        if self._base_url is not None and _is_loopback(self._base_url):
            options["proxy"] = None
        connection: AsyncRealtimeConnection | None = None
        try:
            async with asyncio.timeout(settings.connect_s):
                connection = await client.realtime.connect(
                    model=self._model,
                    websocket_connection_options=options,  # type: ignore[arg-type]  # passed on as it is
                ).enter()
                session = await self._session(connection)
            return Socket(connection, settings, self._usable_until(session), changed, made[-1] if made else None)
        except BaseException as error:
            if connection is not None:
                await _close(connection)
            if isinstance(error, ModelError) or not isinstance(error, Exception):
                raise
            raise self._refused(error) from None

    async def _session(self, connection: AsyncRealtimeConnection) -> dict[str, Any]:
        """Waits for the session to begin. A server may accept the connection and refuse then."""
        while True:
            event = decode(await connection.recv_bytes())
            if not isinstance(event, dict):
                raise ValueError("no event")
            if event.get("type") == "session.created":
                session = event.get("session")
                return session if isinstance(session, dict) else {}
            if event.get("type") == "error":
                error = event.get("error")
                raise refusal(
                    error if isinstance(error, dict) else event, self._settings.who, secret=self._settings.secret
                )

    def _usable_until(self, session: dict[str, Any]) -> float:
        now, most = asyncio.get_running_loop().time(), self._settings.session_s
        ends = session.get("expires_at")
        if isinstance(ends, int | float):
            left = max(0.0, ends - time.time())
            most = min(most, max(left - self._settings.margin_s, left / 2))
        return now + most

    def _refused(self, error: Exception) -> ModelError:
        """Why there is no connection. The SDK passes on what its WebSocket library raises."""
        who, secret = self._settings.who, self._settings.secret
        response = getattr(error, "response", None)
        if response is not None and hasattr(response, "status_code"):
            body = bytes(getattr(response, "body", None) or b"")
            try:
                said = decode(body)
                details = said.get("error", said) if isinstance(said, dict) else {}
            except ValueError:
                details = {"message": body.decode("utf-8", "replace")[:200] or "no reason given"}
            details = details if isinstance(details, dict) else {"message": str(details)}
            return refusal(details, who, status=response.status_code, secret=secret)
        if (received := getattr(error, "rcvd", None)) is not None:  # closed before the session began
            reason = str(received.reason)
            return refusal({"code": reason.rpartition(".")[2], "message": f"{received.code} {reason}"}, who)
        if isinstance(error, TimeoutError):
            return ModelError("timeout", f"{who} did not begin a session in {self._settings.connect_s:g} s.")
        kind = type(error).__name__
        if isinstance(error, ValueError) or kind.startswith("Invalid"):
            return ModelError("bad_response", f"{who} does not speak the realtime protocol ({kind}).")
        cause = " ".join(str(error).split())[:200] or kind
        if secret:
            cause = cause.replace(secret, "***")
        return ModelError("connect_failed", f"{who} cannot be reached ({cause}).")

    async def _ready(self) -> AsyncOpenAI:
        if not self._key and self._base_url is None:
            raise ModelError("missing_key", "There is no key for OpenAI's realtime server.", fatal=True)
        if not (self._key.isascii() and self._key.isprintable()):
            raise ModelError("bad_key", "The API key holds characters that no key has.", fatal=True)
        if self._client is None:
            async with self._making:
                if self._client is None:
                    # In a thread: the first import of the SDK takes half a second, and certificates some more.
                    self._client = await asyncio.to_thread(_make_client, self._key or "none", self._base_url)
        return self._client


async def _close(connection: AsyncRealtimeConnection) -> None:
    with suppress(Exception):  # no session has begun on it
        async with asyncio.timeout(1.0):
            await connection.close()


def _make_client(key: str, base_url: str | None) -> AsyncOpenAI:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=key, websocket_base_url=base_url, max_retries=0)
    if base_url is not None:
        client.organization = client.project = None  # the environment's are OpenAI's business alone
    _ = client.realtime  # loads the rest of the SDK now
    import townsfolk.models.direct  # noqa: F401

    return client


def _current(model: str) -> str:
    successor = find(model).successor
    if successor is None:
        return model
    if model not in _warned:
        _warned.add(model)
        _log.warning("%s is no longer served; %s is used instead", model, successor)
    return successor


def _websocket_url(url: str) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit(parts._replace(scheme=scheme))


def _is_loopback(url: str) -> bool:
    """Whether the server is on this machine: no proxy leads there."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
