"""A game for the benchmarks, in a process of its own: a 60 Hz loop with a fixed amount of work, that talks or does not.

Reads one JSON order a line from its standard input and answers each with one JSON line. A frame's time is that of its
work and of its talking; the sleep to the next frame is not part of it.
"""

from __future__ import annotations

import json
import queue
import statistics
import sys
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any, Final, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine"))
from naive import Naive
from people import name
from steady import on, real_time

from townsfolk import Engine, LineDelta, LineDone, LineFailed, Status

__all__ = ["BEFORE", "FRAME", "WORK", "main"]

FRAME: Final = 1 / 60
WORK: Final = 0.006
"""Seconds of work in a frame."""
BEFORE: Final = 0.5
"""Seconds of streaming before a round is measured: all streams have begun."""
_PATIENCE: Final = 30.0
_PIECES: Final = 24
_BYTES: Final = 72
"""Bytes of C work for each step of Python work."""
_PICTURE: Final = memoryview(bytes(1 << 22))
_FIRST_GUESS: Final = 4_000
_QUESTION: Final = "What do the boats bring today?"


def work(amount: int) -> int:
    """What a game computes in a frame: a fixed amount in pieces, most of it Python, a quarter calls into C.

    Those calls let go of the interpreter while they compute, as those do with which pygame scales and turns pictures.
    """
    total = 0
    for _ in range(_PIECES):
        for n in range(amount):
            total += n * n & 7
        total ^= zlib.crc32(_PICTURE[: amount * _BYTES])
    return total


class Talk(Protocol):
    """A way to talk. ``texts`` is what each stream has said so far, ``ended`` how many streams have ended."""

    texts: dict[int, list[str]]
    ended: int

    def open(self, streams: int) -> None:
        """Makes ready for so many streams; returns at once."""

    def say(self, stream: int) -> None:
        """Lets a stream begin; returns at once."""

    def drain(self) -> None:
        """What a game does in every frame to hear what has come."""

    def close(self) -> None: ...


class Silence:
    """No engine at all."""

    def __init__(self) -> None:
        self.texts: dict[int, list[str]] = defaultdict(list)
        self.ended = 0

    def open(self, streams: int) -> None:
        pass

    def say(self, stream: int) -> None:
        pass

    def drain(self) -> None:
        pass

    def close(self) -> None:
        pass


class Ours:
    """An engine, with its host in a process or a thread."""

    def __init__(self, setup: dict[str, Any], host: Any) -> None:
        self.texts: dict[int, list[str]] = defaultdict(list)
        self.ended = 0
        self.failed: list[str] = []
        self._host = host
        self._setup = setup
        self._lines: dict[str, int] = {}
        self._waiting: list[int] = []
        self._ready = False
        self._engine: Engine | None = None

    def open(self, streams: int) -> None:
        if self._engine is None:
            # The host process shares no core with the game where there are two; a thread runs wherever it may.
            with on(self._setup["others"] if self._host == "process" else self._setup["all"]):
                self._engine = Engine.open(
                    self._setup["characters"],
                    save=self._setup["save"],
                    model="realtime",
                    host=self._host,
                    options={
                        "realtime_url": self._setup["url"],
                        "realtime_sockets": self._setup["sockets"],
                        "realtime_in_flight": self._setup["in_flight"],
                    },
                )

    def say(self, stream: int) -> None:
        assert self._engine is not None
        self._lines[self._engine.say(name(stream), _QUESTION)] = stream

    def drain(self) -> None:
        if self._engine is None:
            return
        for event in self._engine.poll():
            if type(event) is LineDelta:
                self.texts[self._lines[event.line]].append(event.text)
            elif type(event) is LineDone:
                self.ended += 1
            elif type(event) is LineFailed or (type(event) is Status and event.code != "ready"):
                self.failed.append(str(event))

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()


