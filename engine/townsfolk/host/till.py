"""Where paid requests are let through and what they took is written down. Decides by `budget.py`; asks no model."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from townsfolk.budget import Budget, Limits, Step, Ticket
from townsfolk.catalogue import find
from townsfolk.errors import HINTS, ModelError
from townsfolk.events import Status
from townsfolk.host.config import Config
from townsfolk.ledger import PICO, Ledger, Spent, Tokens, cost, day_of, priced
from townsfolk.models.base import Billed, Usage

__all__ = ["Purse", "Till", "till_for"]

_PICTURE: Final = (400, 120)
"""Tokens in and out of the description of a picture, about and at most."""
_HEARD: Final = (600, 300)
"""The same of a minute of speech: a token for 100 ms, and 150 words."""


class Till:
    """Counts what is spent on one save.

    Args:
        limits: What may be spent.
        cheaper: The model that is asked over the soft share of a limit; None stops there.
        keep: Puts entries on disk, apart from the loop.
        session: A name for this run of the host.
        clock: Seconds since 1970.
        tell: Takes news for the games.
    """

    def __init__(
        self,
        limits: Limits,
        cheaper: str | None,
        *,
        keep: Callable[[Sequence[Spent]], object],
        session: str,
        clock: Callable[[], float],
        tell: Callable[[Status], None],
    ) -> None:
        self.ledger = Ledger()
        self._limits = limits
        self._cheaper = cheaper
        self._keep = keep
        self._session = session
        self._clock = clock
        self._tell = tell
        self._told: set[tuple[str, str, str]] = set()
        self.budget = Budget(limits, self.ledger)

    def load(self, entries: Sequence[Spent]) -> None:
        """What earlier runs have spent today."""
        self.ledger = Ledger(entries)
        self.budget = Budget(self._limits, self.ledger)

    def purse(self, npc: str, player: str, line: str, *, input_tokens: int, output_tokens: int) -> Purse:
        """For one line: lets its requests through and takes their bills.

        Args:
            input_tokens: What a request for it will take in, about.
            output_tokens: What it may give at most.
        """
        return Purse(self, npc, player, line, input_tokens, output_tokens)

    def purse_for_picture(self, npc: str, name: str) -> Purse:
        """For the description of a picture: it belongs to no player."""
        return self.purse(npc, "", name, input_tokens=_PICTURE[0], output_tokens=_PICTURE[1])

    def purse_for_ear(self, npc: str, player: str, line: str) -> Purse:
        """For what a player says: at most a minute of it."""
        return self.purse(npc, player, line, input_tokens=_HEARD[0], output_tokens=_HEARD[1])

    def let_through(
        self, player: str, model: str, input_tokens: int, output_tokens: int, audio_tokens: int = 0
    ) -> Ticket:
        """Reserves a request, at the most that it may cost.

        Raises:
            ModelError: ``over_budget``, or ``no_price`` when there is a limit in money and the model has no price.
        """
        now, known = self._clock(), find(model)
        prices = [known.text, known.audio] if audio_tokens else [known.text]
        if None in prices and known.minute is None and self._limits.money:
            raise ModelError("no_price", f"{model} has no known price, and there is a budget in money.")
        money = priced(input_tokens, output_tokens, known.text) if known.text is not None else 0
        if known.minute is not None:
            money = round(known.minute * PICO)
        if audio_tokens and known.audio is not None:
            money += priced(0, audio_tokens, known.audio)
        if self._limits:
            step, limit = self.budget.step(player, now, money)
            if step is not Step.FULL:
                self._news(step, limit, player, now)
            if step is Step.NOTHING or (step is Step.CHEAPER and self._cheaper is not None and model != self._cheaper):
                what = "is used up" if step is Step.NOTHING else "is nearly used up"
                raise ModelError("over_budget", f"{limit} {what}: {model} is not asked.")
        return self.budget.reserve(player, now, money)

    def take(self, spent: Spent, ticket: Ticket | None) -> None:
        """A response has ended."""
        if ticket is not None:
            self.budget.settle(ticket)
        self.ledger.add(spent)
        self._keep([spent])

    def _news(self, step: Step, limit: str, player: str, now: float) -> None:
        about = (step.value, limit, day_of(now) + (player if "player" in limit else ""))
        if about in self._told or (step is Step.CHEAPER and self._cheaper is None):
            return
        self._told.add(about)
        whose = f" of {player!r}" if "player" in limit else ""
        if step is Step.NOTHING:
            message = f"{limit}{whose} is used up: no paid model is asked until the day (UTC) is over"
        else:
            message = f"{limit}{whose} is nearly used up: {self._cheaper} is asked from here on"
        self._tell(Status("over_budget", message, HINTS["over_budget"]))

    @property
    def session(self) -> str:
        return self._session

    def now(self) -> float:
        return self._clock()


def till_for(config: Config, keep: Callable[[Sequence[Spent]], object], tell: Callable[[Status], None]) -> Till:
    """The till of one run of a host."""
    limits = Limits(
        config.budget_usd_day,
        config.budget_usd_player_day,
        config.budget_requests_day,
        config.budget_requests_player_day,
        config.budget_soft,
    )
    cheaper = config.cheaper.partition(":")[2] if config.cheaper else None
    return Till(limits, cheaper, keep=keep, session=uuid.uuid4().hex[:12], clock=time.time, tell=tell)


class Purse:
    """One line's way to pay."""

    def __init__(self, till: Till, npc: str, player: str, line: str, input_tokens: int, output_tokens: int) -> None:
        self._till = till
        self._npc = npc
        self._player = player
        self._line = line
        self._input = input_tokens
        self._output = output_tokens
        self._tickets: list[tuple[str, Ticket]] = []

    def reserve(self, model: str, audio: int = 0) -> None:
        """Before each request; see `Request.reserve`."""
        ticket = self._till.let_through(self._player, model, self._input, self._output, audio)
        self._tickets.append((model, ticket))

    def bill(self, billed: Billed) -> None:
        """After each response; see `Request.bill`."""
        # A response that was given up may be told after another model's.
        held = next((each for each in self._tickets if each[0] == billed.model), None)
        if held is not None:
            self._tickets.remove(held)
        ticket = held and held[1]
        tokens, known = tokens_of(billed.usage)
        model = find(billed.model)
        money = cost(tokens, model)
        if billed.usage.seconds is not None:
            money = None if model.minute is None else round(billed.usage.seconds / 60 * model.minute * PICO)
        if not known and billed.usage.input is None:
            money = ticket.money if ticket is not None and model.text is not None else None
        till = self._till
        till.take(
            Spent(
                till.now(), till.session, self._npc, self._player, billed.model, billed.status, self._line, tokens,
                money, not known,
            ),
            ticket,
        )  # fmt: skip


def tokens_of(usage: Usage) -> tuple[Tokens, bool]:
    """The tokens of a response by kind, and whether the server told them all. What it did not sort counts as text."""
    came, went, cached = usage.input or 0, usage.output or 0, usage.cached or 0
    audio_in, image_in = usage.input_audio or 0, usage.input_image or 0
    audio_cached, image_cached = usage.cached_audio or 0, usage.cached_image or 0
    audio_out = usage.output_audio or 0
    tokens = Tokens(
        max(0, came - audio_in - image_in), audio_in, image_in,
        max(0, cached - audio_cached - image_cached), audio_cached, image_cached,
        max(0, went - audio_out), audio_out,
    )  # fmt: skip
    return tokens, usage.input is not None and usage.output is not None
