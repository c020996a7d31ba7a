"""Makes measured processes steady where the system allows it: real-time priority and pinned cores. Measures nothing.

All processes of a benchmark get the same priority, so none gains on another; what is refused is left out and told.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["cores", "on", "real_time"]

_PRIORITY: Final = 1


def real_time(*, alone: bool = False) -> bool:
    """Gives this thread real-time priority (``chrt -r 1``); False where that is refused.

    So will have the threads and processes that it starts, unless it is ``alone`` in that.
    """
    try:
        policy = os.SCHED_RR | (os.SCHED_RESET_ON_FORK if alone else 0)
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))
    except (AttributeError, OSError):
        return False
    return True


def cores() -> dict[str, list[int]]:
    """``mine``: the core of the game, ``others``: those of everything else, ``all``; empty where pinning is refused."""
    try:
        every = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, every)
    except (AttributeError, OSError):
        every = []
    if len(every) < 2:
        every = []
    return {"mine": every[:1], "others": every[1:], "all": every}


@contextlib.contextmanager
def on(wanted: Sequence[int]) -> Iterator[None]:
    """This thread, and the threads and processes that it starts meanwhile, run on these cores; on any if empty."""
    if not wanted:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
