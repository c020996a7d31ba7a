"""What a session hears of the player: the input audio buffer, turn detection and transcription. Speaks no response."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from townsfolk.simulator.checks import Refused
from townsfolk.simulator.frames import tokens
from townsfolk.speech.spelling import unspelled

if TYPE_CHECKING:
    from townsfolk.simulator.session import Session

__all__ = ["Listener"]

_MS: Final = 48
"""Bytes a millisecond: pcm16 at 24 kHz."""
_FRAME: Final = 10 * _MS
_QUIET: Final = 100
"""What is softer than that is silence."""


class Listener:
    """The input audio of one session. It understands speech that `townsfolk.speech.spelling` made, and no other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sound = bytearray()
        self._dropped_ms = 0  # of sound that is no longer in the buffer
        self._seen = 0  # bytes that turn detection has looked at
        self._silent_ms = 0
        self._item: str | None = None  # the item that is being spoken

    def append(self, event: dict[str, Any]) -> None:
        try:
            self._sound += base64.b64decode(event.get("audio") or "", validate=True)
        except (binascii.Error, TypeError):
            raise Refused("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.", "audio") from None
        if (turns := self._config()["turn_detection"]) is not None:
            self._detect(turns.get("silence_duration_ms") or 500, turns.get("prefix_padding_ms") or 300)

    def commit(self, event: dict[str, Any]) -> None:
        if len(self._sound) < 100 * _MS:
            ms = len(self._sound) / _MS
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms, has {ms:.2f}ms."
            raise Refused("input_audio_buffer_commit_empty", message)
        self._commit(self._session.new_id("item"))

    def clear(self, event: dict[str, Any]) -> None:
        self._drop(len(self._sound))
        self._item = None
        self._session.send("input_audio_buffer.cleared")

    # the inside

    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = self._session.config["audio"]["input"]
        return found

    def _detect(self, silence_ms: int, padding_ms: int) -> None:
        """Finds where speech begins and ends, by its loudness."""
        while len(self._sound) - self._seen >= _FRAME:
            frame = memoryview(self._sound)[self._seen : self._seen + _FRAME].cast("h")
            loud = max(frame) >= _QUIET or min(frame) <= -_QUIET
            frame.release()
            self._seen += _FRAME
            now = self._dropped_ms + self._seen // _MS
            if loud and self._item is None:
                self._item = self._session.new_id("item")
                self._drop(max(0, self._seen - _FRAME - padding_ms * _MS))
                self._session.send(
                    "input_audio_buffer.speech_started", audio_start_ms=self._dropped_ms, item_id=self._item
                )
            self._silent_ms = 0 if loud else self._silent_ms + 10
            if self._item is not None and self._silent_ms >= silence_ms:
                self._session.send("input_audio_buffer.speech_stopped", audio_end_ms=now, item_id=self._item)
                self._commit(self._item)

    def _drop(self, count: int) -> None:
        del self._sound[:count]
        self._dropped_ms += count // _MS
        self._seen = max(0, self._seen - count)

    def _commit(self, id: str) -> None:
        session = self._session
        sound = bytes(self._sound)
        self._drop(len(sound))
        self._item, self._silent_ms = None, 0
        part = {"type": "input_audio", "audio": base64.b64encode(sound).decode(), "transcript": None}
        item = {
            "id": id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [part],
        }
        session.send("input_audio_buffer.committed", item_id=id, previous_item_id=next(reversed(session.items), None))
        session.item_added(item)
        session.item_done(item)
        if self._config()["transcription"] is not None:
            self._transcribe(part, id, sound)

    def _transcribe(self, part: dict[str, Any], id: str, sound: bytes) -> None:
        session, place = self._session, {"item_id": id, "content_index": 0}
        if session.sim.quirks.deaf:
            error = {"type": "server_error", "code": None, "message": "The transcription failed.", "param": None}
            session.send("conversation.item.input_audio_transcription.failed", **place, error=error)
            return
        text = unspelled(sound, 24_000)
        part["transcript"] = text
        for word in text.split(" "):
            delta = word if word == text else f"{word} "
            session.send("conversation.item.input_audio_transcription.delta", **place, delta=delta)
        came, went = -(-len(sound) // (100 * _MS)), tokens(text)
        usage = {
            "type": "tokens",
            "input_tokens": came,
            "output_tokens": went,
            "total_tokens": came + went,
            "input_token_details": {"audio_tokens": came, "text_tokens": 0},
        }
        name = "conversation.item.input_audio_transcription.completed"
        session.send(name, **place, transcript=text, usage=usage)
