"""The fault campaign holds on a few faults, and a seeded defect turns it red."""

import json
import subprocess
import sys


def run(root, tool, *args):
    return subprocess.run(
        [sys.executable, root / "tools" / "faults" / tool, *args, "--json"],
        capture_output=True, text=True, cwd=root, timeout=110, check=False,
    )  # fmt: skip


def test_no_turn_is_lost_doubled_or_late(root):
    out = run(root, "campaign.py", "--n", "60", "--seed", "7")
    assert out.returncode == 0, out.stdout + out.stderr
    report = json.loads(out.stdout)
    assert report["settings"]["n"] == 60 and report["figures"]["reached"] >= 55
    assert report["figures"]["kinds"] >= 30 and report["figures"]["phases"] == 5
    assert report["settings"]["on_disk"] > 0


def test_one_case_can_be_run_alone(root):
    out = run(root, "campaign.py", "--n", "60", "--seed", "7", "--only", "3")
    assert out.returncode == 0, out.stdout + out.stderr
    assert json.loads(out.stdout)["settings"]["n"] == 1


def test_a_seeded_defect_turns_it_red(root):
    out = run(root, "saboteurs.py", "--only", "done is told twice")
    assert out.returncode == 0, out.stdout + out.stderr
    assert "more than one terminal event" in json.loads(out.stdout)["figures"]["done is told twice"]
