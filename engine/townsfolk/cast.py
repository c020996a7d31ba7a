"""Loads a folder of characters, and says everything that is wrong with it at once. Never writes.

Reading is one function, :func:`_read`; all the rest works on bytes already read.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from townsfolk.checks import check_persona, check_world
from townsfolk.errors import PersonaError
from townsfolk.gates import Fact
from townsfolk.ids import is_id
from townsfolk.lore import NOWHERE, World
from townsfolk.persona import Persona
from townsfolk.problems import Finding, Problem, did_you_mean, kind_of, problem, tidy_id
from townsfolk.shape import fit
from townsfolk.yamlmarks import MAX_BYTES, Document, parse

__all__ = ["Cast", "Folder", "Sources", "check_cast", "load_cast", "read_cast"]

_PERSONA: Final = "persona.yaml"
_WORLD: Final = "world.yaml"
_MOST_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class Folder:
    """What is in one character's folder: the persona file's bytes (or why it has none), and the names of all files."""

    persona: bytes | str | None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """A folder of characters as it was read: ``world.yaml`` (or why not), and each character's folder by its name."""

    world: bytes | str | None = None
    folders: Mapping[str, Folder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cast:
    """The characters of one world, as authored. ``problems`` holds warnings only."""

    folder: Path
    world: World
    personas: Mapping[str, Persona]
    problems: tuple[Problem, ...] = ()


def load_cast(folder: str | os.PathLike[str]) -> Cast:
    """Loads ``world.yaml`` and every ``NAME/persona.yaml`` in ``folder``.

    Raises:
        PersonaError: There are no characters, or files have mistakes; ``problems`` then holds every one of them.
    """
    path = Path(folder)
    world, personas, problems = read_cast(_read(path), path.as_posix())
    errors = [each for each in problems if each.severity == "error"]
    if errors:
        code = "no_characters" if errors[0].code == "P091" else "persona_invalid"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        first = errors[0]
        message = f"{first.file}:{first.line}: {first.message}{more}"
        raise PersonaError(code, message, problems=problems)
    return Cast(path, world, MappingProxyType(personas), tuple(problems))


def check_cast(folder: str | os.PathLike[str]) -> list[Problem]:
    """Every problem of a folder of characters, by file and line. Never raises for what authors wrote."""
    path = Path(folder)
    return read_cast(_read(path), path.as_posix())[2]


def read_cast(sources: Sources, name: str) -> tuple[World, dict[str, Persona], list[Problem]]:
    """Makes a cast of what was read. ``name`` is how problems call the folder. What has errors is left out."""
    files = [_File(f"{name}/{folder}/{_PERSONA}", folder, each) for folder, each in sorted(sources.folders.items())]
    ids = [each.id for each in files if each.here.persona is not None]
    problems: list[Problem] = []

    world = NOWHERE
    facts: dict[str, Fact] | None = {}
    world_file = f"{name}/{_WORLD}"
    if sources.world is None:
        problems.append(problem("P092", world_file, 1, 1))
    else:
        world, facts = _world(world_file, sources.world, ids, problems)

    personas: dict[str, Persona] = {}
    for file in files:
        if (persona := _persona(file, ids, facts, problems)) is not None:
            personas[file.id] = persona
    if not ids:
        problems.append(problem("P091", name, 1, 1))
    problems.extend(_namesakes(personas, files))
    problems.sort(key=lambda each: (each.file != world_file, each.file, each.line, each.column, each.code))
    return world, personas, list(_cut(problems))


def _cut(problems: list[Problem]) -> Iterator[Problem]:
    """At most so many of each file, since nobody reads more."""
    for name, group in itertools.groupby(problems, key=lambda each: each.file):
        of_file = list(group)
        yield from of_file[:_MOST_TOLD]
        rest = of_file[_MOST_TOLD:]
        if any(each.severity == "error" for each in rest):
            yield problem("P099", name, rest[0].line, rest[0].column, count=len(rest))


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    id: str
    here: Folder


def _world(
    name: str, source: bytes | str, ids: list[str], problems: list[Problem]
) -> tuple[World, dict[str, Fact] | None]:
    document = _document(name, source, problems)
    if document is None:
        return NOWHERE, None  # nothing is known of its facts, so no gate is blamed for them
    world, found = fit(World, document.data)
    more, facts = check_world(document.data, ids=ids)
    problems.extend(_placed(name, document, [*found, *more]))
    return world or NOWHERE, facts


def _persona(file: _File, ids: list[str], facts: dict[str, Fact] | None, problems: list[Problem]) -> Persona | None:
    if file.here.persona is None:
        near = did_you_mean(_PERSONA, file.here.files)
        guess = near.replace("Did you mean", "It has").replace("?", "; rename that.") if near else ""
        problems.append(problem("P090", file.name.removesuffix(f"/{_PERSONA}"), 1, 1, name=file.id, guess=guess))
        return None
    bad_name = not is_id(file.id)
    if bad_name:
        tidy = tidy_id(file.id)
        guess = f" Did you mean `{tidy}`?" if tidy else ""
        problems.append(problem("P093", file.name, 1, 1, name=file.id, guess=guess))
    document = _document(file.name, file.here.persona, problems)
    if document is None:
        return None
    data = dict(document.data)
    found: list[Finding] = []
    given = data.pop("id", file.id)
    if given != file.id:
        found.append(Finding("P094", ("id",), {"value": given, "name": file.id}))
    persona, misfits = fit(Persona, {"id": "x" if bad_name else file.id} | data)
    found += misfits
    found += check_persona(data, id=file.id, ids=ids, facts=facts)
    found += _portrait(data.get("portrait"), file.here.files)
    problems.extend(_placed(file.name, document, found))
    return None if bad_name else persona


def _document(name: str, source: bytes | str, problems: list[Problem]) -> Document | None:
    """Reads YAML that holds fields; what is wrong with it goes to ``problems``."""
    if isinstance(source, str):
        problems.append(problem("P016", name, 1, 1, reason=source))
        return None
    document = parse(source)
    problems.extend(problem(f.code, name, f.line, f.column, f.path, **f.values) for f in document.flaws)
    if not document.ok:
        return None
    if document.data is None:
        problems.append(problem("P004", name, 1, 1))
    elif not isinstance(document.data, dict):
        line, column = document.marks.find(())
        problems.append(problem("P005", name, line, column, what=kind_of(document.data)))
    else:
        return document
    return None


def _placed(name: str, document: Document, found: list[Finding]) -> Iterator[Problem]:
    told = {(flaw.line, flaw.column) for flaw in document.flaws}
    for each in found:
        line, column = document.marks.find(each.path, on_key=each.on_key)
        if (line, column) in told:
            continue  # how it is written is wrong already; what it says will be looked at once that is mended
        values: dict[str, Any] = dict(each.values)
        if each.code == "P061":
            values["there"] = document.marks.find(values["secret"])[0]
            values["secret"] = f"secrets[{values['secret'][1] + 1}]"
        elif each.code == "P080":
            values["there"] = document.marks.find(values.pop("place"))[0]
        yield problem(each.code, name, line, column, each.path, **values)


def _portrait(portrait: object, files: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(portrait, str) or not portrait.strip():
        return
    name = portrait.strip().replace("\\", "/").removeprefix("./")
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        yield Finding("P079", ("portrait",), {"name": portrait})
    elif name not in files:
        others = [each for each in files if each != _PERSONA]
        yield Finding("P078", ("portrait",), {"name": portrait, "guess": did_you_mean(name, others)})


def _namesakes(personas: Mapping[str, BaseModel], files: list[_File]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for file in files:
        persona = personas.get(file.id)
        if isinstance(persona, Persona) and first.setdefault(persona.name.casefold(), file.id) != file.id:
            assert isinstance(file.here.persona, bytes)
            line, column = parse(file.here.persona).marks.find(("name",))
            other = first[persona.name.casefold()]
            yield problem("P095", file.name, line, column, ("name",), name=persona.name, other=other)


def _read(folder: Path) -> Sources:
    """The edge: everything that is read from disk is read here."""
    folders: dict[str, Folder] = {}
    world: bytes | str | None = None
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return Sources()
    for entry in entries:
        if entry.name == _WORLD:
            world = _bytes(Path(entry.path))
        elif entry.is_dir() and not entry.name.startswith((".", "_")):
            folders[entry.name] = _folder(Path(entry.path))
    return Sources(world, folders)


def _folder(path: Path) -> Folder:
    files = tuple(
        (Path(top) / name).relative_to(path).as_posix() for top, _, names in os.walk(path) for name in sorted(names)
    )
    return Folder(_bytes(path / _PERSONA) if (path / _PERSONA).exists() else None, files)


def _bytes(path: Path) -> bytes | str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return error.strerror or type(error).__name__
