"""Ten thousand characters on a few sockets, and going on with a talk on a new one: bars 12 and 13 of the plan.

Bar 12: a host holds 10,000 characters of which 50 talk at once over the realtime protocol: its memory over what the
imports take, its connections, and what an idle character costs. Then 500 talk at once. Bar 13: a conversation of 100
items goes on at a server that does not know it. Ours puts all of it into the request of the next line; the obvious way
is the SDK's call for each item. CPU of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import Report, alternating, median_ratio, simulator
from people import write_cast

MIB = 1 << 20


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def crowd(report: Report, url: str, npcs: int, talking: int, many: int) -> None:
    """Bar 12, and then ``many`` that talk at once."""
    from townsfolk.host.client import Client
    from townsfolk.host.config import Config
    from townsfolk.host.engine import Host

    ended: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(message: dict[str, Any]) -> None:
        if message["t"] in ("line_done", "line_failed"):
            ended.put_nowait(message)

    with tempfile.TemporaryDirectory() as folder:
        write_cast(Path(folder), 1)
        # As many sockets as 500 lines can want; pooled lines share them.
        config = Config(characters=folder, model="realtime", realtime_url=url, realtime_sockets=64)
        host = Host(config)
        await host.start()
        client = Client(send)
        host.join(client)

        async def talk(count: int, tag: str) -> float:
            began = time.perf_counter()
            for n in range(count):
                host.receive(client, "say", {"line": f"{tag}{n}", "npc": f"npc{n:05d}", "text": "What of the lamp?"})
            ends = [await ended.get() for _ in range(count)]
            good = sum(end["t"] == "line_done" and end["reason"] == "complete" for end in ends)
            report.at_least(f"12: {count} talking at once, share of lines that came whole", good / count, 1.0)
            return time.perf_counter() - began

        [first] = host.cast.personas.values()
        ids = [f"npc{n:05d}" for n in range(npcs)]
        host.cast = replace(host.cast, personas={id: first.model_copy(update={"id": id}) for id in ids})
        await talk(1, "warm")  # the SDK is loaded now
        gc.collect()
        imports = memory()
        for id in host.cast.personas:
            await host._npc(id)
        gc.collect()
        idle = memory()
        took = await talk(talking, "a")
        await asyncio.sleep(0.1)
        realtime: Any = host.lineup._built["realtime"]
        pool = realtime._pool
        report.at_most(
            f"12: MiB over the imports, {npcs:,} characters, {talking} talking", (memory() - imports) / MIB, 200
        )
        report.at_most("12: connections", pool.sockets, 64)
        report.at_most("12: KiB of an idle character", (idle - imports) / npcs / 1024, 8)
        report.figures["s for the lines of those who talk"] = round(took, 2)
        report.figures[f"s for {many} talking at once"] = round(await talk(many, "b"), 2)
        report.figures[f"connections with {many} talking"] = pool.sockets
        report.figures[f"MiB over the imports with {many} talking"] = round((memory() - imports) / MIB, 1)
        await host.close()


async def replay(report: Report, url: str, rounds: int, count: int) -> None:
    """Bar 13."""
    from openai import AsyncOpenAI

    from townsfolk.models.base import Request
    from townsfolk.models.decode import create
    from townsfolk.persona import Persona
    from townsfolk.prompt import Message, Prompt

    barks = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")
    npc = Persona.model_validate({"id": "a", "name": "A", "description": "A", "manner": "A", "barks": barks})
    talk: list[tuple[Any, str]] = [
        ("user" if n % 2 else "assistant", f"Line {n} of what was said about the lamp.") for n in range(count)
    ]
    client = AsyncOpenAI(api_key="sk-bench", websocket_base_url=url)
    async with client, client.realtime.connect(model="m", websocket_connection_options={"compression": None}) as link:
        await link.recv()

        async def sdk() -> float:
            began = time.process_time()
            for role, text in talk:
                kind = "output_text" if role == "assistant" else "input_text"
                item: Any = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
                await link.conversation.item.create(item=item)
            return time.process_time() - began

        async def ours() -> float:
            began = time.process_time()
            messages = tuple(Message(role, text) for role, text in talk)
            request = Request("l1", npc, Prompt("You are A.", messages, (), 1200), talk[-1][1])
            await link.send_raw(create(request, "l1"))
            return time.process_time() - began

        async def drain(kind: str) -> None:
            name, left = (b'"response.done"', 1) if kind == "ours" else (b'"conversation.item.done"', count)
            while left:  # the server has taken it all
                left -= name in await link.recv_bytes()

        costs: dict[str, list[float]] = {"ours": [], "sdk": []}
        for kind in alternating(("ours", "sdk"), rounds):
            costs[kind].append(await (ours() if kind == "ours" else sdk()))
            await drain(kind)
    report.at_most(
        "13: CPU of going on with 100 items at a new server, ours / SDK calls",
        median_ratio(costs["ours"], costs["sdk"]),
        0.12,
    )
    for kind, spent in costs.items():
        report.figures[f"ms CPU for {count} items, {kind}"] = round(statistics.median(spent) * 1000, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npcs", type=int, default=10_000)
    parser.add_argument("--talking", type=int, default=50)
    parser.add_argument("--many", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    report = Report("sockets", npcs=options.npcs, talking=options.talking, many=options.many, rounds=options.rounds)
    with simulator("--rate", "50", "--deltas", "40") as url:
        asyncio.run(crowd(report, url, options.npcs, options.talking, options.many))
    with simulator() as url:
        asyncio.run(replay(report, url, options.rounds, 100))
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
