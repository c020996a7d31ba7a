"""`townsfolk secret`: what is asked of the server, by the SDK's own types, and that the secret opens a session."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from openai.types.realtime import ClientSecretCreateResponse
from openai.types.realtime.client_secret_create_params import ClientSecretCreateParams
from pydantic import TypeAdapter

from townsfolk.errors import TownsfolkError
from townsfolk.host.keys import secret_for
from townsfolk.models.connect import Connector
from townsfolk.shell.secret import secret
from townsfolk.simulator import Simulator

SECRET = "ek_68af296e8e408191a1120ab6383263c2"


class Minting(BaseHTTPRequestHandler):
    """The one request of OpenAI's that makes client secrets."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server.asked.append((self.path, self.headers["authorization"], body))
        status, answer = 401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
        if self.headers["authorization"] == "Bearer right":
            ends = int(time.time()) + body["expires_after"]["seconds"]
            session = {**body["session"], "object": "realtime.session", "id": "sess_1"}
            status, answer = 200, {"value": server.value, "expires_at": ends, "session": session}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def mint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TOWNSFOLK_REALTIME_KEY", "right")
    with ThreadingHTTPServer(("127.0.0.1", 0), Minting) as server:
        server.asked, server.value = [], SECRET  # type: ignore[attr-defined]
        server.url = f"ws://127.0.0.1:{server.server_port}/v1"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def make(mint: Any, cast_folder: Any, **more: Any) -> int:
    settings = {"characters": str(cast_folder), "realtime_url": mint.url}
    return asyncio.run(secret(settings, **{"minutes": 10.0, "npc": None, "as_json": False, **more}))


def test_a_secret_is_made_as_openai_wants_it(mint: Any, cast_folder: Any, capsys: Any) -> None:
    assert make(mint, cast_folder, npc="ada", minutes=2.5) == 0
    out, err = capsys.readouterr()
    assert out == f"{SECRET}\n" and "minutes) for gpt-realtime-2.1-mini on 127.0.0.1" in err and SECRET not in err
    [(path, key, body)] = mint.asked
    assert (path, key) == ("/v1/realtime/client_secrets", "Bearer right")
    TypeAdapter(ClientSecretCreateParams).validate_python(body)
    assert body["expires_after"] == {"anchor": "created_at", "seconds": 150}
    session = body["session"]
    assert session["model"] == "gpt-realtime-2.1-mini" and session["output_modalities"] == ["text"]
    assert "You are Ada Penrose" in session["instructions"] and "put out the lamp herself" not in str(body)


def test_the_server_of_this_test_answers_as_openai_does(mint: Any, cast_folder: Any, capsys: Any) -> None:
    make(mint, cast_folder, as_json=True)
    told = json.loads(capsys.readouterr().out)
    session = {**mint.asked[0][2]["session"], "object": "realtime.session", "id": "sess_1"}
    ClientSecretCreateResponse.model_validate({**told, "session": session})
    assert set(told) == {"value", "expires_at", "model"} and 590 < told["expires_at"] - time.time() <= 600


def test_the_secret_opens_a_session_and_its_command_renews_it(
    mint: Any, cast_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOWNSFOLK_REALTIME_KEY")
    words = [sys.executable, "-m", "townsfolk", "secret", "--json", "--characters", str(cast_folder)]
    command = " ".join(f"'{word}'" for word in [*words, "--set", f"realtime_url={mint.url}"])
    monkeypatch.setenv("TOWNSFOLK_REALTIME_KEY_COMMAND", f"env TOWNSFOLK_REALTIME_KEY=right {command}")

    async def run() -> int:
        async with Simulator(key=SECRET) as sim:
            connector = Connector("m", secret_for("realtime", sim.url), sim.url)
            await (await connector.open()).connection.close()
            await connector.close()
            return sim.handshaken

    assert asyncio.run(run()) == 1 and len(mint.asked) == 1


@pytest.mark.parametrize(
    ("more", "key", "code"),
    [
        ({"minutes": 0.1}, "right", "bad_argument"),
        ({"minutes": 121}, "right", "bad_argument"),
        ({"minutes": float("nan")}, "right", "bad_argument"),
        ({"npc": "nobody"}, "right", "unknown_npc"),
        ({}, "wrong", "bad_key"),
        ({}, "", "missing_key"),
        ({}, SECRET, "bad_key"),
    ],
)
def test_what_cannot_be_made_is_told(
    mint: Any, cast_folder: Any, monkeypatch: pytest.MonkeyPatch, more: Any, key: str, code: str
) -> None:
    monkeypatch.setenv("TOWNSFOLK_REALTIME_KEY", key)
    with pytest.raises(TownsfolkError) as raised:
        make(mint, cast_folder, **more)
    assert raised.value.code == code and raised.value.hint and SECRET not in str(raised.value)
    assert len(mint.asked) == (key == "wrong")


def test_an_answer_without_a_secret_is_told(mint: Any, cast_folder: Any) -> None:
    mint.value = None
    with pytest.raises(TownsfolkError, match="no client secret"):
        make(mint, cast_folder)


def test_it_is_a_command(mint: Any, cast_folder: Any) -> None:
    words = ["secret", "--minutes", "1", "--characters", str(cast_folder), "--set", f"realtime_url={mint.url}"]
    run = [subprocess.run([sys.executable, "-m", "townsfolk", *words], capture_output=True, text=True, check=True)]
    assert run[0].stdout == f"{SECRET}\n"
