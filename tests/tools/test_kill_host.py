"""The campaign that kills the host works, and can fail."""

import json
import subprocess
import sys

ARGS = ["--n", "8", "--seed", "3", "--json"]


def run(root, *args, code=None):
    tool = root / "tools" / "faults" / "kill_host.py"
    return subprocess.run(
        [sys.executable, *(["-c", code, *args] if code else [tool, *args])],
        capture_output=True, text=True, cwd=root, timeout=110, check=False,
    )  # fmt: skip


def test_nothing_is_lost_or_doubled(root):
    out = run(root, *ARGS)
    assert out.returncode == 0, out.stdout + out.stderr
    report = json.loads(out.stdout)
    assert report["settings"] == {"n": 8, "seed": 3}
    assert {hold["name"]: hold["value"] for hold in report["holds"]}["accepted or finished turns lost"] == 0


def test_a_store_that_forgets_turns_it_red(root):
    """The saboteur: a save from which accepted turns are gone when the campaign looks."""
    code = """
import sys
sys.path.insert(0, 'tools/faults')
import kill_host
honest = kill_host._rows
kill_host._rows = lambda save: {key: count for key, count in honest(save).items() if key[1] != 'heard'}
sys.exit(kill_host.main())
"""
    out = run(root, *ARGS, code=code)
    assert out.returncode == 1, out.stdout + out.stderr
    holds = {hold["name"]: hold["ok"] for hold in json.loads(out.stdout)["holds"]}
    assert holds["accepted or finished turns lost"] is False
