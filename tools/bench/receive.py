"""Bars 1, 2 and 7: what receiving a text delta costs, against the SDK's parsing, bare websockets and the naive client.

    python tools/bench/receive.py --json

Bar 1 counts instructions with callgrind, as the difference of two runs, and CPU time beside it. Bar 2 floods: the
simulator, in a process of its own, sends as fast as the client reads. ``bare`` is websockets with the same options as
ours and no decoding at all; ``naive`` is a thread that calls the SDK's ``connection.recv()``. Bar 7 is poll.py's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import Report, alternating, environment, median_ratio, medians, simulator
from poll import bar_7

from townsfolk.models.base import ModelEvent, Request
from townsfolk.persona import Persona
from townsfolk.prompt import Message, Prompt

LINES = 8
"""Lines at once on the one socket."""
OVERHEAD = 8
"""Frames of a response besides its deltas."""


def frames(count: int) -> list[bytes]:
    """Text deltas as OpenAI sends them, of one response: a hundred different ones, again and again."""
    made = [
        json.dumps(
            {
                "type": "response.output_text.delta",
                "event_id": f"event_{n:021d}",
                "response_id": "resp_000000000000000000001",
                "item_id": "item_000000000000000000002",
                "output_index": 0,
                "content_index": 0,
                "delta": f" word{n % 1000}",
            },
            separators=(",", ":"),
        ).encode()
        for n in range(100)
    ]
    return (made * (count // 100 + 1))[:count]


def request(line: str) -> Request:
    barks = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")
    persona = Persona.model_validate({"id": "ada", "name": "Ada", "description": "A", "manner": "B", "barks": barks})
    prompt = Prompt("You are Ada.", (Message("user", "Talk."),), (), 1200)
    return Request(line, persona, prompt, "Talk.", max_tokens=4096)


# bar 1: decode and dispatch alone


class Still:
    """A connection on which nothing comes by itself."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def recv_bytes(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def send_raw(self, data: str) -> None:
        self.asked.set()

    async def close(self) -> None:
        pass


class Direct:
    """Stands for the WebSocket connection: it calls ``hear`` with each message."""

    hear: Callable[[bytes], None]


async def dispatch(data: list[bytes]) -> float:
    """Runs frames through the real socket to a listener; returns the CPU seconds."""
    from townsfolk.models.socket import Settings, Socket

    heard = 0

    def emit(event: ModelEvent) -> None:
        nonlocal heard
        heard += 1

    still, direct = Still(), Direct()
    settings = Settings("m", "m on server", "", 8, 60.0, 60.0)
    loop = asyncio.get_running_loop()
    socket = Socket(still, settings, loop.time() + 60, lambda socket: None, direct)  # type: ignore[arg-type]
    socket.busy += 1
    speaking = loop.create_task(socket.speak("s-1/1", "{}", emit))
    await still.asked.wait()
    hear = direct.hear
    hear(b'{"type":"response.created","event_id":"event_0","response":{"id":"resp_000000000000000000001"}}')
    start = time.process_time()
    for each in data:
        hear(each)
    spent = time.process_time() - start
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    await socket.close()
    assert heard == len(data), f"{heard} of {len(data)} deltas arrived"
    return spent


def parse(data: list[bytes]) -> float:
    """The same frames through the SDK's own parser; returns its CPU seconds."""
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    parse_event: Callable[[Any, bytes], Any] = AsyncRealtimeConnection.parse_event
    start = time.process_time()
    for each in data:
        parse_event(None, each)
    return time.process_time() - start


def run_part(kind: str, count: int) -> float:
    data = frames(count)
    return asyncio.run(dispatch(data)) if kind == "ours" else parse(data)


