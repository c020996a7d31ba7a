"""Opens realtime connections with the openai SDK, and says why there is none. Speaks no line and retries nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from townsfolk.catalogue import find
from townsfolk.errors import ModelError
from townsfolk.models.backoff import Pacer
from townsfolk.models.decode import decode
from townsfolk.models.refusals import refusal
from townsfolk.models.sdk import confined
from townsfolk.models.secret import Secret

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    from townsfolk.models.direct import DirectConnection

__all__ = ["Connector", "Opened"]

_log = logging.getLogger(__name__)
_MAX_FRAME: Final = 1 << 22
_QUEUE: Final = 256
"""Frames that may wait for us; at the default of 16, a burst stops and restarts the socket all the time."""
_warned: set[str] = set()
_pacers: dict[str, Pacer] = {}
"""By server, for all who connect to it from this process."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection whose session has begun.

    Attributes:
        session: The session as the server told it; it may lack anything.
        usable_until: The loop's time after which it should take no new line.
        direct: Hands frames over without a task switch; None where the SDK made another connection.
    """

    connection: AsyncRealtimeConnection
    session: dict[str, Any]
    usable_until: float
    direct: DirectConnection | None


class Connector:
    """Opens connections to one model of one server.

    Args:
        model: The model's name. One that was replaced at OpenAI is replaced here too, with one warning.
        api_key: The key, or what gives one. Without it, only a server of your own (``base_url``) can be asked.
        base_url: Another server, such as ``ws://127.0.0.1:8765/v1``; None means OpenAI's.
        connect_s: A connection must stand, and its session have begun, in so many seconds.
        session_s: A connection older than that should take no new lines.
        margin_s: Nor one that the server will end sooner than that.

    Attributes:
        model: The model that is asked.
        who: The model and its server, for messages.
        secret: The key that was used last, never to be told.
    """

    def __init__(
        self,
        model: str,
        api_key: str | Secret | None,
        base_url: str | None,
        *,
        connect_s: float = 10.0,
        session_s: float = 1500.0,
        margin_s: float = 120.0,
    ) -> None:
        self.model = _current(model) if base_url is None else model  # another server names its models as it likes
        self._key = api_key if isinstance(api_key, Secret) else Secret(api_key or "")
        self._base_url = _websocket_url(base_url) if base_url else None
        where = urlsplit(self._base_url).netloc.rpartition("@")[2] if self._base_url else "OpenAI"
        self.who = f"{self.model} on {where}"
        self._pacer = _pacers.setdefault(self._base_url or "", Pacer())
        self._connect_s = connect_s
        self._session_s = session_s
        self._margin_s = margin_s
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()

    @property
    def secret(self) -> str:
        return self._key.key

    async def open(self) -> Opened:
        """Opens a connection and waits until its session has begun.

        Raises:
            ModelError: There is none to be had: why not, and whether trying again may help.
        """
        try:
            return await self._open()
        except ModelError as error:
            if error.code not in ("bad_key", "secret_expired") or not self._key.refused():
                raise
            old = self.secret
            if await self._key.fetch() == old:
                raise
        return await self._open()

    async def _open(self) -> Opened:
        client = await self._ready()
        await asyncio.sleep(self._pacer.wait(time.monotonic()))
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
            async with asyncio.timeout(self._connect_s):
                connection = await client.realtime.connect(
                    model=self.model,
                    websocket_connection_options=options,  # type: ignore[arg-type]  # passed on as it is
                ).enter()
                session = await self._session(connection)
            return Opened(connection, session, self._usable_until(session), made[-1] if made else None)
        except BaseException as error:
            if connection is not None:
                await _close(connection)
            if isinstance(error, ModelError) or not isinstance(error, Exception):
                raise
            raise self._refused(error) from None

    async def close(self) -> None:
        """Gives the SDK's client back; connections that were opened are their owners' to close."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

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
                raise refusal(error if isinstance(error, dict) else event, self.who, secret=self.secret)

    def _usable_until(self, session: dict[str, Any]) -> float:
        now, most = asyncio.get_running_loop().time(), self._session_s
        ends = session.get("expires_at")
        if isinstance(ends, int | float):
            left = max(0.0, ends - time.time())
            most = min(most, max(left - self._margin_s, left / 2))
        return now + most

    def _refused(self, error: Exception) -> ModelError:
        """Why there is no connection. The SDK passes on what its WebSocket library raises."""
        who, secret = self.who, self.secret
        response = getattr(error, "response", None)
        if response is not None and hasattr(response, "status_code"):
            body = bytes(getattr(response, "body", None) or b"")
            try:
                said = decode(body)
                details = said.get("error", said) if isinstance(said, dict) else {}
            except ValueError:
                details = {"message": body.decode("utf-8", "replace")[:200] or "no reason given"}
            details = details if isinstance(details, dict) else {"message": str(details)}
            refused = refusal(details, who, status=response.status_code, secret=secret)
            if refused.code == "bad_key" and self._key.short_lived:
                refused = ModelError("secret_expired", f"{refused.message} It was a client secret.", fatal=True)
            refused.retry_after_s = _seconds(response.headers.get("Retry-After"))
            return refused
        if (received := getattr(error, "rcvd", None)) is not None:  # closed before the session began
            reason = str(received.reason)
            return refusal({"code": reason.rpartition(".")[2], "message": f"{received.code} {reason}"}, who)
        if isinstance(error, TimeoutError):
            return ModelError("timeout", f"{who} did not begin a session in {self._connect_s:g} s.")
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
        key = await self._key.fetch()
        if self._client is None:
            async with self._making:
                if self._client is None:
                    # In a thread: the first import of the SDK takes half a second, and certificates some more.
                    self._client = await asyncio.to_thread(_make_client, self._base_url)
        self._client.api_key = key or "none"
        return self._client


async def _close(connection: AsyncRealtimeConnection) -> None:
    with suppress(Exception):  # no session has begun on it
        async with asyncio.timeout(1.0):
            await connection.close()


def _make_client(base_url: str | None) -> AsyncOpenAI:
    client = confined("", base_url, websocket=True)
    _ = client.realtime  # loads the rest of the SDK now
    import townsfolk.models.direct  # noqa: F401

    return client


def _seconds(retry_after: str | None) -> float:
    """What a Retry-After header asks for; a date in it is not worth reading."""
    return min(3600.0, float(retry_after)) if retry_after and retry_after.isdigit() else 0.0


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
