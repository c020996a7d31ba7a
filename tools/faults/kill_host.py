"""Kills the host in mid-line, again and again, and looks whether an acknowledged turn is ever lost or doubled.

Each round says a line, waits until a random point of its life, kills the host process with SIGKILL, and then looks at
what the game was told (a status, and a bark for the line that was open) and at what the next host remembers.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from common import Report

from townsfolk import Answer, Engine, LineAccepted, LineDone, LineFailed, Status
from townsfolk.transports import ProcessTransport

CAST = Path(__file__).parents[2] / "tests" / "cast"
SCRIPT = """\
pace_s: 0.004
replies:
  - "The oil boat comes on a Tuesday and goes on a Wednesday, and between the two I mend what the rocks have torn."
"""


class Round:
    """One kill and what came of it."""

    def __init__(self, engine: Engine, transport: ProcessTransport, wait: float) -> None:
        self.accepted: set[str] = set()
        self.done: set[str] = set()
        self.failed: list[LineFailed] = []
        self.statuses: list[str] = []
        self.line = engine.say("ada", "When does the oil boat come?")
        self._hear(engine, until=time.monotonic() + wait)
        assert transport._process is not None
        transport._process.kill()
        # The game notices, and the engine comes back.
        deadline = time.monotonic() + 20
        while not ({"host_lost"} <= set(self.statuses) and "ready" in self.statuses) and time.monotonic() < deadline:
            self._hear(engine, until=time.monotonic() + 0.02)

    def _hear(self, engine: Engine, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for event in engine.wait(left):
                match event:
                    case LineAccepted(line=line):
                        self.accepted.add(line)
                    case LineDone(line=line):
                        self.done.add(line)
                    case LineFailed():
                        self.failed.append(event)
                    case Status(code=code):
                        self.statuses.append(code)


def remembered(engine: Engine) -> list[dict[str, Any]]:
    """All that the character remembers, asked of the host that runs now."""
    request, deadline = engine.memory("ada", limit=200), time.monotonic() + 10
    while time.monotonic() < deadline:
        for event in engine.wait(0.1):
            if isinstance(event, Answer) and event.request == request:
                return list(event.data["memories"])
    raise SystemExit("the host gave no answer")


def campaign(n: int, seed: int) -> Report:
    """Runs ``n`` kills; returns the report."""
    rng = random.Random(seed)
    lost = doubled = forgotten = unfinished = silent = barkless = accepted = done = midline = 0
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.yaml"
        script.write_text(SCRIPT)
        for part in range(0, n, 50):  # a save of its own for each fifty, so that one answer holds all it remembers
            save = str(Path(folder) / f"kill{part}.db")
            config = {"characters": str(CAST), "save": save, "model": f"scripted:{script}"}
            transport = ProcessTransport(config)
            engine = Engine(transport, backoff=(0.0,))
            while not engine.npcs:
                engine.wait(0.1)
            rounds = []
            for _ in range(min(50, n - part)):
                each = Round(engine, transport, rng.uniform(0.001, 0.13))
                rounds.append(each)
                silent += "host_lost" not in each.statuses
                over = each.line in each.done or any(failed.line == each.line for failed in each.failed)
                unfinished += not over
                barkless += any(failed.line == each.line and not failed.text for failed in each.failed)
                midline += each.line not in each.done
            memories = remembered(engine)
            engine.close()
            rows = _rows(save)
            for each in rounds:
                accepted += each.line in each.accepted
                done += each.line in each.done
                heard, said = rows.get((each.line, "heard"), 0), rows.get((each.line, "said"), 0)
                lost += (each.line in each.accepted and heard == 0) or (each.line in each.done and said == 0)
                doubled += heard > 1 or said > 1
            forgotten += len(memories) != min(200, sum(rows.values()))
    report = Report("kill_host", n=n, seed=seed)
    for name, value in {
        "accepted or finished turns lost": lost,
        "turns doubled": doubled,
        "hosts that remember otherwise than the save": forgotten,
        "kills that the game was not told of": silent,
        "lines without an end": unfinished,
        "lost lines without a bark": barkless,
    }.items():
        report.at_most(name, value, 0)
    report.at_least("killed in mid-line", midline, n // 2)
    report.figures = {"accepted turns": accepted, "finished lines": done}
    return report


def _rows(save: str) -> dict[tuple[str, str], int]:
    """How often the save holds each half of each turn, read by SQLite itself."""
    import apsw

    db = apsw.Connection(save)
    found: dict[tuple[str, str], int] = {}
    for turn, kind, count in db.execute("SELECT turn, kind, count(*) FROM memory GROUP BY turn, kind"):
        found[str(turn), str(kind)] = int(count)  # type: ignore[arg-type]
    assert next(iter(db.execute("PRAGMA integrity_check")))[0] == "ok"
    db.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="how many kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    return campaign(options.n, options.seed).print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
