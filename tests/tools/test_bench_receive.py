"""The receiving benchmark runs and reports in full; whether its bars hold is for `make bench`, on a quiet machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "tools" / "bench"


def test_the_report_is_complete():
    command = [sys.executable, str(BENCH / "receive.py"), "--only", "2", "--rounds", "5", "--n", "100", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode in (0, 1), run.stderr
    report = json.loads(run.stdout)
    assert report["name"] == "receive"
    assert [set(bar) for bar in report["holds"]] == [{"name", "value", "limit", "ok"}] * 2
    assert all(bar["value"] > 0 for bar in report["holds"])
    assert report["ok"] is all(bar["ok"] for bar in report["holds"]) is (run.returncode == 0)
    assert report["settings"]["rounds"] == 5
    assert {"cpu", "cores", "system", "python"} <= set(report["machine"])
    assert {"openai", "websockets"} <= set(report["versions"])
    assert report["figures"]["flood, us of CPU a delta"]["ours"] > 0
