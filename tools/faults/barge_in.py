"""Interrupts voiced lines at random points, and looks whether the character remembers exactly what was played.

Each round says a line to a host that speaks it with tones, of which this program knows by itself when each word sounds.
At a random moment, while the line is still being made or after it, the game reports how much was played and cuts in.
What the host then calls heard, and what the character remembers, must be the words that had sounded whole. With
``--voice realtime`` the lines come with the sound of a realtime server (the simulator), and the words' times are those
that the game was told.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from common import Report

from townsfolk import Answer, Engine, LineAudio, LineDelta, LineDone, LineHeard, LineTiming
from townsfolk.simulator import Pace, Simulator

CAST = Path(__file__).parents[2] / "tests" / "cast"
LINES = (
    "The oil boat comes on a Tuesday. It goes on a Wednesday, and between the two I mend what the rocks have torn.",
    "Mind the step, friend; it is older than both of us... and it bites!",
    'No. "Never again", she said - and the lamp went out.',
    "A lamp, two wicks, a net of nine yards, and a word of thanks that nobody has said to me since the spring.",
)


def sounds(text: str) -> list[tuple[int, int]]:
    """For each word: where it ends in the text, and when it ends in the sound of the voice of tones."""
    found, at, ms = [], 0, 0
    for word in text.split():
        at = text.index(word, at) + len(word)
        ms += 60 + 30 * len(word)
        found.append((at, ms))
        ms += 40  # the gap
    return found


def expected(text: str, played: int, length: int, whole: bool) -> str:
    """What a player has heard of a line after so many milliseconds."""
    if whole and played >= length - 20:
        return text
    return text[: max((end for end, ms in sounds(text) if ms <= played), default=0)]


def told(text: str, played: int, length: int, whole: bool, times: dict[int, tuple[int, int]]) -> str:
    """The same by the times that the game was told: ``{at: (end, ms)}``."""
    if whole and played >= length - 20:
        return text
    end = 0
    for at in sorted(times):
        stop, ms = times[at]
        if ms > played:
            break
        end = stop
    return text[:end]


def round_of(engine: Engine, rng: random.Random, early: bool) -> dict[str, Any]:
    """One line that is cut; what was expected and what came."""
    line, sound, length, shown = engine.say("ada", "Tell me."), 0, 0, ""
    times: dict[int, tuple[int, int]] = {}
    done = heard = None
    cut_at = rng.uniform(0.0, 0.12) if early else None
    began, played, cut = time.monotonic(), 0, False
    deadline = began + 20
    while heard is None and time.monotonic() < deadline:
        for event in engine.wait(0.002):
            match event:
                case LineAudio(line=id, pcm=pcm, rate=rate) if id == line:
                    sound += len(pcm)
                    length = sound * 500 // rate
                case LineTiming(line=id, words=words) if id == line:
                    times.update({at: (end, stop) for at, end, _, stop in words})
                case LineDelta(line=id, text=more) if id == line:
                    shown += more
                case LineDone(line=id) if id == line:
                    done = event
                case LineHeard(line=id) if id == line:
                    heard = event
        if not cut and (done is not None if cut_at is None else time.monotonic() - began > cut_at and length):
            played, cut = rng.randint(0, length), True
            engine.played(line, played)
            engine.cancel(line)
    return {
        "line": line,
        "played": played,
        "length": length,
        "done": done,
        "heard": heard,
        "shown": shown,
        "times": times,
    }


@contextmanager
def speaking(seed: int) -> Iterator[str]:
    """A realtime server that speaks the lines, on a loop of its own; its URL."""
    ready: Future[str] = Future()
    loop, over, rng = asyncio.new_event_loop(), asyncio.Event(), random.Random(seed)

    async def serve() -> None:
        async with Simulator(lambda response: rng.choice(LINES), pace=Pace(rate=120)) as simulator:
            ready.set_result(simulator.url)
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        yield ready.result(10)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


def campaign(n: int, seed: int, voice: str) -> Report:
    """Interrupts ``n`` lines; returns the report."""
    rng = random.Random(seed)
    wrong = torn = silent = forgotten = midline = untimed = 0
    with tempfile.TemporaryDirectory() as folder, speaking(seed) as url:
        script = Path(folder) / "script.yaml"
        script.write_text("pace_s: 0.004\nreplies:\n" + "".join(f"  - {line!r}\n" for line in LINES))
        for part in range(0, n, 100):  # an answer about memories holds 200 of them
            options = {"voice": voice, "realtime_url": url}
            model = f"scripted:{script}" if voice == "tones" else "realtime"
            with Engine.open(CAST, model=model, host="thread", options=options) as engine:
                said: list[str] = []
                for k in range(min(100, n - part)):
                    found = round_of(engine, rng, early=k % 2 == 0)
                    heard, done = found["heard"], found["done"]
                    if heard is None or done is None:
                        silent += 1
                        continue
                    midline += done.reason == "interrupted"
                    whole = done.reason == "complete"
                    # What the host had given when the cut reached it is what the done line shows.
                    shown = (done.text, found["played"], found["length"], whole)
                    right = expected(*shown) if voice == "tones" else told(*shown, found["times"])
                    untimed += found["length"] > 2000 and not found["times"]
                    wrong += heard.text != right
                    rest = done.text[len(heard.text) :]
                    torn += not done.text.startswith(heard.text) or bool(heard.text and rest and rest[0].isalnum())
                    said += [heard.text] if heard.text else []
                remembered = [row["text"] for row in _memories(engine) if row["kind"] == "said"]
                forgotten += remembered != said[-len(remembered) :] or (
                    len(said) <= 100 and len(remembered) != len(said)
                )
    report = Report("barge_in", n=n, seed=seed, voice=voice)
    report.at_most("lines of which something else than the played prefix counts as heard", wrong, 0)
    report.at_most("lines cut inside a word", torn, 0)
    report.at_most("lines without an end", silent, 0)
    report.at_most("lines of over two seconds none of whose words has a time", untimed, 0)
    report.at_most("hundreds of lines that are remembered otherwise than they were heard", forgotten, 0)
    report.figures = {"cut while they were still being made": midline}
    return report


def _memories(engine: Engine) -> list[dict[str, Any]]:
    request, deadline = engine.memory("ada", limit=200), time.monotonic() + 10
    while time.monotonic() < deadline:
        for event in engine.wait(0.1):
            if isinstance(event, Answer) and event.request == request:
                return list(event.data["memories"])
    raise SystemExit("the host gave no answer")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many lines are interrupted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--voice", choices=("tones", "realtime"), default="tones")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    return campaign(options.n, options.seed, options.voice).print(as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
