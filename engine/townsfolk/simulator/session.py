"""One realtime session: its configuration, conversation and responses. Knows no sockets; connection.py does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from townsfolk.pictures import tokens_of
from townsfolk.simulator.checks import Refused, check_item, check_response, check_session, merged, picture_of
from townsfolk.simulator.frames import tokens
from townsfolk.simulator.listener import Listener
from townsfolk.simulator.stream import Stream

if TYPE_CHECKING:
    from townsfolk.simulator.connection import Connection
    from townsfolk.simulator.server import Simulator

__all__ = ["Session"]

CACHE_FROM = 1024
"""OpenAI caches prefixes of at least so many tokens, in steps of 128."""
TOKENS_PER_MINUTE = 400_000
EXPIRED = "Your session hit the maximum duration of 60 minutes."


class Session:
    """What the server keeps for one connection."""

    def __init__(self, sim: Simulator, link: Connection, model: str) -> None:
        self.sim = sim
        self.link = link
        self.streams: dict[str, Stream] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.heard: dict[str, int] = {}
        """How many milliseconds of audio each spoken item has."""
        self.conversation_id = self.new_id("conv")
        listener = Listener(self)
        self._expiry: asyncio.TimerHandle | None = None
        pcm = {"type": "audio/pcm", "rate": 24_000}
        self.config: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": self.new_id("sess"),
            "model": model,
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "include": None,
            "audio": {
                "input": {"format": pcm, "transcription": None, "noise_reduction": None, "turn_detection": None},
                "output": {"format": pcm, "voice": "alloy", "speed": 1.0},
            },
        }
        if sim.quirks.expires_at:
            self.config["expires_at"] = int(time.time() + sim.lifetime)
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session.update": self._update,
            "response.create": self._create,
            "response.cancel": self._cancel,
            "conversation.item.create": self._item_create,
            "conversation.item.delete": self._item_delete,
            "conversation.item.retrieve": self._item_retrieve,
            "conversation.item.truncate": self._item_truncate,
            "input_audio_buffer.append": listener.append,
            "input_audio_buffer.commit": listener.commit,
            "input_audio_buffer.clear": listener.clear,
        }

    # the session's life

    def open(self) -> None:
        if self.sim.models is not None and self.config["model"] not in self.sim.models:
            self.error(
                "model_not_found", f"The model `{self.config['model']}` does not exist or you do not have access."
            )
            self.link.close(4000, "invalid_request_error.model_not_found")
            return
        self.send("session.created", session=self.config)
        self._expiry = asyncio.get_running_loop().call_later(self.sim.lifetime, self.expire)

    def expire(self) -> None:
        """What OpenAI does when a session has lasted too long."""
        self.error("session_expired", EXPIRED)
        self.link.close(1001, EXPIRED)

    def close(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        for stream in list(self.streams.values()):
            stream.stop()

    def resume(self) -> None:
        for stream in list(self.streams.values()):
            stream.wake()

    # what streams and handlers use

    def new_id(self, kind: str) -> str:
        return f"{kind}_{next(self.sim.ids):021d}"

    def send(self, type_: str, **fields: Any) -> None:
        self.link.write(self.sim.frames.event(type_, **fields))

    def error(
        self,
        code: str | None,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        error = {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
        self.send("error", error=error)

    def rate_limits(self) -> None:
        if self.sim.quirks.rate_limits:
            limit = {
                "name": "tokens",
                "limit": TOKENS_PER_MINUTE,
                "remaining": max(0, TOKENS_PER_MINUTE - self.sim.tokens),
                "reset_seconds": 60.0 * min(self.sim.tokens, TOKENS_PER_MINUTE) / TOKENS_PER_MINUTE,
            }
            self.send("rate_limits.updated", rate_limits=[limit])

    def usage(self, params: dict[str, Any], spoken: dict[str, int]) -> dict[str, Any] | None:
        """What a response took: about a token for each four bytes, and the cache as OpenAI describes it."""
        prefix = params["instructions"]
        cached = 0
        if (size := tokens(prefix)) >= CACHE_FROM:
            cached = size // 128 * 128 if prefix in self.sim.prefixes else 0
            self.sim.prefixes.add(prefix)
        heard = sum(
            len(part.get("audio") or "") * 3 // 4 // 4800
            for item in params["input"]
            for part in item.get("content", ())
            if part.get("type") == "input_audio"
        )
        pictures = [part for item in params["input"] for part in item.get("content", ()) if "image_url" in part]
        seen = sum(_looked_at(part) for part in pictures)
        text = size + sum(tokens(_text(item)) + 3 for item in params["input"])
        out = spoken["text"] + spoken["audio"]
        self.sim.tokens += text + heard + seen + out
        if not self.sim.quirks.usage:
            return None
        return {
            "total_tokens": text + heard + seen + out,
            "input_tokens": text + heard + seen,
            "output_tokens": out,
            "input_token_details": {
                "text_tokens": text,
                "audio_tokens": heard,
                "image_tokens": seen,
                "cached_tokens": cached,
                "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": spoken["text"], "audio_tokens": spoken["audio"]},
        }

    def item_added(self, item: dict[str, Any]) -> None:
        """An item enters the conversation, perhaps unfinished."""
        before = next(reversed(self.items), None)
        self.items[item["id"]] = item
        kind = "conversation.item.created" if self.sim.quirks.legacy_items else "conversation.item.added"
        self.send(kind, previous_item_id=before, item=item)

    def item_done(self, item: dict[str, Any]) -> None:
        if not self.sim.quirks.legacy_items:
            self.send("conversation.item.done", previous_item_id=self._before(item["id"]), item=item)

    # what the client sends

    def receive(self, data: bytes) -> None:
        """Acts on one client event. Mistakes in it become ``error`` events, as OpenAI's do."""
        event_id = None
        try:
            try:
                event = json.loads(data)
            except ValueError:
                raise Refused("invalid_json", "The message is not valid JSON.") from None
            if not isinstance(event, dict):
                raise Refused("invalid_json", "The message is not a JSON object.")
            self.sim.received.append(event)
            event_id = event.get("event_id")
            handler = self._handlers.get(str(event.get("type")))
            if handler is None:
                raise Refused("invalid_value", f"Invalid value: {event.get('type')!r}.", "type")
            handler(event)
        except Refused as refused:
            self.error(refused.code, refused.message, param=refused.param, kind=refused.kind, event_id=event_id)

    def _update(self, event: dict[str, Any]) -> None:
        change = check_session(
            event.get("session"), spoken=bool(self.heard), voice=self.config["audio"]["output"]["voice"]
        )
        self.config = merged(self.config, change)
        self.send("session.updated", session=self.config)

    def _create(self, event: dict[str, Any]) -> None:
        sim = self.sim
        asked = check_response(event.get("response") or {})
        conversation = asked.get("conversation", "auto")
        reply = sim.next_reply()
        fault = reply.fault if reply is not None else None
        if fault is not None and fault.do == "ignore":
            return
        if fault is not None and fault.do == "refuse":
            raise Refused(fault.code, fault.message, kind=fault.kind)
        busy = next((s for s in self.streams.values() if s.in_band or not sim.quirks.parallel), None)
        if sim.quirks.parallel and conversation == "none":
            busy = None
        if busy is not None or len(self.streams) >= (sim.quirks.in_flight or 1 << 30):
            name, running = "conversation_already_has_active_response", busy or next(iter(self.streams.values()))
            message = f"Conversation already has an active response in progress: {running.id}."
            code, kind = (name, "invalid_request_error") if sim.quirks.busy_in == "code" else (None, name)
            sim.return_reply(reply)
            raise Refused(code, message, kind=kind)
        params = {key: self.config[key] for key in ("instructions", "output_modalities", "tools", "tool_choice")}
        params["max_output_tokens"] = self.config["max_output_tokens"]
        params["audio"] = {"output": {key: self.config["audio"]["output"][key] for key in ("format", "voice")}}
        params |= asked | {"conversation": conversation}
        params["audio"] = merged({"output": self.config["audio"]["output"]}, asked.get("audio") or {})
        params["audio"]["output"].pop("speed", None)
        given = asked.get("input")
        params["input"] = list(self.items.values()) if given is None else [self._resolved(item) for item in given]
        stream = Stream(self, self.new_id("resp"), params, fault=fault)
        self.streams[stream.id] = stream
        stream.begin(reply if reply is not None else sim.brain)

    def _cancel(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        if not self.sim.quirks.cancel:
            self.send("response.cancelled", response_id=wanted)
            return
        stream = next((s for s in self.streams.values() if (s.in_band if wanted is None else s.id == wanted)), None)
        if stream is None:
            raise Refused("response_cancel_not_active", "Cancellation failed: no active response found")
        stream.cancel()

    def _item_create(self, event: dict[str, Any]) -> None:
        item = check_item(event.get("item"))
        item = {"id": self.new_id("item"), "object": "realtime.item", "status": "completed", **item}
        if item["id"] in self.items:
            raise Refused("item_create_duplicate_item_id", f"Item with id {item['id']!r} exists already.", "item.id")
        place = event.get("previous_item_id")
        if place not in (None, "root"):
            self._find(place, "create")
        self.item_added(item)
        if place is not None:
            rest = list(self.items.items())[:-1]
            at = 0 if place == "root" else [key for key, _ in rest].index(place) + 1
            self.items = dict([*rest[:at], (item["id"], item), *rest[at:]])
        self.item_done(item)

    def _item_delete(self, event: dict[str, Any]) -> None:
        item = self._find(event.get("item_id"), "delete")
        del self.items[item["id"]]
        self.send("conversation.item.deleted", item_id=item["id"])

    def _item_retrieve(self, event: dict[str, Any]) -> None:
        self.send("conversation.item.retrieved", item=self._find(event.get("item_id"), "retrieve"))

    def _item_truncate(self, event: dict[str, Any]) -> None:
        item = self._find(event.get("item_id"), "truncate")
        end = event.get("audio_end_ms")
        length = self.heard.get(item["id"], 0)
        if not length:
            raise Refused("invalid_value", "Only model output audio messages can be truncated.", "item_id")
        if not isinstance(end, int) or not 0 < end <= length:
            message = f"Audio content of {length}ms is already shorter than {end}ms"
            raise Refused("invalid_value", message, "audio_end_ms")
        self.heard[item["id"]] = end
        for part in item["content"]:
            part.pop("transcript", None)
        place = {"item_id": item["id"], "content_index": event.get("content_index", 0)}
        self.send("conversation.item.truncated", **place, audio_end_ms=end)

    # the inside

    def _find(self, id: object, verb: str) -> dict[str, Any]:
        item = self.items.get(str(id))
        if item is None:
            message = f"Error handling item {verb}: item with id {id!r} not found."
            raise Refused(f"item_{verb}_invalid_item_id", message, "item_id")
        return item

    def _resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        if item.get("type") != "item_reference":
            return item
        if not self.sim.quirks.references:
            raise Refused("invalid_value", "Invalid value: 'item_reference'.", "response.input")
        return self._find(item.get("id"), "reference")

    def _before(self, id: str) -> str | None:
        before = None
        for key in self.items:
            if key == id:
                return before
            before = key
        return before


def _looked_at(part: dict[str, Any]) -> int:
    picture = picture_of(part, "image")
    return tokens_of(picture.width, picture.height, "low" if part.get("detail") == "low" else "high")


def _text(item: dict[str, Any]) -> str:
    parts = [str(part.get("text") or part.get("transcript") or "") for part in item.get("content", ())]
    return " ".join([*parts, str(item.get("arguments", "")), str(item.get("output", ""))]).strip()
