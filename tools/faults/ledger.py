"""Compares the ledger with what the server said, to the token, and passes no budget however many ask at once.

A proxy between the host and the realtime simulator keeps what the server sent. All usage blocks in it are summed here,
without any of the engine's code, and compared with what the save says was spent. Lines end in all ways: completed,
cancelled by the game, failed, incomplete, refused. Then limits are set, many talk at once, and the requests that
reached the server are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from common import Report
from proxy import Pipe, Proxy, Through

from townsfolk import Engine, LineDelta, LineDone, LineFailed
from townsfolk.catalogue import find
from townsfolk.memory.sqlite import read_spent
from townsfolk.simulator import Fault, Pace, Reply, Simulator, session

CAST = Path(__file__).parents[2] / "characters"
MODEL = "gpt-realtime-2.1-mini"
AT_ONCE = 50


class Witness(Proxy):
    """Keeps all that servers sent."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        super().__init__(upstream, random.Random(0))
        self.sent: dict[Through, bytearray] = {}

    def greet(self, through: Through) -> Any:
        forward = through.forward
        kept = self.sent[through] = bytearray()

        def keep(pipe: Pipe, data: bytes) -> None:
            if pipe.from_server:
                kept.extend(data)
            forward(pipe, data)

        through.forward = keep  # type: ignore[method-assign]
        return super().greet(through)

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event that a server sent."""
        for data in self.sent.values():
            yield from map(json.loads, messages(bytes(data)))


def messages(data: bytes) -> Iterator[bytes]:
    """The text frames that a server sent on a WebSocket connection: unmasked, in one piece (RFC 6455)."""
    at = data.find(b"\r\n\r\n") + 4
    while 4 <= at <= len(data) - 2:
        first, size, at = data[at], data[at + 1], at + 2
        if size >= 126:
            more = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + more]), at + more
        if first == 0x81:
            yield data[at : at + size]
        at += size


@contextmanager
def town(script: list[Reply]) -> Iterator[tuple[Simulator, Witness]]:
    """The simulator and the witness before it, on a loop of their own."""
    ready: Future[tuple[Simulator, Witness]] = Future()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with Simulator(script=script, pace=Pace(rate=300)) as simulator:
            witness = Witness(("127.0.0.1", int(simulator.url.rpartition(":")[2].partition("/")[0])))
            await witness.start()
            ready.set_result((simulator, witness))
            await over.wait()
            await witness.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        yield ready.result(10)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)


def mixed(n: int, rng: random.Random) -> list[Reply]:
    """Replies that end in every way a server may end them."""
    faults = (
        *[None] * 6,
        Fault("fail", 0, "server_error"),
        Fault("fail", 2, "server_error"),
        Fault("incomplete", 2, "max_output_tokens"),
        Fault("refuse", 0, "invalid_value", "invalid_request_error"),
    )
    return [Reply("word " * rng.randint(20, 80), fault=rng.choice(faults)) for _ in range(n)]


def talk(save: Path, witness: Witness, n: int, rng: random.Random, cut: float, **limits: Any) -> Counter[str]:
    """Has ``n`` lines said, up to 50 at once, and the share ``cut`` of them cut off; returns how they ended."""
    options = {"realtime_url": f"ws://127.0.0.1:{witness.port}/v1", "realtime_model": MODEL, **limits}
    ends: Counter[str] = Counter()
    with Engine.open(CAST, save=save, model="realtime", host="thread", options=options) as engine:
        going: dict[str, float | None] = {}
        said, deadline = 0, time.monotonic() + 60 + n
        while (said < n or going) and time.monotonic() < deadline:
            while said < n and len(going) < AT_ONCE:
                line = engine.say(("tamsin", "pip")[said % 2], f"Tell me of day {said}.", player=f"p{said % AT_ONCE}")
                early = time.monotonic() + rng.uniform(0, 0.5) if rng.random() < 0.2 else float("inf")
                going[line] = early if rng.random() < cut else None
                said += 1
            for event in engine.wait(0.005):
                if isinstance(event, LineDone | LineFailed) and event.line in going:
                    ends[event.reason if isinstance(event, LineDone) else "failed"] += 1
                    going.pop(event.line)
                elif isinstance(event, LineDelta) and going.get(event.line):
                    going[event.line] = min(going[event.line] or 0.0, time.monotonic() + rng.uniform(0, 0.2))
            for line, at in going.items():
                if at is not None and time.monotonic() > at:
                    engine.cancel(line)
                    going[line] = None
        ends["without an end"] = len(going)
        time.sleep(0.5)  # what was cancelled ends at the server a moment later
    return ends


def exact(folder: Path, n: int, rng: random.Random) -> dict[str, Any]:
    """The first part: both sums, and how they differ."""
    save = folder / "mixed.save"
    ends, done, rounds = Counter[str](), list[dict[str, Any]](), 0
    session.CACHE_FROM = 256  # shorter than OpenAI's, so that our prompts are cached too
    with town(mixed(8 * n, rng)) as (_, witness):
        while len(done) < n and rounds < 5:  # lines that are cut off early are never asked for
            rounds += 1
            ends += talk(save, witness, n, rng, cut=0.25, budget=3000)
            events = list(witness.events())
            done = [event["response"] for event in events if event["type"] == "response.done"]
    told, booked = Counter[str](), Counter[str]()
    for response in done:
        usage = response["usage"]
        came, went = usage["input_token_details"], usage["output_token_details"]
        told += Counter(
            text_in=came["text_tokens"], audio_in=came["audio_tokens"], image_in=came["image_tokens"],
            cached=came["cached_tokens"], text_out=went["text_tokens"], audio_out=went["audio_tokens"],
        )  # fmt: skip
    entries = read_spent(save)
    for entry in entries:
        tokens = entry.tokens
        booked += Counter(
            text_in=tokens.input_text, audio_in=tokens.input_audio, image_in=tokens.input_image, cached=tokens.cached,
            text_out=tokens.output_text, audio_out=tokens.output_audio,
        )  # fmt: skip
    price = find(MODEL).text
    assert price is not None
    dollars = (
        (told["text_in"] - told["cached"]) * price.input + told["cached"] * price.cached
        + told["text_out"] * price.output
    ) / 1e6  # fmt: skip
    money = sum(entry.money or 0 for entry in entries) / 1e12
    created = {event["response"]["id"] for event in events if event["type"] == "response.created"}
    real = [entry for entry in entries if entry.tokens.input]
    return {
        "told": dict(told),
        "differ": sum(abs(told[kind] - booked[kind]) for kind in told | booked),
        "statuses": dict(Counter(response["status"] for response in done)),
        "statuses differ": Counter(response["status"] for response in done) != Counter(each.status for each in real),
        "responses": len(done),
        "not done": len(created) - len(done),
        "usd off": abs(money - dollars),
        "usd": money,
        "unknown": sum(entry.estimated for entry in entries),
        "ends": dict(ends),
    }


def bounded(folder: Path, rng: random.Random, **limits: Any) -> tuple[int, float]:
    """Requests that reached the server, and dollars that they cost, of 200 lines by 50 players at once."""
    save = folder / f"{'-'.join(limits)}.save"
    with town([Reply("word " * 20)] * 200) as (simulator, witness):
        ends = talk(save, witness, 200, rng, cut=0.1, **limits)
        asked = len(simulator.creates())
    assert not ends["without an end"]
    return asked, sum(entry.money or 0 for entry in read_spent(save)) / 1e12


def campaign(n: int, seed: int) -> Report:
    """Both parts; returns the report."""
    rng = random.Random(seed)
    report = Report("ledger", n=n, seed=seed, at_once=AT_ONCE)
    with tempfile.TemporaryDirectory() as folder:
        found = exact(Path(folder), n, rng)
        limit = rng.randint(20, 60)
        asked, _ = bounded(Path(folder), rng, budget_requests_day=limit)
        each, _ = bounded(Path(folder), rng, budget_requests_player_day=2)
        _, usd = bounded(Path(folder), rng, budget_usd_day=0.01)
    report.at_most("tokens by which the ledger and the usage blocks differ", found["differ"], 0)
    report.at_most("dollars by which they differ", found["usd off"], 1e-12)
    report.at_most("responses whose ending is booked otherwise", int(found["statuses differ"]), 0)
    report.at_most("responses that are booked without knowing what they took", found["unknown"], 0)
    report.at_most("lines without an end", found["ends"].pop("without an end", 0), 0)
    report.at_least("usage blocks", found["responses"], n)
    report.at_most(f"requests over a budget of {limit} a day", asked - limit, 0)
    report.at_least(f"requests within it, of {limit}", asked, limit)
    report.at_most(f"requests over a budget of 2 a day for each of {AT_ONCE} players", each - 2 * AT_ONCE, 0)
    report.at_most("dollars spent of a budget of 0.01", usd, 0.01)
    report.figures = {name: found[name] for name in ("responses", "statuses", "told", "usd", "ends")}
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many responses are compared, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    return campaign(options.n, options.seed).print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
