"""Bar 7: what `poll()` costs a game, against the bare decode of the same bytes, and what when nothing has come.

    python tools/bench/poll.py --json

A frame with 100 records, made by the host's own outbox, waits in a real socket; what is timed is the `poll()` that
finds it there. The bare decode is msgpack alone on the same bytes. CPU time is judged, as the minimum of a round.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent))
import msgpack
from common import Report, alternating, median_ratio, medians

from townsfolk import Engine
from townsfolk.transports import Link
from townsfolk.wire.codec import Message, encode

__all__ = ["bar_7", "main"]

RECORDS: Final = 100


class Pair:
    """A transport without a host: the benchmark holds the other end of the socket."""

    what = "the engine process"
    refused = lost = "host_lost"

    def __init__(self) -> None:
        ours, self.host = socket.socketpair()
        self._link = Link(ours)

    def open(self) -> Link:
        return self._link

    def close(self, seconds: float) -> None:
        self.host.close()


async def records(lines: list[str]) -> bytes:
    """What the host writes when each line has one more delta."""
    from townsfolk.host.outbox import Outbox

    written: list[bytes] = []
    outbox = Outbox(written.append)
    for n, line in enumerate(lines):
        sent: Message = {"t": "line_delta", "line": line, "text": f"word{n:02d} and more "}
        outbox.put(sent)
    outbox.flush()
    return b"".join(written)


def bar_7(report: Report, rounds: int, count: int) -> None:
    """Adds bar 7 to a report; ``count`` polls a round."""
    transport = Pair()
    engine = Engine(transport)
    lines = [engine.say("ada", "Talk.") for _ in range(RECORDS)]
    data = asyncio.run(records(lines))
    payload = memoryview(data)[4:]
    assert len(encode(msgpack.unpackb(payload))) == len(data), "the records are not one frame"

    def poll() -> float:
        transport.host.sendall(data)
        start = time.perf_counter()
        events = engine.poll()
        spent = time.perf_counter() - start
        assert len(events) == RECORDS
        return spent

    def empty() -> float:
        start = time.perf_counter()
        for _ in range(100):
            engine.poll()
        return (time.perf_counter() - start) / 100

    def bare() -> float:
        start = time.perf_counter()
        messages = msgpack.unpackb(payload)
        spent = time.perf_counter() - start
        assert len(messages) == RECORDS
        return spent

    kinds = {"bare decode": bare, "poll": poll, "empty poll": empty}
    samples: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind in alternating(tuple(kinds), rounds):
        samples[kind].append(min(kinds[kind]() for _ in range(count)) * 1e6)
    engine.close(0.1)
    report.figures[f"poll() of {RECORDS} records, us"] = medians(samples)
    report.at_most(
        f"7: poll() of {RECORDS} records / bare decode", median_ratio(samples["poll"], samples["bare decode"]), 3.0
    )
    report.at_most("7: empty poll(), us", medians(samples)["empty poll"], 2.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each kind (%(default)s)")
    parser.add_argument("--n", type=int, default=2000, help="polls of a round (%(default)s)")
    options = parser.parse_args()
    report = Report("poll", rounds=options.rounds, n=options.n, records=RECORDS, seed=None)
    bar_7(report, options.rounds, options.n)
    return report.print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
