"""Whether a server that failed may be asked again: a circuit breaker. Pure: time is passed in; asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from townsfolk.errors import ModelError

__all__ = ["Breaker", "State"]


class State(Enum):
    """Closed lets everything through, open nothing, half-open one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


_NEXT: Final = {
    State.CLOSED: {State.OPEN},
    State.OPEN: {State.HALF_OPEN, State.OPEN, State.CLOSED},  # an answer that was asked for before may come late
    State.HALF_OPEN: {State.CLOSED, State.OPEN},
}


class Breaker:
    """Remembers how a server fares, and says whether it may be asked.

    Args:
        failures: It opens after so many failures in a row; a fatal one opens it at once.
        rest_s: Seconds that it stays open. Then one probe may go through; all others are refused until that has ended.
        fatal_s: The same after a failure that asking again will not help: a wrong key, no credit.
        jitter: Numbers from 0 to 1: rests are shortened by up to a quarter, so that many do not come back at once.
    """

    __slots__ = ("_error", "_failed", "_failures", "_fatal_s", "_jitter", "_rest_s", "_state", "_until")

    def __init__(
        self,
        *,
        failures: int = 1,
        rest_s: float = 8.0,
        fatal_s: float = 300.0,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._failures = failures
        self._rest_s = rest_s
        self._fatal_s = fatal_s
        self._jitter = jitter
        self._state = State.CLOSED
        self._failed = 0
        self._until = 0.0
        self._error: ModelError | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def error(self) -> ModelError | None:
        """What it failed with last, while it is not closed."""
        return None if self._state is State.CLOSED else self._error

    def rests(self, now: float) -> float:
        """Seconds until a probe may go through; 0 when something may."""
        return max(0.0, self._until - now) if self._state is State.OPEN else 0.0

    def refuses(self, now: float) -> ModelError | None:
        """Why nothing may go through now. Changes nothing."""
        if self._state is State.CLOSED or (self._state is State.OPEN and now >= self._until):
            return None
        return self._error

    def ask(self, now: float) -> ModelError | None:
        """Why the server must not be asked now. With None it may be: tell how it went, or :meth:`gave_up`."""
        if (error := self.refuses(now)) is not None:
            return error
        if self._state is State.OPEN:
            self._to(State.HALF_OPEN)
        return None

    def succeeded(self) -> bool:
        """The server answered; returns whether that is news."""
        self._failed = 0
        if self._state is State.CLOSED:
            return False
        self._to(State.CLOSED)
        return True

    def failed(self, error: ModelError, now: float) -> None:
        """The server failed."""
        self._failed += 1
        self._error = error
        if error.fatal or self._state is not State.CLOSED or self._failed >= self._failures:
            rest = self._fatal_s if error.fatal else max(self._rest_s, error.retry_after_s)
            self._until = now + rest * (1 if error.retry_after_s else 1 - self._jitter() / 4)
            self._to(State.OPEN)

    def gave_up(self, now: float) -> None:
        """Who asked went away before there was an answer: the next one may probe."""
        if self._state is State.HALF_OPEN:
            self._until = now
            self._to(State.OPEN)

    def _to(self, state: State) -> None:
        if state not in _NEXT[self._state]:
            raise AssertionError(f"a breaker cannot go from {self._state.value} to {state.value}")
        self._state = state
