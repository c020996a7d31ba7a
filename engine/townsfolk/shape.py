"""Holds one file's data against its model, and says in a writer's words where it does not fit. Opens no file.

Only the shape of one file is looked at: fields, texts, numbers. What gates and fields *mean* is for `checks.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from townsfolk.lore import FactDeclaration, Lore, World
from townsfolk.persona import (
    Action,
    Argument,
    Barks,
    Does,
    Escalation,
    Example,
    Goal,
    Knowledge,
    ModelHints,
    Persona,
    Relation,
    Topic,
    Voice,
)
from townsfolk.problems import Finding, Path, did_you_mean, kind_of, listed, tidy_id

__all__ = ["PARTS", "fit"]

M = TypeVar("M", bound=BaseModel)

PARTS: Final[Mapping[type[BaseModel], Mapping[Path, type[BaseModel]]]] = {
    Persona: {
        (): Persona,
        ("goals", "*"): Goal,
        ("examples", "*"): Example,
        ("barks",): Barks,
        ("topics", "*"): Topic,
        ("topics", "*", "does"): Does,
        ("knows", "*"): Knowledge,
        ("secrets", "*"): Knowledge,
        ("actions", "*"): Action,
        ("actions", "*", "args", "*"): Argument,
        ("relations", "*"): Relation,
        ("model",): ModelHints,
        ("model", "escalate"): Escalation,
        ("model", "escalate", "*"): Escalation,
        ("voice",): Voice,
    },
    World: {
        (): World,
        ("facts", "*"): FactDeclaration,
        ("lore", "*"): Lore,
        ("escalate",): Escalation,
        ("escalate", "*"): Escalation,
    },
}
"""Which model describes which part of a file; ``*`` stands for any one step."""

_BARK_MOMENTS: Final = {
    "greeting": "when a conversation opens",
    "thinking": "while thinking",
    "busy": "when there is no time to talk",
    "offline": "when talking is not possible at all",
    "farewell": "when the player takes leave",
    "deflect": "when nothing fits what the player said",
}
_ELSEWHERE: Final = frozenset({"gate", "open_secret", "unknown_action"})  # checks.py finds all of them, not just one


def fit(model: type[M], data: Mapping[str, Any]) -> tuple[M | None, list[Finding]]:
    """The model made of ``data``, or ``None`` and what does not fit."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found: dict[tuple[str, Path], Finding] = {}
        for each in error.errors(include_url=False):
            if each["type"] not in _ELSEWHERE:
                for finding in _explain(model, data, dict(each)):
                    found.setdefault((finding.code, finding.path), finding)
        return None, list(found.values())


