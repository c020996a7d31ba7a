"""How fast a server may be tried again, by one and by many: backoff, connects a second, retries a minute. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["Pacer", "RetryBudget", "full_jitter"]

_WINDOW_S: Final = 60.0


def full_jitter(tries: int, rolled: float, *, base_s: float = 0.5, cap_s: float = 8.0) -> float:
    """Seconds to wait before the next try: anything from 0 to what doubles with each, so that many spread out.

    See "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        tries: How many have failed, from 1.
        rolled: A random number from 0 to 1.
    """
    return float(rolled * min(cap_s, base_s * 2 ** (tries - 1)))


class Pacer:
    """Spaces connects to one server out: at most ``rate`` in any second, however many want one."""

    __slots__ = ("_gap", "_next")

    def __init__(self, rate: float = 20.0) -> None:
        self._gap = 1.0 / rate
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Takes a place; returns the seconds until it is there."""
        at = max(now, self._next)
        self._next = at + self._gap
        return at - now


class RetryBudget:
    """Retries are at most a share of all requests over a minute, so that a sick server is not asked ever more.

    Args:
        share: Of the requests of the last minute.
        floor: As many are always allowed in a minute: a lone player's line is worth a second try.
    """

    def __init__(self, share: float = 0.1, floor: int = 3) -> None:
        self._share = share
        self._floor = floor
        self._asked: deque[float] = deque()
        self._retried: deque[float] = deque()

    def asked(self, now: float) -> None:
        """A request was made, a retry or not."""
        self._asked.append(now)
        _forget(self._asked, now)

    def may_retry(self, now: float) -> bool:
        """Whether one more retry is within the budget; if so it is counted."""
        _forget(self._asked, now)
        _forget(self._retried, now)
        if len(self._retried) >= max(self._floor, int(self._share * len(self._asked))):
            return False
        self._retried.append(now)
        return True


def _forget(times: deque[float], now: float) -> None:
    while times and times[0] <= now - _WINDOW_S:
        times.popleft()
