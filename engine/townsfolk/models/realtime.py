"""The realtime model: lines as out-of-band text responses over a few sockets of the openai SDK. Speaks no audio."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from townsfolk.catalogue import REALTIME
from townsfolk.errors import ModelError
from townsfolk.models.backoff import RetryBudget
from townsfolk.models.base import Billed, Emit, Health, Outcome, Request, Spoken, Usage
from townsfolk.models.connect import Connector
from townsfolk.models.decode import create, sound_tokens, speaks
from townsfolk.models.pool import Pool
from townsfolk.models.secret import Secret
from townsfolk.models.socket import Busy, Lost, Settings, Socket
from townsfolk.persona import Persona

__all__ = ["VOICE", "Realtime", "voice_of"]

_log = logging.getLogger(__name__)
_PATIENCE: Final = 8
"""How often a line may be refused because the server is busy before that counts as a failure."""

_Voice: TypeAlias = tuple[str, float]
"""A voice and its speed."""
VOICE: Final = "marin"
"""For a character that names none."""


class Realtime:
    """Speaks lines over OpenAI's realtime protocol. Nothing is opened before the first line or :meth:`warm`.

    Args:
        model: The model's name. One that was replaced is replaced here too, with one warning.
        api_key: The key, or what gives one. Without it, only a server of your own (``base_url``) can be asked.
        base_url: Another server, such as ``ws://127.0.0.1:8765/v1``; None means OpenAI's.
        sockets: At most so many connections.
        in_flight: At most so many lines at once on each; 1 for servers that take only one.
        connect_s: A connection must stand, and its session have begun, in so many seconds.
        created_s: The server must begin to answer in so many seconds.
        stall_s: It must not be silent in a response for longer (found out at most a quarter later).
        idle_s: A socket that no line has used for so long is closed.
        session_s: A socket older than that takes no new lines.
        margin_s: Nor does one that the server will end sooner than that.
        sees: Whether the model takes pictures; one that does not is shown none.
        paid: Whether its lines cost money: then they are reserved and billed.
        voiced: Whether lines will be asked for with sound: :meth:`warm` opens a socket for the character's voice then.
    """

    def __init__(
        self,
        *,
        model: str = REALTIME,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        sockets: int = 4,
        in_flight: int = 8,
        connect_s: float = 10.0,
        created_s: float = 5.0,
        stall_s: float = 5.0,
        idle_s: float = 60.0,
        session_s: float = 1500.0,
        margin_s: float = 120.0,
        sees: bool = True,
        paid: bool = True,
        voiced: bool = False,
    ) -> None:
        self._sees = sees
        self._paid = paid
        self._connector = connector = Connector(
            model, api_key, base_url, connect_s=connect_s, session_s=session_s, margin_s=margin_s
        )
        self._settings = Settings(
            connector.model, connector.who, connector.secret, max(1, in_flight), created_s, stall_s
        )
        self._pool = Pool(self._connect, max(1, sockets), idle_s=idle_s)
        # A session that was heard once keeps its voice: each voice has a socket of its own.
        self._voices: dict[_Voice, Pool] = {}
        self._idle_s = idle_s
        self._voiced = voiced
        self._budget = RetryBudget()
        self._rids = itertools.count(1)

    @property
    def name(self) -> str:
        return f"realtime:{self._settings.model}"

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        self._budget.asked(time.monotonic())

        def took(usage: Usage, status: Outcome) -> None:
            if request.bill is not None and self._paid:
                request.bill(Billed(self._settings.model, usage, status, request.line))

        lost = 0
        for _ in range(_PATIENCE):
            rid = f"{request.line[:400]}/{next(self._rids)}"
            payload = create(request if self._sees else replace(request, images=()), rid)
            socket = await self._pool_for(request.voice, request.persona).acquire()
            try:
                if self._paid:
                    request.reserve(self._settings.model, sound_tokens(request))
            except BaseException:
                socket.release()
                raise
            try:
                return await socket.speak(rid, payload, emit, took)
            except Busy:
                # This socket knows now that it has but one place; so shall the next ones.
                self._settings = replace(self._settings, in_flight=1)
            except Lost:
                # Nothing of the line has come: it may be asked for again, once.
                lost += 1
                if lost == 2 or not self._budget.may_retry(time.monotonic()):
                    raise
            except ModelError as error:
                # The model is blind after all, or the picture is broken: the words alone will do.
                if not request.images or error.code == "interrupted" or "image" not in error.message.lower():
                    raise
                request = replace(request, images=())
        raise ModelError("rate_limited", f"{self._settings.who} is busy with other lines.")

    async def warm(self, persona: Persona) -> None:
        pool = self._pool_for(voice_of(persona), persona) if self._voiced else self._pool
        if pool.sockets:
            return
        try:
            (await pool.acquire()).release()
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
        await asyncio.gather(*(pool.close() for pool in (self._pool, *self._voices.values())))
        await self._connector.close()

    def _pool_for(self, voice: str | None, persona: Persona) -> Pool:
        if voice is None:
            return self._pool
        key = (voice, persona.voice.speed)
        if key not in self._voices:
            self._voices[key] = Pool(partial(self._connect, voice=key), 1, idle_s=self._idle_s)
        return self._voices[key]

    async def _connect(self, changed: Callable[[Socket], None], voice: _Voice | None = None) -> Socket:
        opened = await self._connector.open()
        if voice is not None:
            await opened.connection.send_raw(speaks(*voice))
        self._settings = replace(self._settings, secret=self._connector.secret)
        return Socket(opened.connection, self._settings, opened.usable_until, changed, opened.direct)


def voice_of(persona: Persona) -> str:
    """The voice of OpenAI's that a character speaks with."""
    return persona.voice.realtime or VOICE