def _explain(model: type[BaseModel], data: Mapping[str, Any], error: dict[str, Any]) -> Iterator[Finding]:
    kind, context = error["type"], error.get("ctx", {})
    path, value = _resolve(data, error["loc"])
    if any(str(step).startswith("literal[") for step in error["loc"]) and kind == "literal_error":
        return  # the other half of a union, whose complaint is the useful one
    if path[:1] == ("facts",) and path[2:3] == ("start",):
        yield Finding("P063", path, {"fact": path[1], "what": kind_of(value)})
    elif kind == "missing":
        yield _missing(path, str(error["loc"][-1]))
    elif kind == "extra_forbidden":
        choices = _fields(model, path[:-1])
        guess = did_you_mean(str(path[-1]), choices)
        yield Finding("P030", path, {"choices": listed(choices), "guess": guess}, on_key=True)
    elif kind == "bad_id":
        yield _bad_id(path, str(context["text"]), on_key=error["loc"][-1] == "[key]")
    elif kind == "literal_error":
        choices = _choices(context)
        if isinstance(value, str):
            guess = did_you_mean(value, choices)
            yield Finding("P044", path, {"value": value, "guess": guess, "choices": listed(choices)})
        else:
            yield _not_text(path, value)
    elif kind in ("string_type", "string_sub_type"):
        yield _not_text(path, value)
    elif kind == "string_too_short":
        yield Finding("P040", path, {}, on_key=True)
    elif kind == "string_too_long":
        yield Finding("P041", path, {"length": len(value.strip()), "limit": context["max_length"]})
    elif kind == "too_short":
        yield Finding("P042", path, {}, on_key=True)
    elif kind in ("greater_than_equal", "less_than_equal"):
        yield Finding("P039", path, {"value": value, "range": _range(model, path)})
    elif value is None:
        yield Finding("P040", path, {}, on_key=True)
    elif kind in ("tuple_type", "list_type"):
        yield Finding("P035", path, {"what": kind_of(value)})
    elif kind in ("dict_type", "model_type", "model_attributes_type", "mapping_type"):
        choices = _fields(model, path)
        yield Finding("P036", path, {"what": kind_of(value), "choices": listed(choices) if choices else "`name: ...`"})
    elif kind.startswith("int_") and isinstance(value, float):
        yield Finding("P038", path, {"value": value})
    elif kind.startswith("bool_"):
        yield Finding("P049", path, {"what": kind_of(value)})
    elif kind.startswith(("int_", "float_", "finite_")):
        yield Finding("P037", path, {"what": kind_of(value)})
    else:  # a rule of pydantic's that no field uses today: its own words are better than none
        yield Finding("P001", path, {"reason": f"{'.'.join(map(str, path))}: {error['msg']}"})


def _resolve(data: Any, loc: tuple[int | str, ...]) -> tuple[Path, Any]:
    """The part of ``loc`` that is in the data, and what stands there; the rest are pydantic's notes to itself."""
    path: list[str | int] = []
    for step in loc:
        inside = (isinstance(data, Mapping) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data)
        )
        if inside:
            path.append(step)
            data = data[step]
    return tuple(path), data


def _missing(path: Path, name: str) -> Finding:
    if path == ("barks",):
        return Finding("P045", path, {"name": name, "moment": _BARK_MOMENTS[name]}, on_key=True)
    if path[:1] == ("topics",) and len(path) == 2:
        return Finding("P046", path, {"topic": path[1], "name": name}, on_key=True)
    if path[:1] == ("examples",):
        return Finding("P047", path, {"name": name}, on_key=True)
    if path[:1] == ("lore",) and name == "keys":
        return Finding("P048", path, {"entry": path[1]}, on_key=True)
    owner = f"`{'.'.join(str(step) for step in path if isinstance(step, str))}`" if path else "The file"
    return Finding("P031", path, {"owner": owner, "name": name}, on_key=True)


def _not_text(path: Path, value: object) -> Finding:
    if value is None:
        return Finding("P040", path, {}, on_key=True)
    if isinstance(value, list):
        return Finding("P033", path, {})
    if isinstance(value, Mapping):
        return Finding("P034", path, {})
    return Finding("P032", path, {"value": value, "what": kind_of(value)})


def _bad_id(path: Path, text: str, *, on_key: bool) -> Finding:
    tidy = tidy_id(text)
    return Finding("P043", path, {"name": text, "guess": f" Did you mean `{tidy}`?" if tidy else ""}, on_key=on_key)


def _part(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    for pattern, part in PARTS[model].items():
        if len(pattern) == len(path) and all(p in ("*", step) for p, step in zip(pattern, path, strict=True)):
            return part
    return None


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    part = _part(model, path)
    return [name for name in part.model_fields if part is not Persona or name != "id"] if part else []


def _range(model: type[BaseModel], path: Path) -> str:
    part = _part(model, path[:-1])
    assert part is not None
    schema = part.model_json_schema()["properties"][path[-1]]
    schema = next((each for each in schema.get("anyOf", []) if "minimum" in each), schema)
    return f"from {schema['minimum']:g} to {schema['maximum']:g}"


def _choices(context: Mapping[str, Any]) -> list[str]:
    return [each.strip().strip("'") for each in str(context["expected"]).replace(" or ", ", ").split(",")]
