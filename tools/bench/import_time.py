"""What `import townsfolk` costs a game, against an interpreter that imports nothing; and what it must not load.

    python tools/bench/import_time.py --json

The time is that of `python -X importtime` for the package and all it loads; the median over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import Report, environment

LIMIT_MS: Final = 60
HEAVY: Final = ("openai", "pydantic", "numpy")


def importing() -> tuple[float, set[str]]:
    """Milliseconds for the package with all it loads, and the names of all top-level modules loaded."""
    command = [sys.executable, "-X", "importtime", "-c", "import townsfolk, sys; print(*sys.modules)"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    [line] = [line for line in done.stderr.splitlines() if line.split("|")[-1].strip() == "townsfolk"]
    return int(line.split("|")[1]) / 1000, {name.partition(".")[0] for name in done.stdout.split()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    importing()  # compiles what is not compiled yet
    times, loaded = zip(*(importing() for _ in range(rounds)), strict=True)
    report = Report("import_time", rounds=rounds)
    report.at_most("import townsfolk, ms, median", statistics.median(times), LIMIT_MS)
    report.at_most("heavy packages that it loads", len(set(HEAVY) & set().union(*loaded)), 0)
    report.figures = {"ms": {"best": min(times), "worst": max(times)}}
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