def instructions(kind: str, count: int) -> int:
    """Instructions of this script's ``--part kind count``, by callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, __file__]
        env = {**environment(), "PYTHONHASHSEED": "0"}
        subprocess.run([*command, "--part", kind, str(count)], check=True, env=env, capture_output=True)
        for line in out.read_text(errors="replace").splitlines():
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1])
    raise RuntimeError("callgrind told no total")


def bar_1(report: Report, rounds: int, count: int) -> None:
    samples: dict[str, list[float]] = {"ours": [], "sdk": []}
    for kind in alternating(("ours", "sdk"), rounds):
        n = 20 * count if kind == "ours" else count
        samples[kind].append(run_part(kind, n) / n * 1e6)
    report.figures["decode and dispatch, us of CPU a delta"] = medians(samples)
    report.at_most("1: decode + dispatch / SDK parse, CPU", median_ratio(samples["ours"], samples["sdk"]), 0.05)
    if shutil.which("valgrind") is None:
        report.note("valgrind is not installed: no instructions were counted, CPU time only")
        return
    jobs = [("ours", 2000), ("ours", 4000), ("sdk", 100), ("sdk", 200)]
    counted: dict[tuple[str, int], int] = {}

    def work(part: list[tuple[str, int]]) -> None:
        for job in part:
            counted[job] = instructions(*job)

    threads = [threading.Thread(target=work, args=(jobs[n::2],)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = (counted["ours", 4000] - counted["ours", 2000]) / 2000
    sdk = (counted["sdk", 200] - counted["sdk", 100]) / 100
    report.figures["instructions a delta"] = {"ours": round(ours), "sdk": round(sdk)}
    report.at_most("1: decode + dispatch, instructions a delta", ours, 15_000)
    report.at_most("1: decode + dispatch / SDK parse, instructions", ours / sdk, 0.05)


# bar 2: flood


def create(line: int) -> str:
    response = {"conversation": "none", "metadata": {"rid": str(line)}, "output_modalities": ["text"], "input": []}
    return json.dumps({"type": "response.create", "response": response})


async def flood_bare(url: str, deltas: int) -> tuple[float, float]:
    from websockets.asyncio.client import connect

    options: dict[str, Any] = {"compression": None, "max_queue": 256, "max_size": 1 << 22, "proxy": None}
    async with connect(f"{url}/realtime?model=m", **options, ping_interval=5, ping_timeout=5) as socket:
        await socket.recv(decode=False)
        wall, start = time.perf_counter(), time.process_time()
        for line in range(LINES):
            await socket.send(create(line))
        for _ in range(LINES * (deltas + OVERHEAD)):
            await socket.recv(decode=False)
        return time.process_time() - start, time.perf_counter() - wall


async def flood_ours(url: str, deltas: int) -> tuple[float, float]:
    from townsfolk.models.realtime import Realtime

    heard = 0

    def emit(event: ModelEvent) -> None:
        nonlocal heard
        heard += 1

    model = Realtime(api_key="sk-bench", base_url=url, sockets=1, in_flight=LINES)
    health = await model.health()
    assert health.ok, health.detail
    wall, start = time.perf_counter(), time.process_time()
    await asyncio.gather(*(model.speak(request(f"s-{n}"), emit) for n in range(LINES)))
    spent = time.process_time() - start, time.perf_counter() - wall
    await model.close()
    assert heard == LINES * deltas, f"{heard} of {LINES * deltas} deltas arrived"
    return spent


async def flood_naive(url: str, deltas: int) -> tuple[float, float]:
    from openai import OpenAI

    client = OpenAI(api_key="sk-bench", websocket_base_url=url)
    heard = 0

    def listen() -> tuple[float, float]:
        nonlocal heard
        with client.realtime.connect(model="m", websocket_connection_options={"compression": None}) as connection:
            connection.recv()
            wall, start = time.perf_counter(), time.process_time()
            for line in range(LINES):
                connection.send_raw(create(line))
            done = 0
            while done < LINES:
                event = connection.recv()
                if event.type == "response.output_text.delta":
                    heard += 1
                elif event.type == "response.done":
                    done += 1
            return time.process_time() - start, time.perf_counter() - wall

    spent = await asyncio.to_thread(listen)
    client.close()
    assert heard == LINES * deltas, f"{heard} of {LINES * deltas} deltas arrived"
    return spent


FLOODS: dict[str, Callable[[str, int], Awaitable[tuple[float, float]]]] = {
    "bare": flood_bare,
    "ours": flood_ours,
    "naive": flood_naive,
}


async def flood(kind: str, url: str, deltas: int) -> tuple[float, float]:
    return await FLOODS[kind](url, deltas)


def bar_2(report: Report, rounds: int, count: int) -> None:
    cpu: dict[str, list[float]] = {kind: [] for kind in FLOODS}
    rate: dict[str, list[float]] = {kind: [] for kind in FLOODS}
    with simulator("--deltas", str(count)) as fast, simulator("--deltas", str(count // 10)) as slow:
        for kind in FLOODS:  # what each loads on its first use is not measured
            asyncio.run(flood(kind, slow, count // 10))
        for kind in alternating(tuple(FLOODS), rounds):
            url, deltas = (slow, count // 10) if kind == "naive" else (fast, count)
            spent, wall = asyncio.run(flood(kind, url, deltas))
            cpu[kind].append(spent / (LINES * deltas) * 1e6)
            rate[kind].append(LINES * deltas / wall)
    report.figures["flood, us of CPU a delta"] = medians(cpu)
    report.figures["flood, deltas a second"] = medians(rate)
    report.at_most("2: flood, CPU a delta / bare websockets", median_ratio(cpu["ours"], cpu["bare"]), 1.25)
    report.at_least("2: flood, deltas a second / naive", median_ratio(rate["ours"], rate["naive"]), 8.0)


BARS: dict[str, Callable[[Report, int, int], None]] = {"1": bar_1, "2": bar_2, "7": bar_7}
"""Each bar by its number in docs: measures, and adds what it found to the report."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each comparison; at least 5 (%(default)s)")
    parser.add_argument("--n", type=int, default=4000, help="deltas of each line (%(default)s)")
    parser.add_argument("--only", choices=sorted(BARS), action="append", help="measure this bar; may be repeated")
    parser.add_argument("--part", nargs=2, metavar=("KIND", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is not None:
        run_part(options.part[0], int(options.part[1]))
        return 0
    rounds = max(5, options.rounds)
    report = Report("receive", rounds=rounds, n=options.n, lines=LINES, pid_affinity=len(os.sched_getaffinity(0)))
    for bar in options.only or sorted(BARS):
        BARS[bar](report, rounds, options.n)
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
