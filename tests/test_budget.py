"""Budgets hold whatever is asked at once and however late its price is known: never one request too many."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from townsfolk.budget import Budget, Limits, Step
from townsfolk.ledger import PICO, Ledger, Spent, Tokens

NOON = 1_795_435_200.0
DAY = 86_400.0


def entry(money: int = 0, player: str = "ana", at: float = NOON) -> Spent:
    return Spent(at, "run", "guard", player, "m", "completed", "s-1", Tokens(), money)


def test_of_ten_requests_the_last_two_are_for_the_cheaper_model_and_there_is_no_eleventh():
    budget = Budget(Limits(requests_day=10), Ledger())
    steps = []
    for _ in range(12):
        step, why = budget.step("ana", NOON, 0)
        steps.append(step)
        if step is not Step.NOTHING:
            budget.reserve("ana", NOON, 0)
    assert steps == [Step.FULL] * 8 + [Step.CHEAPER] * 2 + [Step.NOTHING] * 2 and why == "budget_requests_day"


def test_a_player_who_has_used_theirs_does_not_silence_another():
    budget = Budget(Limits(requests_player_day=1), Ledger([entry()]))
    assert budget.step("ana", NOON, 0) == (Step.NOTHING, "budget_requests_player_day")
    assert budget.step("ben", NOON, 0)[0] is not Step.NOTHING
    assert budget.step("ana", NOON + DAY, 0)[0] is not Step.NOTHING  # the next day


def test_money_counts_what_is_still_being_said():
    budget = Budget(Limits(usd_day=1.0, soft=1.0), Ledger())
    half = PICO // 2
    first = budget.reserve("ana", NOON, half)
    budget.reserve("ben", NOON, half)
    assert budget.step("cy", NOON, 1)[0] is Step.NOTHING
    budget.settle(first)  # it cost nothing after all
    assert budget.step("cy", NOON, half)[0] is Step.FULL
    assert budget.step("cy", NOON, half + 1)[0] is Step.NOTHING


def test_what_nobody_settles_is_given_up_in_time():
    budget = Budget(Limits(requests_day=1), Ledger())
    budget.reserve("ana", NOON, 0)
    budget.reserve("ana", NOON + 200, 0)
    assert budget.open == 1


def test_without_limits_all_is_let_through():
    assert not Limits() and Limits(usd_day=0.0) and Limits(requests_day=0)
    assert Budget(Limits(), Ledger()).step("ana", NOON, PICO)[0] is Step.FULL
    assert Budget(Limits(requests_day=0), Ledger()).step("ana", NOON, 0)[0] is Step.NOTHING


class Town(RuleBasedStateMachine):
    """Any number of players ask, get answers, or are refused, in any order."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.budget = Budget(Limits(1.0, 0.5, 20, 8), self.ledger)
        self.through: list[tuple[str, int]] = []

    @rule(target=held, player=st.sampled_from("abc"), cents=st.integers(0, 30))
    def ask(self, player, cents):
        money = cents * PICO // 100
        if self.budget.step(player, NOON, money)[0] is Step.NOTHING:
            return None
        self.through.append((player, money))
        return self.budget.reserve(player, NOON, money), player, money

    @rule(one=consumes(held), share=st.floats(0, 1))
    def end(self, one, share):
        if one is None:
            return
        ticket, player, money = one
        self.budget.settle(ticket)
        self.ledger.add(entry(int(money * share), player))

    @invariant()
    def no_limit_is_passed(self):
        assert len(self.through) <= 20
        assert self.ledger.total.money <= PICO
        for player in "abc":
            mine = [money for who, money in self.through if who == player]
            assert len(mine) <= 8
            assert self.ledger.by("player").get(player) is None or self.ledger.by("player")[player].money <= PICO // 2


TestTown = Town.TestCase
TestTown.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
