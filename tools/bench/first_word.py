"""Bar 9: from `say()` to the first delta that the game sees, against a bare blocking socket and the naive client.

    python tools/bench/first_word.py --json

All ask the same simulator, in its own process and with no delay of its own, with requests of the same kind, and take
turns round by round, each in a process of its own. ``floor`` sends ready bytes over a bare blocking WebSocket. ``ours``
is `say()` and `poll()`, recall and prompt included, with characters that have hundreds of memories in a save on disk,
where the player's line is being kept meanwhile. ``naive`` is the SDK in a thread: `response.create()`, `recv()`, a
queue. ``raw`` is a blocking socket without any library: how much of all this is the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import Report, alternating, median_ratio, simulator
from floor import Bare, Raw
from naive import Naive
from people import name, write_cast, write_memories
from steady import cores, on, real_time
from workers import obey, worker

from townsfolk import Engine, LineDelta, LineDone, LineFailed

KINDS: Final = ("floor", "ours", "naive", "raw")
CHARACTERS: Final = 10
"""They are asked in turn: the lines of the benchmark itself do not make their memories much longer."""
MEMORIES: Final = 400
DELTAS: Final = 8
SEED: Final = 5
PAUSE: Final = 0.02
"""Seconds between two lines. A player does not speak twice in a frame: by then cores have slept and caches have cooled,
which makes every kind slower. Without a pause is measured too, but no bar is about that."""
_QUESTIONS: Final = (
    "What do the boats bring today?",
    "Is the harbour lamp lit again?",
    "Who sold you that silver knife?",
    "Did the storm break the mast of the ferry?",
    "Where does the widow keep her letters?",
)


class Asker(Protocol):
    """A way to ask a character."""

    def ask(self, npc: str, text: str) -> float:
        """The seconds until the first delta; returns when the whole answer has come."""
        ...

    def close(self) -> None: ...


class AskFloor:
    def __init__(self, setup: dict[str, Any]) -> None:
        self._floor = Bare(setup["url"]) if setup["kind"] == "floor" else Raw(setup["url"])
        self._request = json.dumps(setup["request"], separators=(",", ":")).encode()

    def ask(self, npc: str, text: str) -> float:
        start = time.perf_counter()
        self._floor.ask(self._request)
        spent = time.perf_counter() - start
        self._floor.finish()
        return spent

    def close(self) -> None:
        self._floor.close()


class AskOurs:
    def __init__(self, setup: dict[str, Any]) -> None:
        with on(setup["others"]):
            self._engine = Engine.open(
                setup["characters"], save=setup["save"], model="realtime", options={"realtime_url": setup["url"]}
            )

    def ask(self, npc: str, text: str) -> float:
        engine = self._engine
        start = time.perf_counter()
        line = engine.say(npc, text)
        spent, events = 0.0, []
        while not spent:
            events = engine.poll()
            for event in events:
                if type(event) is LineDelta:
                    spent = time.perf_counter() - start
                elif type(event) is LineFailed:
                    raise RuntimeError(str(event))
        while not any(type(event) is LineDone and event.line == line for event in events):
            events = engine.wait(1.0)
        return spent

    def close(self) -> None:
        self._engine.close()


class AskNaive:
    def __init__(self, setup: dict[str, Any]) -> None:
        with on(setup["all"]):  # its thread runs wherever there is room
            self._naive = Naive(setup["url"], setup["request"]["response"])
        self._naive.connect(1)

    def ask(self, npc: str, text: str) -> float:
        events = self._naive.events
        start = time.perf_counter()
        self._naive.say(0, text)
        spent, kind = 0.0, ""
        while kind != "response.done":
            kind = events.get()[1].type  # blocks: to poll would take the interpreter from the naive thread
            if not spent and kind == "response.output_text.delta":
                spent = time.perf_counter() - start
        return spent

    def close(self) -> None:
        self._naive.close()


class Asking:
    """Asks in a process of its own, as :mod:`workers` says."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._asked = 0

    def round(self, count: int, pause: float) -> dict[str, Any]:
        """Asks so often, with a pause before each."""
        times = []
        for _ in range(count):
            time.sleep(pause)
            npc, text = name(self._asked % CHARACTERS), _QUESTIONS[self._asked // CHARACTERS % len(_QUESTIONS)]
            times.append(self._asker.ask(npc, text) * 1e6)
            self._asked += 1
        return {"times": times}


async def request_of(characters: str, save: str) -> dict[str, Any]:
    """The response.create with which the engine asks."""
    from townsfolk.simulator import Simulator

    def ask(url: str) -> None:
        with Engine.open(characters, save=save, model="realtime", options={"realtime_url": url}) as engine:
            line = engine.say(name(0), _QUESTIONS[0])
            for event in engine.until(line):
                if isinstance(event, LineFailed):
                    raise RuntimeError(str(event))

    async with Simulator() as sim:
        await asyncio.to_thread(ask, sim.url)
        return next(event for event in sim.received if event["type"] == "response.create")


def measure(report: Report, setup: dict[str, Any], rounds: int, count: int) -> None:
    """Bar 9; and the same without a pause, in a third of the rounds."""
    with ExitStack() as stack:
        parts = {kind: stack.enter_context(worker("first_word.py", {**setup, "kind": kind})) for kind in KINDS}
        for part in parts.values():
            part.do("round", count=max(CHARACTERS, count // 4), pause=0.0)  # connects, loads, fills caches

        def figures(rounds: int, pause: float) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
            p50: dict[str, list[float]] = {kind: [] for kind in KINDS}
            p99: dict[str, list[float]] = {kind: [] for kind in KINDS}
            for kind in alternating(KINDS, rounds):
                times = parts[kind].do("round", count=count, pause=pause)["times"]
                p50[kind].append(statistics.median(times))
                p99[kind].append(statistics.quantiles(times, n=100, method="inclusive")[98])
            name = (
                f"first delta, us, {pause * 1000:g} ms after the last answer" if pause else "first delta, us, at once"
            )
            report.figures[name] = {
                kind: {"p50": round(statistics.median(p50[kind])), "p99": round(statistics.median(p99[kind]))}
                for kind in KINDS
            }
            return p50, p99

        p50, p99 = figures(rounds, PAUSE)
        figures(max(1, rounds // 3), 0.0)
    report.at_most("9: first delta, p50 / floor", median_ratio(p50["ours"], p50["floor"]), 2.0)
    report.at_most("9: first delta, p99 / floor", median_ratio(p99["ours"], p99["floor"]), 2.5)
    report.at_most("9: first delta, p50 / naive", median_ratio(p50["ours"], p50["naive"]), 0.35)


def run_part(setup: dict[str, Any]) -> None:
    """What a worker process does."""
    askers: dict[str, Callable[[dict[str, Any]], Asker]] = {"ours": AskOurs, "naive": AskNaive}
    asker = askers.get(setup["kind"], AskFloor)(setup)
    with on(setup["mine"]):
        obey(Asking(asker))
    asker.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each kind (%(default)s)")
    parser.add_argument("--n", type=int, default=120, help="lines of a round (%(default)s)")
    parser.add_argument("--memories", type=int, default=MEMORIES, help="what each character remembers (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny: shows that it runs, measures nothing of worth")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.n = 1, 5
    steady, where = real_time(), cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        characters, save = str(write_cast(folder / "cast", CHARACTERS)), folder / "first.db"
        write_memories(save, CHARACTERS, options.memories, SEED)
        with on(where["others"]):
            url = stack.enter_context(simulator("--deltas", str(DELTAS)))
        request = asyncio.run(request_of(characters, str(save)))
        setup = {"url": url, "characters": characters, "save": str(save), "request": request, **where}
        report = Report(
            "first_word",
            rounds=options.rounds,
            n=options.n,
            characters=CHARACTERS,
            memories=options.memories,
            pause_ms=PAUSE * 1000,
            request_bytes=len(json.dumps(request)),
            seed=SEED,
            real_time=steady,
            pinned=bool(where["mine"]),
        )
        if not steady:
            report.note("real-time priority (chrt -r 1) was refused: the figures are noisier")
        measure(report, setup, options.rounds, options.n)
    return report.print(as_json=options.json)


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("{"):  # started by main() in another process
        run_part(json.loads(sys.argv[1]))
    else:
        raise SystemExit(main())
