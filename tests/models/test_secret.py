"""Keys from a command: what it may print, when it is asked again, and what is told when it fails."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from townsfolk.errors import ModelError
from townsfolk.models import secret as module
from townsfolk.models.secret import Secret


def printing(folder: Path, code: str) -> str:
    (folder / "key.py").write_text(code)
    return f'"{sys.executable}" "{folder / "key.py"}"'


def test_a_fixed_key_is_the_key() -> None:
    assert asyncio.run(Secret(" k ").fetch()) == "k" and not Secret() and Secret("k") and Secret(command="c")
    assert not Secret("k").refused()


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(ModelError, match="characters") as raised:
        asyncio.run(Secret(key).fetch())
    assert raised.value.fatal


@pytest.mark.parametrize(
    ("printed", "lasts"),
    [
        ("token\nmore", 300),
        ('{"value": "token", "expires_at": 2000, "session": {}}', 940),
        ('{"accessToken": "token", "expires_on": 5000}', 3940),
        ('{"accessToken": "token", "expiresOn": "2026-11-01 10:00:00.000000"}', 300),
        ('{"value": "token", "expires_at": 7}', 1),
    ],
)
def test_what_a_command_prints_is_the_key_for_as_long_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, lasts: int
) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 1000.0)
    secret = Secret(command=printing(tmp_path, f"print({printed!r})"))
    assert asyncio.run(secret.fetch()) == "token" == secret.key
    assert secret._good_until == 1000 + lasts


def test_it_is_asked_once_until_its_key_is_old_or_refused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    secret = Secret(command=printing(tmp_path, f"print('k'); open({str(log)!r}, 'a').write('x')"))

    async def run() -> None:
        await asyncio.gather(*(secret.fetch() for _ in range(5)))
        assert log.read_text() == "x"
        assert secret.refused()
        await secret.fetch()
        assert log.read_text() == "xx"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "status 3"),
        ("pass", "printed none"),
        ("print('{}')", "printed none"),
        ("print('{\"value\": 7}')", "printed none"),
        ("print('{broken')", "printed none"),
    ],
)
def test_a_command_that_gives_no_key_is_told(tmp_path: Path, code: str, why: str) -> None:
    with pytest.raises(ModelError, match=why) as raised:
        asyncio.run(Secret(command=printing(tmp_path, code)).fetch())
    assert raised.value.code == "key_command" and not raised.value.fatal and raised.value.hint


@pytest.mark.parametrize("command", ["/no/such/program", "'unfinished", "''"])
def test_a_command_that_cannot_be_run_is_told(command: str) -> None:
    with pytest.raises(ModelError, match="cannot be run"):
        asyncio.run(Secret(command=command).fetch())


def test_a_command_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WITHIN", 0.2)
    with pytest.raises(ModelError, match=r"over 0\.2 s"):
        asyncio.run(Secret(command=printing(tmp_path, "import time; time.sleep(30)")).fetch())


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    words = f' ; touch "{tmp_path / "made"}"'
    secret = Secret(command=printing(tmp_path, "import sys; print(len(sys.argv))") + words)
    assert asyncio.run(secret.fetch()) == "4" and not (tmp_path / "made").exists()
