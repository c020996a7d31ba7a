"""A part of a benchmark in a process of its own that takes orders as JSON lines and answers each. Measures nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common import environment

__all__ = ["Worker", "obey", "worker"]


class Worker:
    """A script of this folder that runs :func:`obey`. ``setup`` is what it is told at the start."""

    def __init__(self, script: str, setup: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / script), json.dumps(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def do(self, order: str, **how: Any) -> dict[str, Any]:
        """Gives an order; waits for what it brings."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": order, **how}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a part of the benchmark ended early")
        done: dict[str, Any] = json.loads(answer)
        return done

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def worker(script: str, setup: dict[str, Any]) -> Iterator[Worker]:
    """Runs one."""
    part = Worker(script, setup)
    try:
        yield part
    finally:
        part.close()


def obey(whom: object) -> None:
    """Lets methods of ``whom`` carry out the orders, until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(getattr(whom, order.pop("do"))(**order)), flush=True)
