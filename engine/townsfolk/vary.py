"""Which of several lines is said this time, so that nobody repeats himself. Pure: the seed decides."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["vary"]


def vary(pools: Sequence[Sequence[str]], said: Sequence[str], seed: int) -> str | None:
    """A line of the first pool that has one which was not said lately; else the one said longest ago.

    Args:
        pools: Lines to choose from, the preferred ones first.
        said: What was said lately, newest last. Its last line is never chosen.

    Returns:
        The line; ``None`` when the only one there is was said last.
    """
    draw = random.Random(seed)
    for pool in pools:
        if fresh := [line for line in pool if line not in said]:
            return draw.choice(fresh)
    ages = {
        line: len(said) - n - 1 for n, line in enumerate(said)
    }  # a line that was said twice is as old as the second
    stale = [line for pool in pools for line in pool if ages[line] > 0]
    return max(stale, key=lambda line: ages[line]) if stale else None
