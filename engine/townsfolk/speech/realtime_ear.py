"""The ear of a realtime server: sound goes out as it comes, the transcript is the player's line. Speaks no response."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from townsfolk.errors import ModelError
from townsfolk.models.base import Billed, Health, Usage
from townsfolk.models.connect import Connector, Opened
from townsfolk.models.decode import decode
from townsfolk.models.refusals import refusal
from townsfolk.speech.ports import Listening, Understood
from townsfolk.speech.resample import Resampler, resampler

__all__ = ["RealtimeEar"]

_RATE: Final = 24_000
_LEAST: Final = _RATE * 2 // 10
"""Bytes of the shortest sound that a server takes: 100 ms."""
_IDLE_S: Final = 55.0
_HEARD: Final = "conversation.item.input_audio_transcription."


class RealtimeEar:
    """Listens over the realtime protocol. A socket hears one player at a time; it is kept for the next for a minute.

    Args:
        connector: Opens connections.
        model: What transcribes, such as ``gpt-realtime-whisper``.
        language: The players' language as in ISO 639-1, where it is known: it helps.
    """

    def __init__(self, connector: Connector, *, model: str, language: str | None = None) -> None:
        self._connector = connector
        self._model = model
        self._language = language
        self._idle: list[tuple[float, Opened]] = []

    @property
    def name(self) -> str:
        return f"realtime:{self._model}"

    async def listen(self, told: Understood, *, rate: int, hands_free: bool) -> Listening:
        told.reserve(self._model)
        converted = resampler(rate, _RATE)
        try:
            opened = await self._socket()
            await opened.connection.send_raw(_listens(self._model, self._language, hands_free))
        except ModelError:
            told.took(Billed(self._model, Usage(0, 0, 0), "failed", ""))
            raise
        except Exception as error:
            told.took(Billed(self._model, Usage(0, 0, 0), "failed", ""))
            raise _lost(self._connector.who) from error
        return _Listening(self, opened, told, converted, hands_free)

    async def health(self) -> Health:
        try:
            opened = await self._socket()
        except ModelError as error:
            return Health(False, str(error))
        self._keep(opened)
        return Health(True, f"connected to {self._connector.who}; {self._model} transcribes")

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for _, opened in idle:
            await _close(opened)
        await self._connector.close()

    async def _socket(self) -> Opened:
        now = asyncio.get_running_loop().time()
        while self._idle:
            since, opened = self._idle.pop()
            if now - since < _IDLE_S and now < opened.usable_until:
                return opened
            await _close(opened)
        return await self._connector.open()

    def _keep(self, opened: Opened) -> None:
        self._idle.append((asyncio.get_running_loop().time(), opened))


class _Listening:
    """One line of a player on its way."""

    def __init__(
        self, ear: RealtimeEar, opened: Opened, told: Understood, converted: Resampler, hands_free: bool
    ) -> None:
        self._ear = ear
        self._opened = opened
        self._told = told
        self._converted = converted
        self._hands_free = hands_free
        self._sent = 0
        self._words = ""
        self._item: str | None = None
        self._billed = False
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self._text: asyncio.Future[str] = loop.create_future()
        self._text.add_done_callback(lambda text: None if text.cancelled() else text.exception())
        self._sending = loop.create_task(self._write(), name="ear sends")
        self._tasks = [self._sending, loop.create_task(self._read(), name="ear reads")]

    def feed(self, pcm: bytes) -> None:
        self._out.put_nowait(self._converted.feed(pcm))

    async def end(self) -> str:
        self._out.put_nowait(self._converted.end())
        self._out.put_nowait(None)
        if not self._hands_free:
            await asyncio.wait([self._sending])
            if self._sent < _LEAST:
                return ""
            await self._send({"type": "input_audio_buffer.commit"})
        text = await self._text
        if self._item is not None:  # the session stays empty: it only hears
            await self._send({"type": "conversation.item.delete", "item_id": self._item})
        self._release()
        return text

    async def cancel(self) -> None:
        if not self._billed:
            # Sound that was never handed over to be written down costs nothing.
            self._took(Usage(0, 0, 0) if self._item is None else Usage(), "cancelled")
        if self._tasks:
            self._stop()
            await _close(self._opened)

    # the inside

    async def _write(self) -> None:
        while (pcm := await self._out.get()) is not None:
            while not self._out.empty() and len(pcm) < _RATE:  # what has gathered goes out at once
                more = self._out.get_nowait()
                if more is None:
                    self._out.put_nowait(None)
                    break
                pcm += more
            if pcm:
                self._sent += len(pcm)
                await self._send({"type": "input_audio_buffer.append", "audio": b64encode(pcm).decode()})

    async def _send(self, event: Mapping[str, Any]) -> None:
        try:
            await self._opened.connection.send_raw(json.dumps(event))
        except Exception:
            self._fail(_lost(self._ear._connector.who))

    async def _read(self) -> None:
        try:
            while True:
                event = decode(await self._opened.connection.recv_bytes())
                if isinstance(event, dict):
                    self._hear(event)
        except asyncio.CancelledError:
            raise
        except Exception:
            self._fail(_lost(self._ear._connector.who))

    def _hear(self, event: Mapping[str, Any]) -> None:
        match event.get("type"):
            case "input_audio_buffer.speech_started":
                self._told.began()
            case "input_audio_buffer.speech_stopped":
                self._told.ended()
            case "input_audio_buffer.committed" if self._item is None:
                self._item = str(event.get("item_id"))
            case "error":
                error = event.get("error")
                self._fail(refusal(error if isinstance(error, dict) else event, self._ear._connector.who))
            case str(kind) if kind.startswith(_HEARD) and event.get("item_id") == self._item:
                self._transcribed(kind.removeprefix(_HEARD), event)

    def _transcribed(self, what: str, event: Mapping[str, Any]) -> None:
        if what == "delta" and isinstance(delta := event.get("delta"), str):
            self._words += delta
            self._told.words(self._words.strip())
        elif what == "completed" and not self._text.done():
            self._took(_usage(event.get("usage")), "completed")
            self._text.set_result(str(event.get("transcript") or "").strip())
        elif what == "failed":
            self._took(Usage(), "failed")
            error = event.get("error")
            self._fail(refusal(error if isinstance(error, dict) else event, self._ear._connector.who))

    def _took(self, usage: Usage, status: Any) -> None:
        if not self._billed:
            self._billed = True
            self._told.took(Billed(self._ear._model, usage, status, ""))

    def _fail(self, error: ModelError) -> None:
        if not self._text.done():
            self._text.set_exception(error)
        self._told.ended()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def _release(self) -> None:
        """The socket may hear the next player."""
        self._stop()
        self._ear._keep(self._opened)


def _listens(model: str, language: str | None, hands_free: bool) -> str:
    """The session.update for one line: nobody answers, every word is written down."""
    transcription = {"model": model, **({"language": language} if language else {})}
    vad = {"type": "server_vad", "silence_duration_ms": 600, "create_response": False, "interrupt_response": False}
    hears = {
        "format": {"type": "audio/pcm", "rate": _RATE},
        "transcription": transcription,
        "turn_detection": vad if hands_free else None,
    }
    session = {"type": "realtime", "output_modalities": ["text"], "audio": {"input": hears}}
    return json.dumps({"type": "session.update", "session": session})


def _usage(said: object) -> Usage:
    """What a transcription took: tokens, or seconds of sound."""
    usage = said if isinstance(said, dict) else {}
    if usage.get("type") == "duration" and isinstance(seconds := usage.get("seconds"), int | float):
        return Usage(0, 0, 0, seconds=float(seconds))
    details = usage.get("input_token_details")
    audio = details.get("audio_tokens") if isinstance(details, dict) else None
    return Usage(usage.get("input_tokens"), usage.get("output_tokens"), 0, input_audio=audio)


def _lost(who: str) -> ModelError:
    return ModelError("connect_failed", f"The connection to {who} was lost.")


async def _close(opened: Opened) -> None:
    with suppress(Exception):
        async with asyncio.timeout(1.0):
            await opened.connection.close()
