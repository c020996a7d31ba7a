"""The chat completions format, both ways: a request as JSON, a streamed answer as events. Opens no connection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from townsfolk.models.base import Call, Emit, Image, Request, Text, Usage
from townsfolk.prompt import Prompt

__all__ = ["Answer", "BadStream", "Dialect", "Lines", "body_of", "folded_messages", "messages_of"]

_MAX_LINE: Final = 1 << 20
"""Bytes of one streamed chunk; a server that sends more is no chat server."""
_OPTIONAL: Final = ("stream_options", "temperature", "reasoning_effort", "tools")
"""Fields that an answer can do without, in the order in which a server's complaint is searched for them."""
_ACTED: Final = "The game was asked to do this. Say your line now."


class BadStream(Exception):
    """What came is not the protocol."""


@dataclass(slots=True)
class Dialect:
    """What a server was found to accept: compatible servers differ in the optional fields.

    Attributes:
        tokens: What the token limit is called: newer OpenAI models refuse ``max_tokens``, other servers know only that.
        extra: Fields that this server wants besides.
        without: Fields that the server refused.
    """

    tokens: str = "max_tokens"
    extra: Mapping[str, Any] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    _swapped: bool = False

    def learn(self, complaint: str) -> bool:
        """Whether a refused request may be put differently. Each difference is learnt once."""
        complaint = complaint.lower()
        if "max_completion_tokens" in complaint or "max_tokens" in complaint:
            if self._swapped:
                return False
            self.tokens = "max_completion_tokens" if self.tokens == "max_tokens" else "max_tokens"
            self._swapped = True
            return True
        for name in _OPTIONAL:
            # "does not support tools", "Unsupported value: 'temperature'", "unknown field stream_options"
            if name in complaint and name not in self.without:
                self.without.add(name)
                return True
        return False


def messages_of(prompt: Prompt) -> list[dict[str, Any]]:
    """The prompt as it is: the stable part first, as one system message."""
    return [
        {"role": "system", "content": prompt.instructions},
        *({"role": message.role, "content": message.text} for message in prompt.messages),
    ]


def folded_messages(prompt: Prompt, *, talk: int = 2, aside: int = 240) -> list[dict[str, Any]]:
    """The prompt for small models, which read slowly and whose templates take one system message, at the start.

    Speakers take turns, the player first. What the character knows and remembers goes in front of what is said now, and
    the beginning stays the same bytes, so that the server's cache of it holds: only what is new has to be read.

    Args:
        talk: So many of the latest messages before the last are kept.
        aside: So many characters of what is known and remembered are kept, best first.
    """
    made: list[dict[str, Any]] = [{"role": "system", "content": prompt.instructions}]
    *before, last = prompt.messages
    known = "\n".join(message.text for message in before if message.role == "system")
    spoken = [message for message in before if message.role != "system"]
    for message in [*spoken[len(spoken) - min(talk, len(spoken)) :], last]:
        text = (
            f"({shortened})\n\n{message.text}"
            if message is last and (shortened := _first(known, aside))
            else message.text
        )
        if made[-1]["role"] == message.role:
            made[-1]["content"] += "\n" + text
        else:
            if message.role == "assistant" and len(made) == 1:
                made.append({"role": "user", "content": "(The player comes up.)"})
            made.append({"role": message.role, "content": text})
    return made


def _first(text: str, most: int) -> str:
    """As many whole lines as fit; a title without its list is none."""
    lines: list[str] = []
    for line in text.splitlines():
        if sum(map(len, lines)) + len(line) > most:
            break
        lines.append(line)
    while lines and lines[-1].endswith(":"):
        lines.pop()
    return "\n".join(lines)


def body_of(
    request: Request,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    dialect: Dialect,
    *,
    tools: bool = True,
    images: Sequence[Image] = (),
) -> dict[str, Any]:
    """The request as chat completions wants it, in the server's dialect."""
    if images:
        messages = _shown(messages, images)
    body: dict[str, Any] = {
        "model": model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        dialect.tokens: request.max_tokens,
        **dialect.extra,
    }
    if request.persona.model.temperature is not None:
        body["temperature"] = request.persona.model.temperature
    if request.actions and tools:
        body["tools"] = [_tool(name, spec) for name, spec in request.actions.items()]
    for name in dialect.without:
        body.pop(name, None)
    return body


