"""Seeds one defect at a time into the engine and looks whether a check turns red: what cannot fail proves nothing.

The defect is put in by a `sitecustomize` module in a folder of its own, so that every process of the check has it; the
engine knows nothing of it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = ["tools/faults/campaign.py", "--n", "144", "--seed", "1"]
KILLS = ["tools/faults/kill_host.py", "--n", "10", "--seed", "1"]


def _tests(path: str, which: str) -> list[str]:
    return ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", path, "-k", which]


# --- the defects: each changes one thing of the engine that is imported -----------------------------------------------


def no_deadline() -> None:
    from townsfolk import npc
    from townsfolk.models import socket

    async def speak(self: Any, turn: Any, request: Any, emit: Any) -> Any:
        return await self.model.speak(request, self._listener(turn, request, emit, lambda: None))

    async def watch(self: Any, line: Any) -> None:
        return None

    npc.Npc._speak = speak  # type: ignore[method-assign]
    socket.Socket._watch = watch  # type: ignore[method-assign]


def silence_is_not_noticed() -> None:
    from townsfolk.models import socket

    async def watch(self: Any, line: Any) -> None:
        return None

    socket.Socket._watch = watch  # type: ignore[method-assign]


def no_thinking_bark() -> None:
    from townsfolk.turn import Turn

    Turn.think = lambda self, bark: []  # type: ignore[method-assign]


def a_lost_line_is_asked_again() -> None:
    from townsfolk.models import fallback, socket

    def lose(self: Any, reason: Any) -> None:
        if not self.lost:
            self.lost = True
            for line in list(self._lines.values()):
                line.fail(socket.Lost("connect_failed", reason.message))
                self._settle(line)
            self._changed(self)

    socket.Socket._lose = lose  # type: ignore[method-assign]
    assert fallback


def done_twice() -> None:
    from townsfolk.host.client import Client

    honest = Client.emit

    def emit(self: Any, event: Any) -> None:
        honest(self, event)
        if type(event).__name__ == "LineDone":
            honest(self, event)

    Client.emit = emit  # type: ignore[method-assign]


def words_out_of_order() -> None:
    from townsfolk.turn import Turn

    honest, held = Turn.hear, {}

    def hear(self: Any, text: str) -> Any:
        if self.line not in held and self.shown:
            held[self.line] = text
            return []
        return honest(self, text + held.pop(self.line, "") if self.shown else text)

    Turn.hear = hear  # type: ignore[method-assign]


def acknowledged_before_it_is_on_disk() -> None:
    from townsfolk.host import committer

    honest, settle = committer.Committer.keep, committer.Committer._commit

    def keep(self: Any, memories: Any = (), open_lines: Any = (), closed: Any = ()) -> Any:
        honest(self, memories, open_lines, closed)
        done = self._loop.create_future()
        done.set_result(None)
        return done

    def late(self: Any, batch: Any) -> None:
        time.sleep(0.1)
        settle(self, batch)

    committer.Committer.keep = keep  # type: ignore[method-assign]
    committer.Committer._commit = late  # type: ignore[method-assign]


def a_refused_key_is_tried_again() -> None:
    from townsfolk.models.breaker import Breaker

    Breaker.failed = lambda self, error, now: None  # type: ignore[method-assign]


def all_connect_at_once() -> None:
    from townsfolk.models.backoff import Pacer

    Pacer.wait = lambda self, now: 0.0  # type: ignore[method-assign]


def no_jitter_and_no_cap() -> None:
    from townsfolk.models import backoff

    backoff.full_jitter = lambda tries, rolled, base_s=0.5, cap_s=8.0: base_s * 2**tries  # type: ignore[assignment]


def no_limit_in_flight() -> None:
    from townsfolk.models.socket import Socket

    Socket.limit = property(lambda self: 1000, lambda self, most: None)  # type: ignore[assignment]


def cancelled_lines_cost_nothing() -> None:
    from townsfolk.models.line import Line

    honest = Line.drop

    def drop(self: Any) -> None:
        self._took = None
        honest(self)

    Line.drop = drop  # type: ignore[method-assign]


def what_was_played_is_ignored() -> None:
    from townsfolk.turn import Turn

    Turn.heard = property(lambda self: self.shown)  # type: ignore[assignment,method-assign]


def tasks_are_left() -> None:
    from townsfolk.models.pool import Pool

    async def close(self: Any) -> None:
        self._closed = True

    Pool.close = close  # type: ignore[method-assign]


def remembered_twice() -> None:
    from townsfolk.memory.recall import Recall

    honest = Recall.add

    def add(self: Any, memory: Any) -> None:
        honest(self, memory)
        if memory.kind == "heard":
            honest(self, memory)

    Recall.add = add  # type: ignore[method-assign]


def a_failure_without_an_end() -> None:
    from townsfolk.turn import Turn

    Turn.fail = lambda self, error, bark: []  # type: ignore[method-assign]
    Turn.cut = lambda self, model: []  # type: ignore[method-assign]


def voices_overlap() -> None:
    class Floor(asyncio.Lock):
        async def acquire(self) -> Any:
            return True

        def release(self) -> None:
            return None

    from townsfolk.host import client

    honest = client.Client.__init__

    def init(self: Any, send: Any) -> None:
        honest(self, send)
        self.floor = Floor()

    client.Client.__init__ = init  # type: ignore[method-assign]


SABOTEURS: dict[str, tuple[Callable[[], None], list[str]]] = {
    "no deadline": (no_deadline, CAMPAIGN),
    "silence is not noticed": (silence_is_not_noticed, _tests("tests/models/test_realtime.py", "what_goes_wrong")),
    "no thinking bark": (no_thinking_bark, CAMPAIGN),
    "a line lost in its middle is asked again": (a_lost_line_is_asked_again, CAMPAIGN),
    "done is told twice": (done_twice, CAMPAIGN),
    "words out of order": (words_out_of_order, CAMPAIGN),
    "acknowledged before it is on disk": (acknowledged_before_it_is_on_disk, KILLS),
    "a refused key is tried again": (
        a_refused_key_is_tried_again,
        _tests("tests/models/test_realtime.py", "refusal_for_good"),
    ),
    "all connect at once": (all_connect_at_once, _tests("tests/models/test_backoff.py", "connects")),
    "no jitter and no cap": (no_jitter_and_no_cap, _tests("tests/models/test_backoff.py", "wait")),
    "no limit in flight": (no_limit_in_flight, _tests("tests/models/test_realtime.py", "one_response_at_a_time")),
    "cancelled lines cost nothing": (cancelled_lines_cost_nothing, _tests("tests/models/test_realtime.py", "took")),
    "what was played is ignored": (what_was_played_is_ignored, _tests("tests/test_npc.py", "cuts_in")),
    "tasks are left": (tasks_are_left, CAMPAIGN),
    "remembered twice": (remembered_twice, CAMPAIGN),
    "a failure without an end": (a_failure_without_an_end, CAMPAIGN),
    "voices overlap": (voices_overlap, _tests("tests/test_transports.py", "overlap")),
}


def red(name: str) -> tuple[bool, str]:
    """Whether the check fails with the defect in place, and what it said."""
    _, check = SABOTEURS[name]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(
            f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            f"import saboteurs\nsaboteurs.SABOTEURS[{name!r}][0]()\n"
        )
        path = os.pathsep.join(filter(None, (folder, str(ROOT / "engine"), os.environ.get("PYTHONPATH"))))
        run = subprocess.run(
            [sys.executable, *check], cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    lines = [line for line in run.stdout.splitlines() if line.startswith(("FAIL", "FAILED", "ERROR"))]
    return run.returncode != 0 and bool(lines), "; ".join(lines[:2]) or run.stderr[-300:]


def main() -> int:
    sys.path.insert(0, str(ROOT / "tools" / "bench"))
    from common import Report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SABOTEURS, help="just this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    names = [options.only] if options.only else list(SABOTEURS)
    report = Report("saboteurs", defects=len(names))
    caught = {name: red(name) for name in names}
    report.at_least("defects that turn a check red", sum(found for found, _ in caught.values()), len(names))
    report.figures = {name: f"{'red' if found else 'GREEN'}: {what}" for name, (found, what) in caught.items()}
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
