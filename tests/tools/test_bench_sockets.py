"""The benchmark of many characters runs and reports; on a few of them its figures mean little."""

import json
import subprocess
import sys


def test_it_reports_both_bars(root):
    tool = root / "tools" / "bench" / "sockets.py"
    few = ["--npcs", "60", "--talking", "10", "--many", "20", "--rounds", "1", "--json"]
    out = subprocess.run([sys.executable, tool, *few], capture_output=True, text=True, timeout=60, check=False)
    assert not out.stderr, out.stderr
    bars = {bar["name"]: bar for bar in json.loads(out.stdout)["holds"]}
    assert bars["12: 20 talking at once, share of lines that came whole"]["value"] == 1.0
    assert bars["12: connections"]["ok"]
    assert any(name.startswith("13: ") for name in bars)
