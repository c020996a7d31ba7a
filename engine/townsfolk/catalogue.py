"""Which models there are: names, kinds, successors, context, prices and shutdown dates, as dated data. Asks nobody.

The data is `catalogue.json` beside this file. A file of your own, named by the environment variable
``TOWNSFOLK_CATALOGUE``, adds models and replaces those of the same name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, cast

from townsfolk.errors import UsageError

__all__ = ["REALTIME", "TEXT", "Entry", "Price", "as_of", "catalogue", "find", "parse", "sees"]

REALTIME: Final = "gpt-realtime-2.1-mini"
"""The realtime model that is taken when nobody names one."""
TEXT: Final = "gpt-6-luna"
"""The same for chat completions."""
VARIABLE: Final = "TOWNSFOLK_CATALOGUE"

Kind = Literal["realtime", "text", "ear"]
_KINDS: Final = ("realtime", "text", "ear")
_FIELDS: Final = {"name", "kind", "context", "text", "audio", "image", "minute", "shutdown", "successor", "sees"}


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens. Pictures only go in."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    Attributes:
        name: As the provider calls it.
        kind: How it is spoken to: the realtime protocol, chat completions and responses, or as an ear.
        context: Tokens that it can take in and give out together, where known.
        text: The price of text; None means unknown, never free.
        audio: The price of audio; None means unknown, or no audio.
        image: The same for pictures.
        minute: US dollars for a minute of sound, of models that are sold so.
        shutdown: From this day on the provider does not serve it.
        successor: What to use instead of it; its own name no longer works.
        sees: Whether it is known to take pictures.
    """

    name: str
    kind: Kind
    context: int | None = None
    text: Price | None = None
    audio: Price | None = None
    image: Price | None = None
    minute: float | None = None
    shutdown: date | None = None
    successor: str | None = None
    sees: bool = False


def parse(data: object, place: str) -> dict[str, Entry]:
    """The entries of a catalogue's data, by name.

    Raises:
        UsageError: ``bad_catalogue``, with the place of the mistake.
    """
    if not isinstance(data, dict) or not isinstance(models := data.get("models"), list):
        raise _mistake(place, "a map with a list of `models` was expected")
    found: dict[str, Entry] = {}
    for n, each in enumerate(models):
        entry = _entry(each, f"{place}: models[{n}]")
        found[entry.name] = entry
    return found


def _entry(data: object, place: str) -> Entry:
    if not isinstance(data, dict) or not isinstance(name := data.get("name"), str) or not name:
        raise _mistake(place, "a model with a `name` was expected")
    place = f"{place} ({name})"
    if unknown := sorted(set(data) - _FIELDS):
        raise _mistake(place, f"there is no {unknown[0]!r}; known: {', '.join(sorted(_FIELDS))}")
    if data.get("kind") not in _KINDS:
        raise _mistake(place, f"`kind` is one of {', '.join(_KINDS)}")
    made: dict[str, Any] = {"name": name, "kind": cast(Kind, data["kind"]), "sees": data.get("sees") is True}
    for field, count in (("text", 3), ("audio", 3), ("image", 2)):
        if (price := data.get(field)) is not None:
            made[field] = _price(price, count, f"{place}: {field}")
    for field in ("context", "minute"):
        if (number := data.get(field)) is not None:
            if not isinstance(number, int | float) or isinstance(number, bool) or number < 0:
                raise _mistake(f"{place}: {field}", "a number was expected")
            made[field] = number
    if (successor := data.get("successor")) is not None:
        made["successor"] = str(successor)
    if (day := data.get("shutdown")) is not None:
        try:
            made["shutdown"] = date.fromisoformat(str(day))
        except ValueError:
            raise _mistake(f"{place}: shutdown", "a day such as 2027-01-20 was expected") from None
    return Entry(**made)


def _price(data: object, count: int, place: str) -> Price:
    numbers = data if isinstance(data, list) else []
    good = [each for each in numbers if isinstance(each, int | float) and not isinstance(each, bool) and each >= 0]
    if len(good) != count or len(numbers) != count:
        what = "input, cached and output" if count == 3 else "input and cached"
        raise _mistake(place, f"a list of {count} prices was expected, US dollars a million tokens: {what}")
    return Price(good[0], good[1], good[2] if count == 3 else 0.0)


def _mistake(place: str, what: str) -> UsageError:
    return UsageError("bad_catalogue", f"{place}: {what}")


@cache
def _shipped() -> tuple[date, dict[str, Entry]]:
    data = json.loads(files("townsfolk").joinpath("catalogue.json").read_text(encoding="utf-8"))
    return date.fromisoformat(data["as_of"]), parse(data, "catalogue.json")


@cache
def _read(path: str) -> Mapping[str, Entry]:
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _mistake(path, f"it cannot be read as JSON ({' '.join(str(error).split())})") from None
    return {**_shipped()[1], **parse(data, path)}


def as_of() -> date:
    """When the shipped facts were looked up. What a provider changed since is not there."""
    return _shipped()[0]


def catalogue() -> Mapping[str, Entry]:
    """All entries by name, those of your own file among them.

    Raises:
        UsageError: Your file has a mistake (``bad_catalogue``).
    """
    own = os.environ.get(VARIABLE)
    return _read(own) if own else _shipped()[1]


def find(name: str) -> Entry:
    """The entry of a model. One that is not listed gets an entry in which all is unknown."""
    known = catalogue()
    if name in known:
        return known[name]
    if name.startswith("gpt-4o-mini-realtime-preview"):
        return Entry(name, "realtime", successor=REALTIME)
    return Entry(name, "realtime" if "realtime" in name else "text")


def sees(name: str) -> bool:
    """Whether a model is known to take pictures. One that is not listed may do so too: a setting says it."""
    return find(name).sees