def _shown(messages: Sequence[Mapping[str, Any]], images: Sequence[Image]) -> list[Mapping[str, Any]]:
    """The messages, with pictures beside what the player says now."""
    looks = [{"type": "image_url", "image_url": {"url": each.uri, "detail": each.detail}} for each in images]
    last = max(n for n, message in enumerate(messages) if message["role"] == "user")
    said = {**messages[last], "content": [*looks, {"type": "text", "text": messages[last]["content"]}]}
    return [*messages[:last], said, *messages[last + 1 :]]


def _tool(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: spec[key] for key in ("description", "parameters", "strict") if key in spec}
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}, **function}}


class Lines:
    """Cuts a stream of bytes into the ``data:`` of server-sent events. Anything else in it is no data."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data fields that are whole now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE:
            raise BadStream("a chunk of more than a mebibyte")
        for line in whole:
            if line.startswith(b"data:"):
                yield line[5:].strip()


@dataclass(slots=True)
class _OpenCall:
    id: str
    name: str = ""
    args: str = ""


class Answer:
    """Reads one streamed answer. Emits words at once and each action when it is whole.

    Attributes:
        said: Whether any words came.
        understood: Whether anything came that was a chat completion.
        calls: The actions it proposed.
        finish: Why the server ended it; ``None`` while it has not.
        usage: Tokens, as far as the server told.
        notes: What could not be used.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._open: dict[int, _OpenCall] = {}
        self.said = False
        self.understood = False
        self.calls: list[Call] = []
        self.finish: str | None = None
        self.usage = Usage()
        self.notes: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether anything of the line came."""
        return self.said or bool(self._open) or bool(self.calls)

    def read(self, data: bytes) -> Mapping[str, Any] | None:
        """Takes one chunk. Gives back the server's error, if it is one."""
        if data == b"[DONE]":
            self.finish = self.finish or ("stop" if self.understood else None)
            return None
        try:
            chunk = json.loads(data)
        except ValueError:
            raise BadStream(f"no JSON: {data[:60]!r}") from None
        if not isinstance(chunk, dict):
            raise BadStream(f"no object: {data[:60]!r}")
        if error := chunk.get("error"):
            return error if isinstance(error, dict) else {"message": str(error)}
        self._usage(chunk.get("usage"))
        choices = chunk.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            choice = choices[0]
            self.understood = True
            # `message` is the whole answer of a server that does not stream.
            delta = choice.get("delta") or choice.get("message")
            if isinstance(delta, dict):
                self._delta(delta)
            if isinstance(reason := choice.get("finish_reason"), str):
                self.finish = reason
        return None

    def end(self) -> None:
        """No more will come: the last action is whole."""
        self._close_calls()

    def acted(self) -> list[dict[str, Any]]:
        """The messages that tell the model its actions were passed on, so that it goes on to speak."""
        asked = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.args)}}
            for call in self.calls
        ]
        answered = [{"role": "tool", "tool_call_id": call.id, "content": _ACTED} for call in self.calls]
        return [{"role": "assistant", "content": "", "tool_calls": asked}, *answered]

    def _delta(self, delta: Mapping[str, Any]) -> None:
        text = delta.get("content")
        if isinstance(text, list):  # some servers send parts
            text = "".join(str(part.get("text") or "") for part in text if isinstance(part, dict))
        if isinstance(text, str) and text:
            if not self.said:
                text = text.lstrip()
            if text:
                self._close_calls()
                self.said = True
                self._emit(Text(text))
        calls = delta.get("tool_calls")
        for part in calls if isinstance(calls, list) else ():
            if isinstance(part, dict):
                self._call_part(part)

    def _call_part(self, part: Mapping[str, Any]) -> None:
        index = part.get("index")
        index = index if isinstance(index, int) else 0
        id = str(part.get("id") or "")
        known = self._open.get(index)
        if known is not None and id and known.id != id:  # some servers give every call the index 0
            self._close_calls()
            known = None
        if known is None:
            known = self._open[index] = _OpenCall(id or f"call-{len(self.calls) + len(self._open)}")
        function = part.get("function")
        if isinstance(function, dict):
            known.name = str(function.get("name") or known.name)
            args = function.get("arguments")
            known.args += json.dumps(args) if isinstance(args, dict) else str(args or "")

    def _close_calls(self) -> None:
        for known in self._open.values():
            try:
                args = json.loads(known.args or "{}")
            except ValueError:
                args = None
            if not isinstance(args, dict) or not known.name:
                self.notes.append(
                    f"the action {known.name or '(no name)'} was left out: its arguments are no JSON object"
                )
                continue
            call = Call(known.id, known.name, args)
            self.calls.append(call)
            self._emit(call)
        self._open.clear()

    def _usage(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        self.usage = Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
