"""Starts a game folder from the templates in the package: two characters, their world, a `main.py`. Runs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

from townsfolk.errors import UsageError

__all__ = ["create_game"]

_RENAMED: Final = {"gitignore": ".gitignore"}  # under its own name it would hide files of the package from git
_ALLOWED: Final = frozenset({".git"})


def create_game(folder: str | os.PathLike[str]) -> list[Path]:
    """Writes a small game that runs as it is, and returns its files. The folder is made if it does not exist.

    Raises:
        UsageError: The folder holds something already (nothing is written then), or cannot be written to.
    """
    target = Path(folder)
    try:
        if target.exists() and not target.is_dir():
            raise UsageError("folder_in_use", f"{str(target)!r} is a file")
        taken = sorted(path.name for path in target.iterdir() if path.name not in _ALLOWED) if target.exists() else []
        if taken:
            raise UsageError("folder_in_use", f"{str(target)!r} is not empty: it holds {taken[0]!r}")
        made = []
        for name, content in _templates():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
            made.append(path)
    except OSError as error:
        raise UsageError("folder_in_use", f"{str(target)!r} cannot be used: {error.strerror or error}") from None
    return made


def _templates() -> Iterator[tuple[PurePosixPath, bytes]]:
    return _inside(files("townsfolk") / "templates" / "game", PurePosixPath())


def _inside(place: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for entry in sorted(place.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _inside(entry, path / entry.name)
        else:
            yield path / _RENAMED.get(entry.name, entry.name), entry.read_bytes()
