"""Breaks the connection to a realtime server in every way and phase, and looks what each player's turn came to.

A case is one player line to a real host (memory, ladder, deadlines) whose realtime server is our simulator behind a
proxy that breaks things. The server's words are numbered, so that a word that is lost, doubled or out of place shows.
Times are those of the engine, times ``--scale``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from common import Report
from judge import WORDS, ZEROS, Case, Judge, on_disk_otherwise
from kinds import GREETINGS, KINDS, PHASES, SAYINGS, WIRE, pairs
from proxy import Proxy, Through

from townsfolk.host.client import Client
from townsfolk.host.config import Config
from townsfolk.host.engine import Host
from townsfolk.models.authored import Authored
from townsfolk.models.backoff import Pacer
from townsfolk.models.fallback import Fallback
from townsfolk.models.realtime import Realtime
from townsfolk.simulator import Pace, Simulator, ToolCall

AUTHORED = (Authored(deflect=False), Authored(topics=False))
CAST = Path(__file__).resolve().parents[2] / "tests" / "cast"


class Bench:
    """A host, its simulator and the proxy between them; runs cases one after the other."""

    def __init__(self, number: int, seed: int, scale: float, save: str | None) -> None:
        self.rng = random.Random(seed * 1000 + number)
        self.scale = scale
        self.save = save
        self.case: Case | None = None
        self.lost: list[str] = []
        self.cases: list[Case] = []

    async def start(self) -> None:
        self.simulator = Simulator(brain=self._brain, pace=Pace(rate=150))
        await self.simulator.start()
        address = self.simulator.url.removeprefix("ws://").partition("/")[0].split(":")
        self.proxy = Proxy((address[0], int(address[1])), self.rng)
        await self.proxy.start()
        scale = self.scale
        self.host = Host(
            Config(
                characters=str(CAST), save=self.save, model="scripted",  # the ladder is put in below
                realtime_url=f"ws://127.0.0.1:{self.proxy.port}/v1",
                thinking=1.5 * scale, first_word=8.0 * scale, whole_line=20.0 * scale,
            )
        )  # fmt: skip
        await self.host.start()
        self.host._facts["trust_ada"] = 2  # she may offer the wick
        self.client = Client(self._take)
        self.host.join(self.client)
        # A host that has been running for a while: what is slow once only is over.
        self._kept = Realtime(api_key="sk-campaign", base_url=self.host.config.realtime_url)
        await self._kept._connector._ready()
        for npc in ("ada", "bo"):
            await self.host._npc(npc)

    def _take(self, message: dict[str, Any]) -> None:
        if self.case is not None:
            self.case.take(message)

    async def run(self, case: Case) -> None:
        """One case, from a model that is new to a line that has ended."""
        self.case, self.proxy.greeting = case, None
        self.cases.append(case)
        realtime = self._ladder()
        if case.phase != "connecting":
            await realtime.warm(self.host.cast.personas[case.npc])
        if case.phase in ("connecting", "idle"):
            self._strike(case)
            if case.phase == "idle":
                await asyncio.sleep(self.rng.uniform(0, 0.02))
        case.began = time.monotonic()
        self.host.receive(self.client, "say", {"line": case.line, "npc": case.npc, "text": "Can you give me a wick?"})
        if case.cancel_after is not None:
            asyncio.get_running_loop().call_later(
                case.cancel_after * self.scale, self.host.receive, self.client, "cancel", {"line": case.line}
            )
        try:
            await asyncio.wait_for(case.ended.wait(), 20.0 * self.scale + 10)
        except TimeoutError:
            self.lost.append(case.line)
        await asyncio.sleep(0)
        realtime._connector._client = None  # it is shared
        await realtime.close()
        self.proxy.reset_all()

    def _ladder(self) -> Realtime:
        """A realtime model and ladder that know of no trouble yet, in place of the host's."""
        scale = self.scale
        model = Realtime(
            api_key="sk-campaign", base_url=self.host.config.realtime_url, sockets=2,
            connect_s=4.0 * scale, created_s=5.0 * scale, stall_s=5.0 * scale,
        )  # fmt: skip
        model._connector._pacer = Pacer(1000)
        model._connector._client = self._kept._connector._client  # making one is slow
        ladder = Fallback([model, *AUTHORED], first_word_s=8.0 * scale)
        for npc in self.host._npcs.values():
            npc.model = ladder
        return model

    def _strike(self, case: Case) -> None:
        case.hit = True
        if case.kind in GREETINGS or (case.phase == "connecting" and case.kind in WIRE):
            if case.kind in GREETINGS:
                self.proxy.greeting = GREETINGS[case.kind]
            else:
                self.proxy.greeting = self._on_connect(case)
            self.proxy.reset_all()
            return
        act = WIRE.get(case.kind) or SAYINGS[case.kind]
        for through in list(self.proxy.connections):
            act(through, self.rng)

    def _on_connect(self, case: Case) -> Any:
        def greeting(through: Through) -> None:
            asyncio.get_running_loop().call_later(self.rng.uniform(0, 0.01), WIRE[case.kind], through, self.rng)

        return greeting

    def _brain(self, response: Mapping[str, Any]) -> AsyncIterator[Any]:
        return self._say(self.case) if self.case is not None else _nothing()

    async def _say(self, case: Case) -> AsyncIterator[Any]:
        if case.phase == "awaiting" and not case.hit:
            await asyncio.sleep(0.01)
            self._strike(case)
        for n, word in enumerate(case.words):
            if n == WORDS // 2:
                if case.phase == "mid-line" and not case.hit:
                    await asyncio.sleep(0.05)  # what was said is on its way
                    self._strike(case)
                if case.phase == "mid-tool-call" and not case.hit:
                    yield ToolCall("give_item", '{"item":            "wick"              }')
                    await asyncio.sleep(0.05 + self.rng.uniform(0.0, 0.02))
                    self._strike(case)
                elif case.phase != "mid-tool-call" and case.index % 2:
                    yield ToolCall("give_item", '{"item": "wick"}')
            yield word

    async def close(self) -> None:
        await self.host.close()
        await self._kept.close()
        await self.proxy.close()
        await self.simulator.close()


