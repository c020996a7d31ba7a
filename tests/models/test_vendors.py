"""One client for every vendor: what exactly is sent to whom, and living with servers that differ from OpenAI's."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from townsfolk.errors import ModelError
from townsfolk.models.base import Text
from townsfolk.models.connect import Connector
from townsfolk.models.realtime import Realtime
from townsfolk.models.sdk import confined
from townsfolk.models.secret import Secret
from townsfolk.models.text import TextModel
from townsfolk.simulator import Pace, Quirks, Simulator

POISON = {
    "OPENAI_API_KEY": "sk-openai-alone",
    "OPENAI_ADMIN_KEY": "sk-admin",
    "OPENAI_ORG_ID": "org-openai-alone",
    "OPENAI_PROJECT_ID": "proj-openai-alone",
    "OPENAI_BASE_URL": "https://elsewhere.example/v1",
    "OPENAI_CUSTOM_HEADERS": "X-Gateway: openai-alone",
    "AZURE_OPENAI_API_KEY": "azure-alone",
    "OPENAI_API_VERSION": "2024-10-01-preview",
}


class Recorder:
    """A server by websockets' authors, at Azure's path. Notes each handshake, and speaks one word without extras."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.seen: list[HttpRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/openai/v1"

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Recorder]:
        async with serve(self._talk, "127.0.0.1", 0, process_request=self._look) as self._server:
            yield self

    def _look(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        self.seen.append(request)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return connection.respond(401, "") if self.keys and given not in self.keys else None

    async def _talk(self, connection: ServerConnection) -> None:
        async def send(type_: str, **fields: Any) -> None:
            await connection.send(json.dumps({"type": type_, **fields}))

        await send("session.created", session={"type": "realtime", "id": "s"})
        async for data in connection:
            event = json.loads(data)
            if event["type"] == "response.create":
                response = {"id": "r", "metadata": event["response"]["metadata"], "status": "in_progress"}
                await send("response.created", response=response)
                await send("response.output_text.delta", response_id="r", item_id="i", delta="Aye.")
                await send("response.done", response={**response, "status": "completed", "usage": None})


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment full of what concerns other servers."""
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)


def ask_azure(ask: Any, key: str | Secret, *keys: str) -> tuple[str | ModelError, Recorder]:
    """One line from a recorder that takes these keys."""

    async def run() -> tuple[str | ModelError, Recorder]:
        async with Recorder(*keys).run() as server:
            model = Realtime(model="dep", base_url=server.url, api_key=key)
            events: list[Any] = []
            try:
                await model.speak(ask(), events.append)
                return "".join(event.text for event in events if isinstance(event, Text)), server
            except ModelError as error:
                return error, server
            finally:
                await model.close()

    return asyncio.run(run())


def test_azure_is_asked_as_its_ga_path_wants_it(poisoned: None, ask: Any) -> None:
    said, server = ask_azure(ask, "azure-key")
    assert said == "Aye."
    [request] = server.seen
    assert request.path == "/openai/v1/realtime?model=dep"
    assert request.headers.get_all("Authorization") == ["Bearer azure-key"]
    assert "api-key" not in request.headers and "openai-beta" not in request.headers
    sent = str(list(request.headers.raw_items()))
    assert not [word for word in ("alone", "api-version", "org-", "proj-", "sk-") if word in sent]


def test_a_session_whose_end_nobody_tells_is_left_after_25_minutes(ask: Any) -> None:
    async def run() -> float:
        async with Recorder().run() as server:
            connector = Connector("dep", "k", server.url)
            opened = await connector.open()
            await opened.connection.close()
            await connector.close()
            return opened.usable_until - asyncio.get_running_loop().time()

    assert 1400 < asyncio.run(run()) <= 1500  # Azure was seen to cut at 30


def test_openais_key_stays_with_openai_whatever_the_environment_says(poisoned: None) -> None:
    for client in (confined("k", None), confined("k", None, websocket=True)):
        assert str(client.base_url) == "https://api.openai.com/v1/" and client.websocket_base_url is None
        assert client.api_key == "k"
    other = confined("", "http://127.0.0.1:9/v1")
    assert other.api_key == "none" and not {"alone"} & set(str(other.default_headers).split("-"))


def test_a_chat_server_is_sent_nothing_of_anybody_elses(poisoned: None, chat_server: Any, ask: Any, heard: Any) -> None:
    async def run() -> str:
        async with chat_server() as server:
            model = TextModel("m", base_url=server.url, api_key="mine")
            await model.speak(ask(), heard)
            await model.close()
            assert server.headers[0]["authorization"] == "Bearer mine"
            return str(server.headers)

    assert "alone" not in asyncio.run(run())


def command(folder: Path, *prints: str) -> str:
    """A command that prints these one after the other, then the last for ever."""
    (folder / "keys.json").write_text(json.dumps(prints))
    (folder / "key.py").write_text(
        "import json, pathlib\n"
        f"path = pathlib.Path({str(folder / 'keys.json')!r})\n"
        "keys = json.loads(path.read_text())\n"
        "path.write_text(json.dumps(keys[1:] or keys))\n"
        "print(keys[0])\n"
    )
    return f"'{sys.executable}' '{folder / 'key.py'}'"


def test_a_token_that_is_refused_is_asked_for_anew_once(ask: Any, tmp_path: Path) -> None:
    said, server = ask_azure(ask, Secret(command=command(tmp_path, "old", "new")), "new")
    assert said == "Aye."
    assert [each.headers["Authorization"] for each in server.seen] == ["Bearer old", "Bearer new"]


def test_a_key_that_stays_the_same_is_tried_once(ask: Any, tmp_path: Path) -> None:
    for key in (Secret(command=command(tmp_path, "old")), "old"):
        error, server = ask_azure(ask, key, "new")
        assert isinstance(error, ModelError) and (error.code, error.fatal) == ("bad_key", True)
        assert len(server.seen) == 1


def test_an_expired_client_secret_is_told_as_that(ask: Any) -> None:
    error, server = ask_azure(ask, "ek_0123456789abcdef", "ek_another")
    assert isinstance(error, ModelError) and (error.code, error.fatal) == ("secret_expired", True)
    assert "townsfolk secret" in error.hint and "ek_0123" not in str(error) and len(server.seen) == 1


def test_a_client_secret_is_no_key_for_chat_servers(chat_server: Any, ask: Any, heard: Any) -> None:
    async def run() -> Any:
        async with chat_server() as server:
            model = TextModel("m", base_url=server.url, api_key="ek_0123456789abcdef")
            with pytest.raises(ModelError, match="realtime") as raised:
                await model.speak(ask(), heard)
            await model.close()
            return raised.value, server.requests

    error, requests = asyncio.run(run())
    assert error.code == "bad_key" and not requests


def test_a_chat_servers_token_is_asked_for_anew_when_it_is_refused(
    chat_server: Any, ask: Any, heard: Any, tmp_path: Path
) -> None:
    async def run() -> Any:
        async with chat_server((401, {"error": {"message": "expired"}})) as server:
            model = TextModel("m", base_url=server.url, api_key=Secret(command=command(tmp_path, "old", "new")))
            await model.speak(ask(), heard)
            await model.close()
            return [each["authorization"] for each in server.headers]

    assert asyncio.run(run()) == ["Bearer old", "Bearer new"]


COMPATIBLE = {
    "one response at a time": Quirks(parallel=False, in_flight=1),
    "its error in the type": Quirks(parallel=False, in_flight=1, busy_in="type"),
    "the old item event": Quirks(legacy_items=True),
    "no references": Quirks(references=False),
    "no rate limits": Quirks(rate_limits=False),
    "no end told": Quirks(expires_at=False),
    "no metadata": Quirks(metadata=False),
    "no usage": Quirks(usage=False),
    "no cancel": Quirks(cancel=False),
    "all of it": Quirks(
        parallel=False, in_flight=1, busy_in="type", metadata=False, legacy_items=True, usage=False,
        references=False, rate_limits=False, expires_at=False, cancel=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("quirks", COMPATIBLE.values(), ids=COMPATIBLE.keys())
def test_a_compatible_server_speaks_every_line_whole(quirks: Quirks, ask: Any) -> None:
    async def run() -> tuple[list[str], str]:
        said = "One two three four five six."
        async with Simulator(lambda response: said, quirks=quirks, pace=Pace(rate=200)) as sim:
            model = Realtime(base_url=sim.url, sockets=2)
            heard: list[list[Any]] = [[] for _ in range(6)]
            dropped: list[Any] = []
            first = asyncio.create_task(model.speak(ask(line="dropped"), dropped.append))
            while not dropped:
                await asyncio.sleep(0.002)
            first.cancel()
            lines = [model.speak(ask(line=f"l{n}"), each.append) for n, each in enumerate(heard)]
            await asyncio.wait_for(asyncio.gather(*lines), 20)
            await model.close()
            return ["".join(event.text for event in each) for each in heard], str(sim.creates())

    heard, asked = asyncio.run(run())
    assert heard == ["One two three four five six."] * 6
    assert "item_reference" not in asked
