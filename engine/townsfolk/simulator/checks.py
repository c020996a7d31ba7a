"""What OpenAI's server refuses in a client's events, as far as the simulator knows. Changes nothing it is given."""

from __future__ import annotations

import base64
from typing import Any

from townsfolk.errors import UsageError
from townsfolk.pictures import Picture, look

__all__ = ["Refused", "check_item", "check_response", "check_session", "merged", "picture_of"]

_RESPONSE = frozenset(
    "output_modalities instructions input conversation metadata audio max_output_tokens tools tool_choice reasoning "
    "parallel_tool_calls prompt".split()
)
_SESSION = frozenset(
    "type model instructions output_modalities audio max_output_tokens tools tool_choice parallel_tool_calls reasoning "
    "truncation tracing prompt include".split()
)
_CONTENT = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio", "input_image"},
    "assistant": {"output_text", "output_audio"},
}


class Refused(Exception):
    """The server does not do what this client event asks."""

    def __init__(
        self, code: str | None, message: str, param: str | None = None, *, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.param, self.kind = code, message, param, kind


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``old`` with the keys of ``new``, mappings joined all the way down. Shares nothing that it changes."""
    out = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else value
    return out


def check_response(response: Any) -> dict[str, Any]:
    """The parameters of a response.create."""
    params = _mapping(response, "response", _RESPONSE)
    _modalities(params, "response")
    if params.get("conversation", "auto") not in ("auto", "none"):
        raise Refused("invalid_value", "Supported values are: 'auto' and 'none'.", "response.conversation")
    metadata = params.get("metadata")
    if metadata is not None:
        good = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
        if not good or len(metadata) > 16 or any(len(k) > 64 or len(v) > 512 for k, v in metadata.items()):
            message = "Expected at most 16 pairs of strings, keys of 64 and values of 512 characters at most."
            raise Refused("invalid_value", message, "response.metadata")
    limit = params.get("max_output_tokens", "inf")
    if limit != "inf" and (not isinstance(limit, int) or not 1 <= limit <= 4096):
        raise Refused("invalid_value", "Expected an integer from 1 to 4096, or 'inf'.", "response.max_output_tokens")
    given = params.get("input")
    if given is not None:
        if not isinstance(given, list):
            raise Refused("invalid_type", "Expected an array of items.", "response.input")
        params = {**params, "input": [item if _is_reference(item) else check_item(item) for item in given]}
    _tools(params, "response")
    return params


def check_session(session: Any, *, spoken: bool, voice: str) -> dict[str, Any]:
    """The changes of a session.update. ``spoken`` says that the model has been heard already, with this ``voice``."""
    change = _mapping(session, "session", _SESSION)
    if change.get("type") != "realtime":
        raise Refused("missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type")
    if "model" in change:
        raise Refused("cannot_update_model", "Cannot change the model of a session.", "session.model")
    new = ((change.get("audio") or {}).get("output") or {}).get("voice", voice)
    if spoken and new != voice:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise Refused("cannot_update_voice", message, "session.audio.output.voice")
    _modalities(change, "session")
    _tools(change, "session")
    return change


def check_item(item: Any) -> dict[str, Any]:
    """An item of a conversation, made by the client."""
    if not isinstance(item, dict):
        raise Refused("invalid_type", "Expected an item object.", "item")
    match item.get("type"):
        case "message":
            allowed = _CONTENT.get(str(item.get("role")))
            if allowed is None:
                raise Refused("invalid_value", f"Invalid value: {item.get('role')!r}.", "item.role")
            for n, part in enumerate(item.get("content") or ()):
                if not isinstance(part, dict) or part.get("type") not in allowed:
                    kind = part.get("type") if isinstance(part, dict) else part
                    raise Refused("invalid_value", f"Invalid value: {kind!r}.", f"item.content[{n}].type")
                if part["type"] == "input_image":
                    picture_of(part, f"item.content[{n}]")
            return {"content": [], **item}
        case "function_call":
            needed = ("name", "arguments")
        case "function_call_output":
            needed = ("call_id", "output")
        case other:
            raise Refused("invalid_value", f"Invalid value: {other!r}.", "item.type")
    for key in needed:
        if not isinstance(item.get(key), str):
            raise Refused("missing_required_parameter", f"Missing required parameter: 'item.{key}'.", f"item.{key}")
    return item


def picture_of(part: dict[str, Any], where: str) -> Picture:
    """The picture of an ``input_image`` part: a PNG or JPEG as a data URI."""
    kind, _, data = str(part.get("image_url")).partition(";base64,")
    try:
        picture = look(base64.b64decode(data, validate=True))
    except (ValueError, UsageError) as error:
        raise Refused("invalid_value", f"Invalid image: {error}", f"{where}.image_url") from None
    if kind != f"data:{picture.mime}":
        raise Refused("invalid_value", f"Invalid image: {kind[:40]!r} holds {picture.mime}.", f"{where}.image_url")
    if part.get("detail") not in (None, "auto", "low", "high"):
        raise Refused("invalid_value", f"Invalid value: {part.get('detail')!r}.", f"{where}.detail")
    return picture


def _is_reference(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "item_reference"


def _mapping(data: Any, where: str, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Refused("invalid_type", f"Expected an object for '{where}'.", where)
    for key in data:
        if key not in known:
            raise Refused("unknown_parameter", f"Unknown parameter: '{where}.{key}'.", f"{where}.{key}")
    return data


def _modalities(data: dict[str, Any], where: str) -> None:
    if data.get("output_modalities", ["text"]) not in (["text"], ["audio"]):
        message = "Invalid modalities. Supported combinations are: ['text'] and ['audio']."
        raise Refused("invalid_value", message, f"{where}.output_modalities")


def _tools(data: dict[str, Any], where: str) -> None:
    for n, tool in enumerate(data.get("tools") or ()):
        if not isinstance(tool, dict) or tool.get("type") != "function" or not tool.get("name"):
            raise Refused("invalid_value", "Expected a function tool with a name.", f"{where}.tools[{n}]")
