"""What does not fit a model is told at its place, whatever part of the file it is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from townsfolk.lore import World
from townsfolk.persona import Persona
from townsfolk.problems import Path
from townsfolk.shape import PARTS, fit


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for info in annotation.model_fields.values():
            yield from models_in(info.annotation)
    for each in get_args(annotation):
        yield from models_in(each)


@pytest.mark.parametrize("model", [Persona, World])
def test_every_model_has_its_part(model: type[BaseModel]) -> None:
    assert set(models_in(model)) == set(PARTS[model].values())


def around(path: Path, inner: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    """Data with ``inner`` at the pattern ``path``, and the real path to it."""
    data: Any = inner
    real: list[str | int] = []
    for n, step in reversed(list(enumerate(path))):
        listed = step == "*" and path[n - 1] in ("goals", "examples", "knows", "secrets", "escalate")
        real.insert(0, 0 if listed else "some" if step == "*" else step)
        data = [data] if listed else {real[0]: data}
    return data, tuple(real)


@pytest.mark.parametrize(("model", "path"), [(model, path) for model, parts in PARTS.items() for path in parts])
def test_unknown_field_in_every_part(model: type[BaseModel], path: Path) -> None:
    data, real = around(path, {"bogus": 1})
    found = next(each for each in fit(model, data)[1] if each.code == "P030")
    assert found.path == (*real, "bogus")
    assert set(found.values["choices"].split(", ")) == set(PARTS[model][path].model_fields) - {"id"}


@pytest.mark.parametrize(("model", "path"), [(model, path) for model, parts in PARTS.items() for path in parts if path])
@pytest.mark.parametrize("value", [None, 3, True, [], [None], [[]], "", " "], ids=repr)
def test_wrong_things_in_every_part(model: type[BaseModel], path: Path, value: object) -> None:
    if path[-1] == "escalate" and value == []:
        return  # no rule at all is fine
    data, real = around(path[:-1], {"some" if path[-1] == "*" else str(path[-1]): value})
    made, found = fit(model, data)
    assert made is None
    assert "P001" not in [each.code for each in found]
    assert any(each.path[: len(real)] == real for each in found)


def test_what_fits_is_made() -> None:
    world, found = fit(
        World, {"name": "Weirside", "description": "A crossing.", "lore": {"a": {"text": "b", "keys": "c"}}}
    )
    assert found == [] and world is not None
    assert world.lore["a"].keys == ("c",) and world.lore["a"].known_by == "everyone"
