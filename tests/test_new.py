"""`townsfolk new`: a game folder that is right as it is, and plays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from townsfolk.cast import check_cast, load_cast
from townsfolk.errors import UsageError
from townsfolk.new import create_game
from townsfolk.persona import Barks

FILES = {
    "main.py",
    "README.md",
    ".gitignore",
    "characters/world.yaml",
    "characters/fenn/persona.yaml",
    "characters/ottoline/persona.yaml",
}


def test_makes_a_game(tmp_path: Path) -> None:
    folder = tmp_path / "my" / "game"
    made = create_game(folder)
    assert {path.relative_to(folder).as_posix() for path in made} == FILES
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == FILES
    assert "saves/" in (folder / ".gitignore").read_text().split()


def test_its_characters_have_no_problem_and_a_story(tmp_path: Path) -> None:
    create_game(tmp_path)
    assert check_cast(tmp_path / "characters") == []
    cast = load_cast(tmp_path / "characters")
    for persona in cast.personas.values():
        assert len(persona.topics) >= 8
        assert all(len(getattr(persona.barks, kind)) >= 2 for kind in Barks.model_fields)
        assert any(topic.when.tests for topic in persona.topics.values())
    said = cast.personas["fenn"].topics["tea"].does
    assert said is not None and f"has_{said.args['item']}" in cast.world.facts


def test_main_is_short(tmp_path: Path) -> None:
    create_game(tmp_path)
    code = [line for line in (tmp_path / "main.py").read_text().splitlines() if line.strip() and '"""' not in line]
    assert len(code) <= 12


def test_empty_folder_and_new_repository_will_do(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert len(create_game(tmp_path)) == len(FILES)


@pytest.mark.parametrize("name", ["full", "full/note.txt", "full/note.txt/inside"])
def test_refuses_what_is_in_use(tmp_path: Path, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(UsageError) as caught:
        create_game(tmp_path / name)
    assert caught.value.code == "folder_in_use" and caught.value.hint
    assert (tmp_path / "full" / "note.txt").read_text() == "mine"
    assert len(list((tmp_path / "full").iterdir())) == 1


def test_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    create_game(tmp_path / "game")
    (tmp_path / "game" / "main.py").write_text("mine")
    with pytest.raises(UsageError):
        create_game(tmp_path / "game")
    assert (tmp_path / "game" / "main.py").read_text() == "mine"


def test_it_plays_its_story(tmp_path: Path) -> None:
    """The player buys tea, gets the letter for it, and the stationmistress owns up: facts open gates on the way."""
    create_game(tmp_path)
    told = "\n".join(
        [
            "A cup of tea please",
            "Is there a letter?",
            "ottoline: I have a letter for you",
            "Who set the signal?",
        ]
    )
    run = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        input=told + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"} | {"PYTHONUTF8": "1"},
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    cast = load_cast(tmp_path / "characters")
    answers = run.stdout.splitlines()
    topics = [("fenn", "tea"), ("fenn", "letter"), ("ottoline", "letter"), ("ottoline", "red_signal_truth")]
    for answer, (npc, topic) in zip(answers, topics, strict=True):
        assert answer in cast.personas[npc].topics[topic].says

    assert (tmp_path / "saves" / "game.db").stat().st_size > 0
