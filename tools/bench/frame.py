"""Bars 3, 4, 5, 6 and 8: what talking characters cost a 60 Hz game's frames, against no engine and the naive client.

    python tools/bench/frame.py --json

Games (game.py) in processes of their own do the same work in every frame: ``none`` talks to nobody; ``ours`` has an
engine with its host process; ``thread`` has the host in a thread; ``naive`` reads the SDK's `recv()` in threads. They
take turns, round by round, on one realtime simulator in its own process that streams 100 deltas a second on each
stream. Bars are judged on medians over rounds. For bar 8 every round is a new game that starts its engine during play.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import Report, alternating, simulator
from game import BEFORE, FRAME, WORK
from people import write_cast
from steady import cores, on, real_time
from workers import Worker, worker

from townsfolk.simulator import words

RATE: Final = 100
"""Deltas a second of one stream: what a fast model gives."""
STREAMS: Final = (1, 10, 50, 200)
_MORE: Final = {50: 2}
"""More rounds where most bars are."""
STARTED: Final = 50
"""Characters that speak, and connections that are made, when the engine starts during play."""
_AFTER: Final = 0.3
"""Seconds that streams go on after a round was measured."""


class Rounds:
    """Frame times of one number of streams: for each kind and round, the median and the 99th percentile."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.p50: dict[str, list[float]] = {kind: [] for kind in kinds}
        self.p99: dict[str, list[float]] = {kind: [] for kind in kinds}
        self.whole = dict.fromkeys(kinds, 0)
        self.streams = dict.fromkeys(kinds, 0)
        self.troubles: list[str] = []

    def add(self, kind: str, done: dict[str, Any]) -> None:
        cuts = statistics.quantiles(done["frames"], n=100, method="inclusive")
        self.p50[kind].append(statistics.median(done["frames"]))
        self.p99[kind].append(cuts[98])
        self.whole[kind] += done["whole"]
        self.streams[kind] += done["streams"]
        self.troubles += [f"{kind}: {trouble}" for trouble in done["troubles"]]

    def increase(self, kind: str, at: str = "p50") -> float:
        """Milliseconds over no engine in the same round; the median of all rounds."""
        times = self.p50 if at == "p50" else self.p99
        return statistics.median(a - b for a, b in zip(times[kind], times["none"], strict=True))

    def p99_ratio(self, kind: str) -> float:
        """The 99th percentile over that of no engine in the same round; the median of all rounds."""
        return statistics.median(a / b for a, b in zip(self.p99[kind], self.p99["none"], strict=True))

    def delivered(self, kind: str) -> float:
        """The share of streams of which every delta came."""
        return self.whole[kind] / self.streams[kind]

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {"none": {"p50 ms": _ms(self.p50["none"]), "p99 ms": _ms(self.p99["none"])}}
        for kind in self.p50:
            if kind != "none":
                found[kind] = {
                    "p50 increase ms": round(self.increase(kind), 3),
                    "p99 increase ms": round(self.increase(kind, "p99"), 3),
                    "p99 ratio": round(self.p99_ratio(kind), 3),
                    "streams whole": f"{self.whole[kind]} of {self.streams[kind]}",
                }
        return found


def _game(kind: str, setup: dict[str, Any], folder: Path) -> AbstractContextManager[Worker]:
    """A game in a process of its own, with a save of its own."""
    return worker("game.py", {**setup, "kind": kind, "save": str(folder / f"{kind}.db")})


def _ms(times: Sequence[float]) -> float:
    return round(statistics.median(times), 3)


def streaming(report: Report, setup: dict[str, Any], counts: Sequence[int], rounds: int, seconds: float) -> None:
    """Bars 3 to 6: rounds of streaming."""
    found: dict[int, Rounds] = {}
    with ExitStack() as stack:
        folder = Path(setup["folder"])
        kinds = {"none": 0, "ours": max(counts), "naive": max(counts)} | ({"thread": 10} if 10 in counts else {})
        games = {kind: stack.enter_context(_game(kind, setup, folder)) for kind in kinds}
        for kind, streams in kinds.items():
            games[kind].do("warm", streams=streams)
        for count in counts:
            compared = [kind for kind in kinds if kind != "thread" or count == 10]
            found[count] = Rounds(compared)
            for kind in alternating(compared, rounds + _MORE.get(count, 0)):
                found[count].add(kind, games[kind].do("round", streams=count, seconds=seconds))
            report.figures[f"{count} streams"] = found[count].figures()
            for trouble in dict.fromkeys(found[count].troubles):
                report.note(f"{count} streams: {trouble}")
    whole = min(each.delivered("ours") for each in found.values())
    if 50 in found:
        fifty = found[50]
        limit = 0.3 if setup["mine"] else 0.5
        report.at_most("3: 50 streams, p50 increase, ms", fifty.increase("ours"), limit)
        report.at_most("3: 50 streams, p99 / no engine", fifty.p99_ratio("ours"), 1.10)
        p99 = fifty.increase("ours", "p99") / max(fifty.increase("naive", "p99"), 1e-9)
        report.at_most("5: 50 streams, p99 increase / naive's", p99, 0.05)
    if 200 in found:
        report.at_most("4: 200 streams, p50 increase, ms", found[200].increase("ours"), 0.6)
        report.at_most("4: 200 streams, p99 / no engine", found[200].p99_ratio("ours"), 1.15)
    report.at_least("4: share of streams with all deltas delivered, any number of streams", whole, 1.0)
    if 10 in found:
        ten = found[10]
        report.at_most("6: thread host, 10 streams, p50 increase, ms", ten.increase("thread"), 0.7)
        over = ten.increase("thread") / max(ten.increase("naive"), 1e-9)
        report.at_most("6: thread host, 10 streams, p50 increase / naive's", over, 0.5)
        report.at_least("6: thread host, share of streams with all deltas delivered", ten.delivered("thread"), 1.0)


