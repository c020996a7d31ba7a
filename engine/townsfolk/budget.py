"""How much may be spent: limits, what is reserved against them, and which step a request is on. Pure; keeps no ledger.

A request is reserved before it is made and settled when its cost is known, so that many at once cannot pass a limit
together: of a budget of N requests, not one more is let through.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from townsfolk.ledger import PICO, Ledger, day_of

__all__ = ["Budget", "Limits", "Step", "Ticket"]

_FORGOTTEN_S: Final = 120.0
"""Seconds after which a reservation that nobody settled is given up: no response lasts so long."""


class Step(Enum):
    """What a budget still allows."""

    FULL = "full"
    CHEAPER = "cheaper"
    """Over the soft share: only the model that was named for it."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent. None is no limit. Days are UTC.

    Attributes:
        usd_day: US dollars a day, all players together.
        usd_player_day: The same for each player.
        requests_day: Requests to paid models a day.
        requests_player_day: The same for each player.
        soft: From this share of a limit on, only the cheaper model is asked.
    """

    usd_day: float | None = None
    usd_player_day: float | None = None
    requests_day: int | None = None
    requests_player_day: int | None = None
    soft: float = 0.8

    def __bool__(self) -> bool:
        limits = (self.usd_day, self.usd_player_day, self.requests_day, self.requests_player_day)
        return any(limit is not None for limit in limits)

    @property
    def money(self) -> bool:
        """Whether a limit is in money: a model without a price cannot be asked then."""
        return self.usd_day is not None or self.usd_player_day is not None


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that was let through and is not in the ledger yet."""

    player: str
    day: str
    money: int
    at: float


class Budget:
    """Holds requests against limits. What was spent is read from the ledger."""

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self.limits = limits
        self._ledger = ledger
        self._open: set[Ticket] = set()

    def step(self, player: str, now: float, money: int) -> tuple[Step, str]:
        """What is allowed to a request that would cost so much, and which limit says so. Changes nothing."""
        worst, why = Step.FULL, ""
        for name, used, more, limit in self._used(player, now, money):
            if used + more > limit:
                return Step.NOTHING, name
            if used + more > limit * self.limits.soft:
                worst, why = Step.CHEAPER, name
        return worst, why

    def reserve(self, player: str, now: float, money: int) -> Ticket:
        """Takes a request's place; :meth:`settle` it when the ledger has it."""
        for ticket in [each for each in self._open if each.at < now - _FORGOTTEN_S]:
            self._open.discard(ticket)
        ticket = Ticket(player, day_of(now), money, now)
        self._open.add(ticket)
        return ticket

    def settle(self, ticket: Ticket) -> None:
        """The request is in the ledger, or was never made."""
        self._open.discard(ticket)

    @property
    def open(self) -> int:
        """How many requests are let through and not settled."""
        return len(self._open)

    def _used(self, player: str, now: float, money: int) -> list[tuple[str, float, float, float]]:
        """For each limit: its name, what is used and reserved of it, what one more would take, and the limit."""
        day, limits = day_of(now), self.limits
        today, mine = self._ledger.sum("day", day), self._ledger.sum("player day", player, day)
        held = [each for each in self._open if each.day == day]
        held_mine = [each for each in held if each.player == player]
        found: list[tuple[str, float, float, float]] = []
        if limits.usd_day is not None:
            used = today.money + sum(each.money for each in held)
            found.append(("budget_usd_day", used, money, round(limits.usd_day * PICO)))
        if limits.usd_player_day is not None:
            used = mine.money + sum(each.money for each in held_mine)
            found.append(("budget_usd_player_day", used, money, round(limits.usd_player_day * PICO)))
        if limits.requests_day is not None:
            found.append(("budget_requests_day", today.responses + len(held), 1, limits.requests_day))
        if limits.requests_player_day is not None:
            used = mine.responses + len(held_mine)
            found.append(("budget_requests_player_day", used, 1, limits.requests_player_day))
        return found