async def _nothing() -> AsyncIterator[Any]:
    yield "Hm. "


class Complaints(logging.Handler):
    """Whatever is logged as an error, or raised where nobody looks."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage()[:200])

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.seen.append(f"{context.get('message')}: {context.get('exception')!r}"[:300])


async def campaign(n: int, seed: int, scale: float, beside: int, only: int | None, saved: int) -> Report:
    """Runs the cases; returns the report."""
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    asyncio.get_running_loop().set_exception_handler(complaints.unhandled)
    rng = random.Random(seed)
    order = pairs() * (n // len(pairs()) + 1)
    rng.shuffle(order)
    cases = [
        Case(
            index, kind, phase, f"c{index}", rng.choice(("ada", "bo")) if phase != "mid-tool-call" else "ada",
            seed, rng.uniform(0.05, 8.0) if rng.random() < 0.1 else None,
        )
        for index, (kind, phase) in enumerate(order[:n])
    ]  # fmt: skip
    if only is not None:
        cases = [cases[only]]
    first = Bench(0, seed, scale, None)  # libraries open files of their own once
    await first.start()
    await first.close()
    before = _open_files()
    with tempfile.TemporaryDirectory() as folder:
        benches = [
            Bench(number, seed, scale, str(Path(folder) / f"{number}.db") if number < saved else None)
            for number in range(min(beside, len(cases)))
        ]
        for bench in benches:
            await bench.start()
        queue = iter(cases)
        started = time.monotonic()

        async def work(bench: Bench) -> None:
            for case in queue:
                await bench.run(case)

        await asyncio.gather(*(work(bench) for bench in benches))
        took = time.monotonic() - started
        judge = Judge(scale)
        for bench in benches:
            for case in bench.cases:
                judge.case(case, bench.host)
        for bench in benches:
            await bench.close()
        on_disk = 0
        for bench in benches:
            if bench.save is not None:
                on_disk += len(bench.cases)
                judge.bad["lost or doubled on disk"] += on_disk_otherwise(bench.save, bench.cases)
    await asyncio.sleep(0.2)
    gc.collect()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    report = Report("campaign", n=len(cases), seed=seed, scale=scale, beside=len(benches), on_disk=on_disk)
    for what in ZEROS:
        report.at_most(f"turns {what}", judge.bad[what], 0)
    report.at_most("tasks left", len(tasks), 0)
    report.at_most("descriptors left", max(0, _open_files() - before), 0)
    report.at_most("errors that nobody handled", len(complaints.seen), 0)
    missed = [pair for pair in pairs() if not judge.table[pair]]
    if len(cases) >= 4 * len(pairs()):
        report.at_most("pairs of kind and phase that were never reached", len(missed), 0)
    report.figures = {
        "kinds": len(KINDS), "phases": len(PHASES), "pairs": len(pairs()), "reached": sum(judge.table.values()),
        "never reached": [" ".join(pair) for pair in missed][:20],
        "endings": dict(judge.endings), "latest end, s at scale 1": round(judge.latest, 2),
        "faults a second": round(len(cases) / took, 1),
        "examples": {what: found[:5] for what, found in judge.examples.items()},
        "complaints": sorted(set(complaints.seen))[:5], "tasks": [task.get_name() for task in tasks][:5],
    }  # fmt: skip
    return report


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=0.15, help="all of the engine's times, times this")
    parser.add_argument("--beside", type=int, default=48, help="how many turns run beside each other")
    parser.add_argument("--saved", type=int, default=8, help="how many of them are kept on disk")
    parser.add_argument("--only", type=int, help="run this case of the seed alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    report = asyncio.run(campaign(options.n, options.seed, options.scale, options.beside, options.only, options.saved))
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
