"""The till lets requests through while there is budget, books what they took, and says once when it steps down."""

from __future__ import annotations

import pytest

from townsfolk.budget import Limits
from townsfolk.errors import ModelError
from townsfolk.host.till import Till, tokens_of
from townsfolk.ledger import PICO, Spent, Tokens
from townsfolk.models.base import Billed, Usage

NOON = 1_795_435_200.0
FULL, CHEAP = "gpt-realtime-2.1", "gpt-6-luna"


class Town:
    """A till, what it kept and what it told."""

    def __init__(self, limits: Limits, cheaper: str | None = None) -> None:
        self.now = NOON
        self.kept: list[Spent] = []
        self.told: list[str] = []
        self.till = Till(
            limits, cheaper, keep=self.kept.extend, session="run", clock=lambda: self.now,
            tell=lambda status: self.told.append(f"{status.code}: {status.message}"),
        )  # fmt: skip

    def purse(self, player: str = "ana"):
        return self.till.purse("guard", player, "s-1", input_tokens=1000, output_tokens=100)

    def ask(self, model: str = FULL, usage: Usage = Usage(1000, 50), player: str = "ana") -> None:  # noqa: B008
        purse = self.purse(player)
        purse.reserve(model)
        purse.bill(Billed(model, usage, "completed", "s-1"))


def refused(ask) -> str:
    with pytest.raises(ModelError) as caught:
        ask()
    return caught.value.code


def test_what_a_response_took_is_kept_with_whose_it_was():
    town = Town(Limits())
    town.ask(usage=Usage(1000, 50, 600, cached_text=600))
    [entry] = town.kept
    assert (entry.npc, entry.player, entry.session, entry.line, entry.model) == ("guard", "ana", "run", "s-1", FULL)
    assert entry.tokens == Tokens(1000, cached_text=600, output_text=50) and not entry.estimated
    assert entry.money == round((400 * 4 + 600 * 0.4 + 50 * 24) * PICO / 10**6)
    assert town.till.budget.open == 0


def test_over_the_soft_share_only_the_cheaper_model_is_asked_and_over_the_limit_none():
    town = Town(Limits(requests_day=5), CHEAP)
    for _ in range(4):
        town.ask()
    assert refused(town.ask) == "over_budget" and town.told == [
        "over_budget: budget_requests_day is nearly used up: gpt-6-luna is asked from here on"
    ]
    town.ask(CHEAP)
    assert refused(lambda: town.ask(CHEAP)) == "over_budget" and refused(town.ask) == "over_budget"
    assert len(town.told) == 2 and "until the day (UTC) is over" in town.told[1]
    town.now += 86_400
    town.ask()


def test_a_players_limit_is_that_players():
    town = Town(Limits(requests_player_day=1))
    town.ask()
    assert refused(town.ask) == "over_budget"
    town.ask(player="ben")
    assert "of 'ana'" in town.told[0]


def test_a_model_without_a_price_is_not_asked_where_money_is_limited():
    town = Town(Limits(usd_day=1))
    assert refused(lambda: town.ask("my-own-model")) == "no_price"
    Town(Limits(requests_day=1)).ask("my-own-model")


def test_what_a_lost_response_took_is_estimated_at_the_most_it_can_have():
    town = Town(Limits(usd_day=1))
    town.ask(usage=Usage())
    [entry] = town.kept
    assert entry.estimated and entry.money == round((1000 * 4 + 100 * 24) * PICO / 10**6) and entry.tokens == Tokens()


def test_a_refused_request_costs_nothing_and_gives_its_place_back():
    town = Town(Limits(usd_day=1))
    purse = town.purse()
    purse.reserve(FULL)
    purse.bill(Billed(FULL, Usage(0, 0, 0), "failed", "s-1"))
    assert town.kept[0].money == 0 and not town.kept[0].estimated and town.till.budget.open == 0


def test_a_response_that_is_told_late_is_settled_with_its_own_request():
    town = Town(Limits(usd_day=1))
    purse = town.purse()
    purse.reserve(FULL)
    purse.reserve(CHEAP)
    purse.bill(Billed(CHEAP, Usage(1000, 10), "completed", "s-1"))
    purse.bill(Billed(FULL, Usage(), "cancelled", "s-1"))
    assert town.kept[1].money == round((1000 * 4 + 100 * 24) * PICO / 10**6)


def test_earlier_runs_count():
    town = Town(Limits(requests_day=1))
    town.ask()
    later = Town(Limits(requests_day=1))
    later.till.load(town.kept)
    assert refused(later.ask) == "over_budget"


def test_what_a_server_did_not_sort_counts_as_text():
    assert tokens_of(Usage(100, 20, 30)) == (Tokens(100, cached_text=30, output_text=20), True)
    sorted_ = Usage(100, 20, 30, input_audio=60, cached_audio=10, output_audio=15)
    assert tokens_of(sorted_) == (Tokens(40, 60, 0, 20, 10, 0, 5, 15), True)
    assert tokens_of(Usage(5, None))[1] is False
