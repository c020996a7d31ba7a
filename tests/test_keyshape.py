"""An API key that a game gives by mistake is refused at the call, wherever it stands, and never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from townsfolk import Engine, UsageError
from townsfolk.host.config import Config
from townsfolk.keyshape import no_keys

KEYS = ("sk-1", " sk-proj-abc", "ek_68af296e8e408191a1120ab6383263c2", "Bearer sk-proj-0123456789abcdefgh")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("nested", [lambda k: k, lambda k: {"a": k}, lambda k: {k: 1}, lambda k: [{"a": (k,)}]])
def test_a_key_is_found_wherever_it_stands(key: str, nested: Any) -> None:
    with pytest.raises(UsageError) as raised:
        no_keys(fine="text", options=nested(key))
    assert raised.value.code == "key_given" and key.strip() not in str(raised.value)
    assert "'options'" in raised.value.message and "OPENAI_API_KEY" in raised.value.hint


def test_what_is_no_key_passes() -> None:
    no_keys(a=None, b=7, c="desk-0123456789abcdefghij", d="risk-averse", e=["ask-me", {"x": "sketch"}], f="a sk-1 b")


@pytest.mark.parametrize("key", KEYS)
def test_no_way_in_takes_one(key: str, cast_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a process was started, or an address asked, with a key in hand")

    for start in ("townsfolk.transports.ProcessTransport.open", "townsfolk.transports.TcpTransport.open"):
        monkeypatch.setattr(start, never)
    calls: list[Any] = [
        lambda: Engine.connect("tcp://127.0.0.1:7777", token=key),
        lambda: Engine.connect("tcp://127.0.0.1:7777", player=key),
        lambda: Engine.connect(f"tcp://{KEYS[2]}@127.0.0.1:7777"),
        lambda: Engine.open(cast_folder, options={"realtime_model": key}),
        lambda: Engine.open(cast_folder, options={"api_key": key}),
        lambda: Engine.open(cast_folder, model=key),
        lambda: Engine.open(cast_folder, player=key),
        lambda: Config.read({"characters": str(cast_folder), "text_model": key}),
    ]
    for call in calls:
        with pytest.raises(UsageError) as raised:
            call()
        assert raised.value.code in ("key_given", "bad_argument")
