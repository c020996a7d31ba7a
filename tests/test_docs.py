"""The docs say what the code does: examples run, generated pages are fresh, links lead somewhere."""

import dataclasses
import os
import re
import subprocess
import sys

import pytest

from townsfolk.host.config import Config


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/embedding.md", "docs/speech.md"])
def test_the_examples_run(root, page, tmp_path):
    [code] = blocks((root / page).read_text(), "python")
    (tmp_path / "characters").symlink_to(root / "characters")
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) > 3
    assert (tmp_path / "saves" / "slot1.db").exists()


def test_the_readmes_first_screen_has_the_two_commands(root):
    first = "\n".join((root / "README.md").read_text().splitlines()[:25])
    assert "make play" in first and "make test" in first and "pip install" in first


def test_generated_pages_are_fresh(root):
    run = subprocess.run(
        [sys.executable, root / "tools" / "make_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_links_lead_somewhere(root):
    for page in [*root.glob("*.md"), *root.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_every_option_is_described(root):
    text = (root / "docs" / "embedding.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert {field.name for field in dataclasses.fields(Config)} - {"characters", "save", "model"} <= named


def test_nothing_speaks_of_a_machine(root):
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        path = root / name
        if path.suffix in {".md", ".py", ".toml", ".yaml", ".json"} and path.exists() and path.name != "test_docs.py":
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not re.search(r"/(?:root|home)/\w|/work/(?:main|shared)", text), name


def test_contributing_is_short(root):
    assert len((root / "CONTRIBUTING.md").read_text().splitlines()) <= 60


@pytest.mark.skipif(os.name == "nt", reason="the Makefile is for systems with make")
def test_the_makefile_names_what_the_readme_names(root):
    targets = set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert {"play", "test", "bench", "fmt", "setup"} <= targets
