"""A bare client for the simulator that checks every event against the SDK's types, strictly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect

UNLISTED = {".session": {"id", "object", "expires_at"}, ".status_details.error": {"message"}}
"""What OpenAI's server sends and the SDK's types do not list; of errors, only SDK 2 does not."""


def _types() -> dict[str, type[BaseModel]]:
    union = RealtimeServerEvent
    while get_origin(union) is Annotated:
        union = get_args(union)[0]
    assert get_origin(union) in (Union, UnionType)
    return {get_args(each.model_fields["type"].annotation)[0]: each for each in get_args(union)}


TYPES = _types()


def _extras(value: Any, path: str) -> list[str]:
    if isinstance(value, BaseModel):
        unlisted = next((more for end, more in UNLISTED.items() if path.endswith(end)), set())
        extra = set(value.model_extra or {}) - unlisted
        found = [f"{path}.{name}" for name in extra]
        for name in type(value).model_fields:
            found += _extras(getattr(value, name), f"{path}.{name}")
        return found
    if isinstance(value, list | tuple):
        return [each for n, item in enumerate(value) for each in _extras(item, f"{path}[{n}]")]
    return []


def validate(data: bytes) -> dict[str, Any]:
    """The event, if it is one that OpenAI's server could have sent."""
    event: dict[str, Any] = json.loads(data)
    assert event["type"] in TYPES, f"no such event: {event['type']}"
    typed = TYPES[event["type"]].model_validate_json(data, strict=True)
    assert _extras(typed, event["type"]) == []
    return event


class Client:
    """One connection. ``seen`` has every event so far, each checked; ``unchecked`` names types that are let through."""

    def __init__(self, socket: ClientConnection, unchecked: frozenset[str]) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        self._unchecked = unchecked
        self._ids = 0

    async def send(self, type_: str, **fields: Any) -> str:
        """Sends an event; returns its id."""
        self._ids += 1
        await self.socket.send(json.dumps({"type": type_, "event_id": f"c{self._ids}", **fields}))
        return f"c{self._ids}"

    async def create(self, **response: Any) -> str:
        """Asks for a text response, out-of-band unless told otherwise."""
        defaults = {"conversation": "none", "output_modalities": ["text"], "input": []}
        return await self.send("response.create", response={**defaults, **response})

    async def recv(self) -> dict[str, Any]:
        data = await self.socket.recv(decode=False)
        kind = json.loads(data).get("type")
        event = json.loads(data) if kind in self._unchecked else validate(data)
        self.seen.append(event)
        return event

    async def until(self, type_: str) -> dict[str, Any]:
        """The next event of a type; those before it are only kept."""
        while (event := await self.recv())["type"] != type_:
            pass
        return event

    async def line(self) -> tuple[str, dict[str, Any]]:
        """The text of the next response that ends, joined from its deltas, and its response.done."""
        start = len(self.seen)
        done = await self.until("response.done")
        id = done["response"]["id"]
        text = "".join(
            event["delta"]
            for event in self.seen[start:]
            if event.get("response_id") == id and event["type"].endswith("_text.delta")
        )
        return text, done["response"]


@asynccontextmanager
async def client(url: str, *, key: str = "sk-test", unchecked: frozenset[str] = frozenset()) -> AsyncIterator[Client]:
    """Connects, and takes the session.created."""
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(f"{url}/realtime?model=m", additional_headers=headers, compression=None, proxy=None) as socket:
        made = Client(socket, unchecked)
        assert (await made.recv())["type"] == "session.created"
        yield made


@pytest.fixture
def talk() -> Callable[..., Any]:
    """``async with talk(sim.url) as client``."""
    return client


@pytest.fixture
def event_types() -> dict[str, type[BaseModel]]:
    """Each event type of the SDK with its class."""
    return TYPES


@pytest.fixture
def checked() -> Callable[[bytes], dict[str, Any]]:
    """Checks one frame."""
    return validate
