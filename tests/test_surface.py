"""The public surface: what is exported, what importing it costs, and that every error code has a hint."""

import importlib
import pkgutil
import re
import subprocess
import sys

import townsfolk
from townsfolk.errors import HINTS

SLOW = ("openai", "pydantic", "numpy", "apsw", "asyncio", "yaml", "websockets")


def test_all_is_sorted_and_there():
    assert list(townsfolk.__all__) == sorted(townsfolk.__all__)
    for name in townsfolk.__all__:
        assert getattr(townsfolk, name).__doc__


def test_importing_it_loads_nothing_slow():
    code = f"import sys, townsfolk; print([m for m in {SLOW!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_every_module_says_what_it_does():
    for module in pkgutil.walk_packages(townsfolk.__path__, "townsfolk."):
        if not module.name.endswith("__main__"):
            doc = importlib.import_module(module.name).__doc__
            assert doc and doc.strip().splitlines()[0].rstrip().endswith((".", '"')), module.name


def test_every_code_that_is_raised_has_a_hint(root):
    raised = set()
    for path in (root / "engine").rglob("*.py"):
        text = path.read_text()
        raised |= set(re.findall(r"(?:Error|Status|Fail)\(\s*\"([a-z_]+)\"", text))
    assert len(raised) > 20
    # The news that need no hint, and pydantic's own error types, which become problems with codes of their own.
    assert raised - {"ready", "save_ok", "gate", "bad_id", "open_secret", "unknown_action"} <= set(HINTS)


def test_files_stay_small(root):
    for path in (root / "engine").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
