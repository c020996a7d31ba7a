"""What all benchmarks share: the report they print, the machine they ran on, and the simulator beside them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "engine"
if str(ENGINE) not in sys.path:
    sys.path.insert(0, str(ENGINE))

PACKAGES = ("townsfolk", "openai", "websockets", "pydantic", "jiter", "msgpack", "apsw", "numpy", "pygame")


def environment() -> dict[str, str]:
    """The environment for a subprocess that imports townsfolk from this checkout."""
    path = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": f"{ENGINE}{os.pathsep}{path}" if path else str(ENGINE)}


def machine() -> dict[str, Any]:
    """What the figures were measured on. Names no host, no user and no folder."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The versions of the packages that matter, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


class Report:
    """What a benchmark found: figures, and bars that hold or do not.

    Args:
        name: The benchmark's.
        settings: What it ran with: seeds, numbers, options.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.settings = settings
        self.figures: dict[str, Any] = {}
        self.holds: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def at_most(self, name: str, value: float, limit: float) -> None:
        """A bar: ``value`` must not be over ``limit``."""
        self.holds.append({"name": name, "value": _short(value), "limit": limit, "ok": bool(value <= limit)})

    def at_least(self, name: str, value: float, limit: float) -> None:
        """A bar: ``value`` must not be under ``limit``."""
        self.holds.append({"name": name, "value": _short(value), "limit": limit, "ok": bool(value >= limit)})

    def note(self, text: str) -> None:
        """Something a reader of the figures must know, such as a part that could not be measured here."""
        self.notes.append(text)

    def print(self, *, as_json: bool) -> int:
        """Prints one JSON object, or a table; returns the exit code: 0 if all bars hold."""
        ok = all(bar["ok"] for bar in self.holds)
        if as_json:
            whole = {
                "name": self.name,
                "ok": ok,
                "holds": self.holds,
                "figures": self.figures,
                "settings": self.settings,
                "notes": self.notes,
                "machine": machine(),
                "versions": versions(),
            }
            print(json.dumps(whole))
        else:
            for bar in self.holds:
                print(f"{'ok  ' if bar['ok'] else 'FAIL'} {bar['name']}: {bar['value']} (limit {bar['limit']})")
            for name, value in self.figures.items():
                print(f"     {name}: {value}")
            for text in self.notes:
                print(f"     note: {text}")
        return 0 if ok else 1


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def alternating(kinds: Sequence[str], rounds: int) -> Iterator[str]:
    """Each kind once a round; every other round in reverse, so that drift in the machine hits all alike."""
    for n in range(rounds):
        yield from kinds if n % 2 == 0 else reversed(kinds)


def medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each kind's rounds."""
    return {kind: _short(statistics.median(values)) for kind, values in samples.items()}


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of rounds that ran next to each other."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


@contextmanager
def simulator(*options: str) -> Iterator[str]:
    """Runs the realtime simulator as a process of its own; gives its URL."""
    command = [sys.executable, "-m", "townsfolk.simulator", *options]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("ws://"):
            raise RuntimeError("the simulator did not start")
        yield url
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
