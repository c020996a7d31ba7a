"""The campaign that cuts in holds on a few lines, and a seeded defect turns it red."""

import json
import subprocess
import sys

import pytest

ARGS = ["--n", "20", "--seed", "5", "--json"]


def run(root, *args, code=None):
    tool = root / "tools" / "faults" / "barge_in.py"
    return subprocess.run(
        [sys.executable, *(["-c", code, *args] if code else [tool, *args])],
        capture_output=True, text=True, cwd=root, timeout=110, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("voice", ["tones", "realtime"])
def test_what_was_played_is_what_is_remembered(root, voice):
    out = run(root, *ARGS, "--voice", voice)
    assert out.returncode == 0, out.stdout + out.stderr
    assert json.loads(out.stdout)["figures"]["cut while they were still being made"] >= 3


def test_a_host_that_remembers_what_it_gave_turns_it_red(root):
    code = """
import sys
sys.path.insert(0, 'tools/faults')
from townsfolk.turn import Turn
Turn.heard = property(lambda self: self.shown)
import barge_in
sys.exit(barge_in.main())
"""
    out = run(root, *ARGS, code=code)
    assert out.returncode == 1, out.stdout + out.stderr