def starting(report: Report, setup: dict[str, Any], streams: int, rounds: int, seconds: float) -> None:
    """Bar 8: the worst frame when the engine starts during play and ``streams`` characters are spoken to at once."""
    worst: dict[str, list[float]] = {"none": [], "ours": [], "naive": []}
    whole = spoken = 0
    setup = {**setup, "sockets": streams, "in_flight": 1}  # a line on each: as many connects as naive makes
    for n, kind in enumerate(alternating(tuple(worst), rounds)):
        folder = Path(setup["folder"]) / f"start{n}"
        folder.mkdir()
        with _game(kind, setup, folder) as game:
            done = game.do("start", streams=streams, seconds=seconds)
            worst[kind].append(max(done["frames"]))
            if kind == "ours":
                whole, spoken = whole + done["whole"], spoken + done["streams"]
            for trouble in done["troubles"]:
                report.note(f"start, {kind}: {trouble}")

    def increase(kind: str) -> float:
        return statistics.median(a - b for a, b in zip(worst[kind], worst["none"], strict=True))

    ours, naive = increase("ours"), increase("naive")
    report.figures[f"start and {streams} connects during play, worst frame"] = {
        "none ms": _ms(worst["none"]),
        "ours increase ms": round(ours, 3),
        "naive increase ms": round(naive, 3),
        "ours, streams whole": f"{whole} of {spoken}",
    }
    report.at_most(f"8: start and {streams} connects during play, worst frame increase, ms", ours, 8.0)
    report.at_least("8: naive's worst frame increase / ours", naive / max(ours, 1.0), 5.0)  # under 1 ms it is noise


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.5, help="measured seconds of a round (%(default)s)")
    parser.add_argument("--streams", type=int, action="append", help=f"of {STREAMS} by default; may be repeated")
    parser.add_argument("--only", choices=("streaming", "starting"), help="measure only these bars")
    parser.add_argument("--quick", action="store_true", help="tiny: shows that it runs, measures nothing of worth")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.streams = 1, 0.3, options.streams or [2]
    counts = options.streams or list(STREAMS)
    started = 2 if options.quick else STARTED
    most = max(counts)
    steady, where = real_time(), cores()
    deltas = round((BEFORE + options.seconds + _AFTER) * RATE)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with on(where["others"]):
            url = stack.enter_context(simulator("--deltas", str(deltas), "--rate", str(RATE)))
        setup: dict[str, Any] = {
            "characters": str(write_cast(Path(folder) / "cast", max(most, started))),
            "folder": folder,
            "url": url,
            "real_time": steady,
            "sockets": -(-most // 8),
            "in_flight": 8,
            "text": "".join(map(str, words(deltas)({}).all())),  # type: ignore[union-attr]
            **where,
        }
        with _game("none", setup, Path(folder)) as game:
            setup.update(game.do("calibrate", seconds=0.3 if options.quick else 3.0))
        report = Report(
            "frame",
            rounds=options.rounds,
            rounds_more=", ".join(f"{more} at {count} streams" for count, more in _MORE.items()),
            seconds=options.seconds,
            streams=counts,
            deltas_a_second=RATE,
            frame_ms=round(FRAME * 1000, 2),
            work_ms=WORK * 1000,
            seed=None,
            real_time=steady,
            pinned=bool(where["mine"]),
        )
        if not steady:
            report.note("real-time priority (chrt -r 1) was refused: the figures are noisier")
        if not where["mine"]:
            report.note("the game could not be pinned to a core of its own: the unpinned limits apply")
        if options.only != "starting":
            streaming(report, setup, counts, options.rounds, options.seconds)
        if options.only != "streaming":
            starting(report, setup, started, options.rounds, options.seconds if options.quick else 4.0)
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
