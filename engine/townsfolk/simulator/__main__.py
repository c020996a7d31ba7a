"""`python -m townsfolk.simulator`: runs the realtime simulator and prints its URL. Scripts it by options only."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import cast, get_args

from townsfolk.simulator.script import Doing, Fault, Pace, Quirks, Reply, echo, words
from townsfolk.simulator.server import Simulator

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="townsfolk.simulator", description="A realtime server on the loopback. Prints its URL on the first line."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--key", help="the only API key that is let in; without it all are")
    parser.add_argument("--ttft", type=float, default=0.0, help="seconds before the first delta")
    parser.add_argument("--rate", type=float, default=0.0, help="deltas a second in each response; 0 floods")
    parser.add_argument("--deltas", type=int, default=0, help="say so many deltas; 0 repeats what the user said")
    parser.add_argument("--lifetime", type=float, default=3600.0, help="seconds until a session expires")
    parser.add_argument("--serial", action="store_true", help="refuse a second response at once, even out-of-band")
    parser.add_argument("--in-flight", type=int, help="at most so many responses at once on a connection")
    parser.add_argument(
        "--fault",
        action="append",
        type=_fault,
        default=[],
        metavar="DO[@AFTER[:CODE]]",
        help="what goes wrong with the first response, such as drop@3 or fail@0:server_error; repeat for the next ones",
    )
    return parser


def _fault(text: str) -> Fault:
    do, _, rest = text.partition("@")
    after, _, code = rest.partition(":")
    known = get_args(Doing)
    if do not in known or not (after or "0").isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not DO[@AFTER[:CODE]] with DO one of {', '.join(known)}")
    return Fault(cast(Doing, do), int(after or 0), code=code or None)


async def _run(sim: Simulator) -> None:
    async with sim:
        print(sim.url, flush=True)
        await sim.serve()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until interrupted."""
    options = _parser().parse_args(argv)
    brain = words(options.deltas) if options.deltas else echo
    text = "".join(f"word{n:02d} " for n in range(options.deltas or 20))
    sim = Simulator(
        brain,
        [Reply(text, fault=fault) for fault in options.fault],
        key=options.key,
        pace=Pace(options.ttft, options.rate),
        quirks=Quirks(parallel=not options.serial, in_flight=options.in_flight),
        lifetime=options.lifetime,
        host=options.host,
        port=options.port,
    )
    try:
        asyncio.run(_run(sim))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
