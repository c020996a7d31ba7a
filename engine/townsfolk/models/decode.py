"""The realtime protocol as values: frames to mappings, requests to JSON, ends to `Spoken` or errors. No sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from jiter import from_json  # comes with the SDK: five times as fast as json, and nearly as exact

from townsfolk.errors import ModelError
from townsfolk.models.base import Request, Spoken, Usage
from townsfolk.models.refusals import refusal

__all__ = [
    "BUSY",
    "TEXT_DELTA",
    "arguments",
    "create",
    "decode",
    "ending",
    "is_busy",
    "sound_tokens",
    "speaks",
    "usage_of",
]

TEXT_DELTA: Final = "response.output_text.delta"
_MOST_OUTPUT: Final = 4096
BUSY: Final = "conversation_already_has_active_response"
_PART: Final = {"system": "input_text", "user": "input_text", "assistant": "output_text"}
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def decode(data: bytes) -> Any:
    """The JSON value of a frame.

    Half a surrogate pair, or bytes that are no UTF-8, become U+FFFD: what comes out can always be encoded again.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return from_json(data)
    except ValueError:
        return _mended(json.loads(data.decode("utf-8", "replace")))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    return value


def create(request: Request, rid: str) -> str:
    """The response.create for a line, out-of-band: all that the model is told is in it.

    ``rid`` comes back as the metadata of the response, and as the ``event_id`` of an error if it is refused.
    """
    response: dict[str, Any] = {
        "conversation": "none",
        "metadata": {"rid": rid, "npc": request.persona.id},
        "output_modalities": ["text"],
        "instructions": request.prompt.instructions,
        "input": [
            {"type": "message", "role": message.role, "content": [{"type": _PART[message.role], "text": message.text}]}
            for message in request.prompt.messages
        ],
        "max_output_tokens": request.max_tokens,
    }
    if request.voice is not None:
        response["output_modalities"] = ["audio"]
        response["max_output_tokens"] = min(_MOST_OUTPUT, request.max_tokens + sound_tokens(request))
    if request.images:  # with what the player says: it is the last thing that is looked at
        looks = [{"type": "input_image", "image_url": each.uri, "detail": each.detail} for each in request.images]
        last = next(item for item in reversed(response["input"]) if item["role"] == "user")
        last["content"] = [*looks, *last["content"]]
    if request.actions:
        response["tools"] = [_tool(name, spec) for name, spec in request.actions.items()]
        response["tool_choice"] = "auto"
    return _encode({"type": "response.create", "event_id": rid, "response": response})


def sound_tokens(request: Request) -> int:
    """How many tokens of sound a line may have: a token is 50 ms, and a token of text is spoken in about 250."""
    return request.max_tokens * 5 if request.voice is not None else 0


def speaks(voice: str, speed: float) -> str:
    """The session.update that gives a session its voice. It holds for as long as the session does."""
    output = {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": voice, "speed": speed}
    return _encode({"type": "session.update", "session": {"type": "realtime", "audio": {"output": output}}})


def _tool(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: spec[key] for key in ("description", "parameters") if key in spec}
    return {"type": "function", "name": name, "parameters": {"type": "object"}, **function}


def arguments(text: object) -> dict[str, Any] | None:
    """The arguments of a function call, or None if they are no JSON object. No text at all means no arguments."""
    if text in (None, ""):
        return {}
    try:
        args = decode(str(text).encode("utf-8", "replace"))
    except ValueError:
        return None
    return args if isinstance(args, dict) else None


def is_busy(error: Mapping[str, Any]) -> bool:
    """Whether a server says that it speaks another response just now. Some put the word in ``type``."""
    return BUSY in (error.get("code"), error.get("type"))


def usage_of(response: Mapping[str, Any]) -> Usage:
    """What a response took, as far as the server says."""
    usage = _mapping(response.get("usage"))
    came, out = _mapping(usage.get("input_token_details")), _mapping(usage.get("output_token_details"))
    cached = _mapping(came.get("cached_tokens_details"))
    return Usage(
        input=_count(usage.get("input_tokens")),
        output=_count(usage.get("output_tokens")),
        cached=_count(came.get("cached_tokens")),
        input_text=_count(came.get("text_tokens")),
        input_audio=_count(came.get("audio_tokens")),
        input_image=_count(came.get("image_tokens")),
        cached_text=_count(cached.get("text_tokens")),
        cached_audio=_count(cached.get("audio_tokens")),
        cached_image=_count(cached.get("image_tokens")),
        output_text=_count(out.get("text_tokens")),
        output_audio=_count(out.get("audio_tokens")),
    )


def ending(
    response: Mapping[str, Any], who: str, model: str, *, said: bool, acted: bool, notes: tuple[str, ...] = ()
) -> Spoken | ModelError:
    """What the ``response`` of a response.done means.

    Args:
        response: It may lack anything.
        who: The model and its server, for messages.
        model: The model's name in `Spoken`.
        said: Whether words have come.
        acted: Whether an action was proposed.
        notes: For `Spoken`.
    """
    details = _mapping(response.get("status_details"))
    reason = details.get("reason")
    match response.get("status"):
        case "failed":
            return refusal(_mapping(details.get("error")), who, said=said)
        case "cancelled":
            return ModelError("interrupted", f"{who} stopped the response by itself ({reason or 'no reason given'}).")
        case "incomplete" if reason == "content_filter":
            return ModelError("content_filter", f"{who} stopped the line: its content filter was hit.")
        case "incomplete" if said or acted:
            return Spoken(model, "length", usage_of(response), notes=notes)
        case _ if said or acted:
            return Spoken(model, "stop", usage_of(response), notes=notes)
    return ModelError("empty_reply", f"{who} ended the response without a word.")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
