"""Where the demo plays: a window where there can be one, the terminal elsewhere, and why is said. And its rules."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from demo_game.start import no_window

ROOT = Path(__file__).parents[2]


def run(*args: str, tmp_path: Path, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The demo as a player starts it; without ``stdin`` it has none that anybody feeds."""
    command = [sys.executable, "-m", "demo_game", "--save", str(tmp_path / "demo.db"), "--model", "scripted", *args]
    given = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")} | env
    fed = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(command, cwd=ROOT, env=given, text=True, capture_output=True, timeout=60, **fed)


def test_piped_lines_are_answered_in_the_terminal(tmp_path: Path) -> None:
    done = run(tmp_path=tmp_path, stdin="Hello\nIs the mine road safe?\n")
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^Tamsin Reeve: \S", done.stdout, re.MULTILINE)) == 2
    assert done.stderr == ""


def test_another_cast_begins_with_its_first_character(tmp_path: Path) -> None:
    done = run("--characters", "tests/cast", tmp_path=tmp_path, stdin="Hello\n")
    assert done.stdout.startswith("Ada Penrose: ")


def test_without_a_display_it_says_so_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is always a display here")
    done = run(tmp_path=tmp_path)
    assert done.returncode == 0
    assert done.stderr == "No window: there is no display. The terminal it is.\n"


def test_a_display_that_cannot_be_opened_falls_back(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    done = run("--window", tmp_path=tmp_path, stdin="Hello\n", SDL_VIDEODRIVER="nonsense")
    assert "No window: no display: " in done.stderr and "Traceback" not in done.stderr
    assert done.stdout.startswith("Tamsin Reeve: ")


def test_headless_plays_and_leaves(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    steps = tmp_path / "steps.txt"
    steps.write_text(f"until quiet\nwait 1.8\ntype Good evening.\nuntil quiet\nshot {tmp_path / 'shot.png'}\n")
    done = run("--headless", str(steps), tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "shot.png").stat().st_size > 20_000 and (tmp_path / "demo.db").is_file()


@pytest.mark.parametrize(
    ("args", "told"),
    [(("--headless", "none.txt"), "none.txt"), (("--headless", "1", "--characters", "docs"), "holds no character")],
)
def test_mistakes_are_told_without_a_traceback(tmp_path: Path, args: tuple[str, ...], told: str) -> None:
    pytest.importorskip("pygame")
    done = run(*args, tmp_path=tmp_path)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr


def test_why_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert no_window(piped=True) == "piped"
    whole = ModuleType("pygame")
    whole.init = None  # type: ignore[attr-defined]
    for found, reason in (
        (whole, ""),
        (ModuleType("pygame"), "pygame is missing"),
        (ImportError(), "pygame is missing"),
    ):

        def load(name: str, found: ModuleType | ImportError = found) -> ModuleType:
            if isinstance(found, ImportError):
                raise found
            return found

        monkeypatch.setattr(importlib, "import_module", load)
        assert no_window(piped=False).startswith(reason) and bool(no_window(piped=False)) == bool(reason)


def test_the_source_is_a_lesson() -> None:
    """Short files, one that touches the engine, and no pygame in it."""
    files = {path: path.read_text(encoding="utf-8") for path in (ROOT / "demo_game").rglob("*.py")}
    assert all(text.count("\n") < 300 for text in files.values())
    village = files[ROOT / "demo_game" / "village.py"]
    assert village.count("\n") < 150 and "import pygame" not in village
    engine = {
        path.name for path, text in files.items() if re.search(r"\bEngine\b", re.sub(r'"""(.|\n)*?"""', "", text))
    }
    assert engine == {"village.py"}
