"""Finding a GGUF file, and joining one from parts that only the right checksum makes a model."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from townsfolk.errors import ModelError
from townsfolk.models import local_files
from townsfolk.models.local_files import LocalModel, PartedModel, cache_folder, find_local_model, local_model

PARTS = [b"GGUF" + b"a" * 3_000_000, b"b" * 1000, b"c"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOWNSFOLK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TOWNSFOLK_GGUF", raising=False)
    monkeypatch.setattr(local_files, "_has_runtime", lambda: True)
    return tmp_path / "cache"


@pytest.fixture
def parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PartedModel:
    """A model in three installed packages, which end the test if they are imported."""
    for n, data in enumerate(PARTS, start=1):
        package = tmp_path / "site" / f"fakemodel_part{n}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").write_text("raise SystemExit('imported')")
        (package / "data" / f"part{n:02}.bin").write_bytes(data)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    names = tuple(f"fakemodel-part{n}" for n in (1, 2, 3))
    return PartedModel("fake.gguf", names, "data/part{n:02}.bin", hashlib.sha256(b"".join(PARTS)).hexdigest())


def test_parts_are_joined_once(parted: PartedModel, own_cache: Path) -> None:
    found = parted.find()
    assert len(found.parts) == 3 and found.size == sum(map(len, PARTS)) and not found.path.exists()
    path = found.ready()
    assert path.read_bytes() == b"".join(PARTS) and list(own_cache.rglob("*.*")) == [path]
    assert not any("fakemodel" in module for module in sys.modules)
    written = path.stat().st_mtime_ns
    again = parted.find()
    assert again == LocalModel(path) and again.ready() == path and path.stat().st_mtime_ns == written


def test_the_wrong_checksum_is_refused_and_leaves_nothing(parted: PartedModel, own_cache: Path, tmp_path: Path) -> None:
    part = tmp_path / "site" / "fakemodel_part2" / "data" / "part02.bin"
    part.write_bytes(b"x" + part.read_bytes()[1:])
    for _ in range(2):
        with pytest.raises(ModelError, match="checksum is wrong") as caught:
            parted.find().ready()
        assert caught.value.fatal and caught.value.code == "no_local_model"
    assert list(own_cache.rglob("*.*")) == []


def test_missing_parts_are_named(parted: PartedModel, tmp_path: Path) -> None:
    (tmp_path / "site" / "fakemodel_part2" / "data" / "part02.bin").unlink()
    with pytest.raises(ModelError, match=r"1 of 3 packages of fake\.gguf are not installed: fakemodel-part2"):
        parted.find()


def test_what_a_killed_process_left_is_cleared_away(parted: PartedModel, own_cache: Path) -> None:
    found = parted.find()
    found.path.parent.mkdir(parents=True)
    old, fresh = (found.path.with_name(f"{found.path.name}.joining-{n}") for n in (1, 2))
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (0, 0))
    found.ready()
    assert not old.exists() and fresh.exists(), "another process may be joining right now"


def test_a_cache_that_is_no_folder(parted: PartedModel, own_cache: Path) -> None:
    own_cache.write_text("in the way")
    with pytest.raises(ModelError, match="cannot be used"):
        parted.find().ready()


def test_the_named_file_is_first_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one.gguf", tmp_path / "two.gguf"
    for file in (one, two):
        file.write_bytes(b"GGUF....")
    monkeypatch.setenv("TOWNSFOLK_GGUF", str(two))
    assert local_model(one) == LocalModel(one) and local_model() == LocalModel(two)
    assert find_local_model(tmp_path / "none.gguf") is None
    with pytest.raises(ModelError, match="There is no file"):
        local_model(tmp_path / "none.gguf")


def test_without_any_file_the_reason_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_files.importlib.util, "find_spec", lambda name: None)
    assert find_local_model() is None
    with pytest.raises(ModelError, match="22 of 22 packages") as caught:
        local_model()
    assert caught.value.fatal and "docs/models.md" in caught.value.hint


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_files, "_has_runtime", lambda: False)
    with pytest.raises(ModelError, match=r"townsfolk\[local\]") as caught:
        local_model(tmp_path)
    assert caught.value.code == "missing_extra"


def test_smollm2_is_never_picked_by_itself() -> None:
    found = find_local_model()
    assert found is None or "SmolLM2" not in found.path.name


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="no GGUF"):
        LocalModel(file).ready()


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [("linux", "XDG_CACHE_HOME", "townsfolk"), ("win32", "LOCALAPPDATA", "townsfolk"), ("darwin", None, "Library")],
)
def test_the_cache_is_where_the_system_wants_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, variable: str | None, tail: str, tmp_path: Path
) -> None:
    monkeypatch.delenv("TOWNSFOLK_CACHE")
    monkeypatch.setattr(sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
        assert cache_folder() == tmp_path / tail
    else:
        assert tail in cache_folder().parts