class TheNaive:
    """The SDK in a thread of the game; see naive.py."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.texts: dict[int, list[str]] = defaultdict(list)
        self.ended = 0
        self._setup = setup
        self._naive: Naive | None = None

    def open(self, streams: int) -> None:
        if self._naive is None:
            with on(self._setup["all"]):  # wherever there is room
                self._naive = Naive(self._setup["url"])
        self._naive.connect(streams)

    def say(self, stream: int) -> None:
        assert self._naive is not None
        self._naive.say(stream, _QUESTION)

    def drain(self) -> None:
        if self._naive is None:
            return
        events = self._naive.events
        while True:
            try:
                stream, event = events.get_nowait()
            except queue.Empty:
                return
            if event.type == "response.output_text.delta":
                self.texts[stream].append(event.delta)
            elif event.type == "response.done":
                self.ended += 1

    def close(self) -> None:
        if self._naive is not None:
            self._naive.close()


class Game:
    """The loop. ``setup`` is what the benchmark gave on the command line."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._setup = setup
        self._amount = int(setup.get("amount", _FIRST_GUESS))
        self._text = setup["text"]
        kind = setup["kind"]
        self._talk: Talk
        if kind == "none":
            self._talk = Silence()
        elif kind == "naive":
            self._talk = TheNaive(setup)
        else:
            self._talk = Ours(setup, "thread" if kind == "thread" else "process")

    def calibrate(self, seconds: float) -> dict[str, Any]:
        """How much work takes :data:`WORK` in a frame. A processor that has just slept is slower than a busy one."""
        for _ in range(3):
            took = statistics.median(self._play(seconds / 3)) / 1000
            self._amount = round(self._amount * WORK / took)
        return {"amount": self._amount}

    def round(self, streams: int, seconds: float) -> dict[str, Any]:
        """So many streams at once, measured for so long while all of them speak; then waits for their end."""
        talk = self._begin(streams)
        for stream in range(streams):
            talk.say(stream)
        self._play(BEFORE)
        times = self._play(seconds)
        return {"frames": times, **self._end(streams)}

    def start(self, streams: int, seconds: float) -> dict[str, Any]:
        """Half a second of play, then the engine is started and spoken to during play. All frames are measured."""
        talk = self._talk
        if isinstance(talk, Ours) and self._setup.get("real_time"):
            # A process that is being started works without a pause: with our priority it would hold the game up.
            real_time(alone=True)
        times = self._play(0.5)
        begun = time.perf_counter()
        talk.open(streams)
        for stream in range(streams):
            talk.say(stream)
        # The frame in which it starts has its own work too.
        work(self._amount)
        talk.drain()
        times.append((time.perf_counter() - begun) * 1000)
        return {"frames": times + self._play(seconds), **self._end(streams)}

    def warm(self, streams: int) -> dict[str, Any]:
        """Opens everything that a round of so many streams needs."""
        return {"frames": [], **self._end(self._said(self._begin(streams), streams))}

    def close(self) -> None:
        self._talk.close()

    def _said(self, talk: Talk, streams: int) -> int:
        for stream in range(streams):
            talk.say(stream)
        return streams

    def _begin(self, streams: int) -> Talk:
        talk = self._talk
        talk.open(streams)
        talk.texts.clear()
        talk.ended = 0
        return talk

    def _play(self, seconds: float) -> list[float]:
        """The frame loop; gives each frame's milliseconds."""
        times = []
        next_frame = time.perf_counter()
        end = next_frame + seconds
        while next_frame < end:
            start = time.perf_counter()
            work(self._amount)
            self._talk.drain()
            now = time.perf_counter()
            times.append((now - start) * 1000)
            next_frame += FRAME
            if next_frame > now:
                time.sleep(next_frame - now)
            else:
                next_frame = now  # a late frame is not made up for
        return times

    def _end(self, streams: int) -> dict[str, Any]:
        """Plays on until all streams have ended, and says how many came whole."""
        talk = self._talk
        if isinstance(talk, Silence):
            return {"streams": 0, "whole": 0, "troubles": []}
        deadline = time.perf_counter() + _PATIENCE
        while talk.ended < streams and time.perf_counter() < deadline:
            talk.drain()
            time.sleep(0.02)
        whole = sum("".join(talk.texts[stream]) == self._text for stream in range(streams))
        return {"streams": streams, "whole": whole, "troubles": getattr(talk, "failed", [])[:3]}


def main() -> None:
    """Obeys orders until its input ends."""
    setup = json.loads(sys.argv[1])
    game = Game(setup)
    with on(setup["mine"]):
        for line in sys.stdin:
            order = json.loads(line)
            done = getattr(game, order.pop("do"))(**order)
            print(json.dumps(done), flush=True)
    game.close()


if __name__ == "__main__":
    main()
