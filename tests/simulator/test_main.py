"""The simulator as a program: its URL is on the first line, and its options reach the server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import townsfolk
from townsfolk.simulator.__main__ import main

ENGINE = Path(townsfolk.__file__).parents[1]
ROOT = Path(__file__).parents[2]


@contextmanager
def running(*command):
    env = {**os.environ, "PYTHONPATH": str(ENGINE)}
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=env)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()


@pytest.mark.parametrize("command", [["-m", "townsfolk.simulator"], [str(ROOT / "tools" / "realtime_sim")]])
def test_it_prints_its_url_and_serves(talk, command):
    async def scenario(url):
        async with talk(url) as client:
            await client.create()
            failed = await client.line()
            await client.create()
            return failed, await client.line()

    with running(*command, "--port", "0", "--deltas", "7", "--fault", "fail@2:server_error") as url:
        assert url.startswith("ws://127.0.0.1:")
        (_, failed), (text, response) = asyncio.run(scenario(url))
    assert failed["status_details"]["error"]["code"] == "server_error"
    assert text == "w00 w01 w02 w03 w04 w05 w06 "
    assert response["status"] == "completed"


def test_the_readme_runs(capsys):
    readme = (ROOT / "tools" / "realtime_sim" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Well met, traveller.")


def test_a_fault_that_does_not_exist_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["--fault", "explode@3"])
    assert "explode@3" in capsys.readouterr().err


def test_a_taken_port_is_told(capsys):
    with running("-m", "townsfolk.simulator") as url:
        assert main(["--port", url.rpartition(":")[2].partition("/")[0]]) == 1
    assert "cannot listen" in capsys.readouterr().err
