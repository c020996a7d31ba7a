"""What tests share: a small cast, and engines on every transport."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from townsfolk import Engine

CAST = Path(__file__).parent / "cast"
ROOT = Path(__file__).parents[1]


@pytest.fixture
def cast_folder() -> Path:
    """Two people in a harbour town."""
    return CAST


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may use a real key or write into the user's own folders."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("TOWNSFOLK_TEST", "1")


@pytest.fixture
def opened() -> Iterator[Callable[..., Engine]]:
    """Opens engines and closes them after the test."""
    engines: list[Engine] = []

    def open_engine(characters: Path = CAST, **how: Any) -> Engine:
        engines.append(Engine.open(characters, **{"model": "scripted", "host": "thread", **how}))
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()


def need(what: object, why: str) -> None:
    """Skips where something optional is missing; on CI nothing may be missing."""
    if not what:
        if os.environ.get("CI") == "true":
            pytest.fail(f"on CI nothing may skip: {why}")
        pytest.skip(why)
