"""Sums are exact: to the token and to the picodollar, whatever order entries come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.catalogue import Entry, Price, find
from townsfolk.ledger import PICO, Ledger, Spent, Tokens, cost, day_of, dollars, priced, start_of_day

MINI = find("gpt-realtime-2.1-mini")
NOON = 1_795_435_200.0  # 2026-11-23, 12:00 UTC


def spent(**more) -> Spent:
    plain = Spent(NOON, "run", "guard", "ana", "m", "completed", "s-1", Tokens(100, output_text=10), 5)
    return replace(plain, **more)


def test_days_are_utc():
    assert day_of(NOON) == "2026-11-23"
    assert start_of_day(NOON) == NOON - 12 * 3600 and day_of(start_of_day(NOON)) == "2026-11-23"
    assert day_of(start_of_day(NOON) - 1) == "2026-11-22"


def test_what_was_cached_is_a_part_of_what_came_in():
    # 0.60, 0.06 and 2.40 USD a million: 400 * .60 + 600 * .06 + 50 * 2.40 = 396 millionths of a dollar.
    assert cost(Tokens(1000, cached_text=600, output_text=50), MINI) == 396 * PICO // 10**6
    assert dollars(396 * 10**6) == pytest.approx(0.000396)


def test_each_kind_of_token_has_its_own_price():
    audio = Tokens(100, 200, output_text=10, output_audio=300, cached_audio=100)
    # text 100 * .60 + 10 * 2.40 = 84; audio 100 * 10 + 100 * .30 + 300 * 20 = 7030
    assert cost(audio, MINI) == 7114 * PICO // 10**6


def test_a_price_that_is_not_known_is_not_nothing():
    text_only = Entry("m", "text", text=Price(1, 0.1, 2))
    assert cost(Tokens(output_audio=1), text_only) is None
    assert cost(Tokens(5), Entry("x", "text")) is None
    assert cost(Tokens(5), text_only) == 5 * PICO // 10**6
    assert cost(Tokens(), text_only) == 0  # refused before it took anything


def test_a_million_small_sums_add_up():
    tenth = Entry("m", "text", text=Price(0.05, 0.05, 0.15))
    one = cost(Tokens(1, output_text=1), tenth)
    assert one * 10**6 == priced(10**6, 10**6, tenth.text) == 2 * PICO // 10


counts = st.integers(0, 10**6)
entries = st.builds(
    spent,
    at=st.floats(NOON - 3e5, NOON + 3e5),
    npc=st.sampled_from("ab"),
    player=st.sampled_from("xyz"),
    status=st.sampled_from(["completed", "cancelled", "failed", "incomplete"]),
    tokens=st.builds(Tokens, counts, counts, counts, counts, counts, counts, counts, counts),
    money=st.none() | st.integers(0, 10**12),
    line=st.sampled_from(["s-1", "s-2", "s-3"]),
)


@given(st.lists(entries, max_size=40))
def test_every_way_to_sum_gives_the_same_total(made):
    ledger = Ledger(made)
    for what in ("npc", "player", "session", "day", "model", "status"):
        sums = ledger.by(what).values()
        assert sum(each.input for each in sums) == ledger.total.input == sum(each.tokens.input for each in made)
        assert sum(each.money for each in sums) == ledger.total.money == sum(each.money or 0 for each in made)
        assert sum(each.responses for each in sums) == len(made)
        assert sum(each.unpriced for each in sums) == sum(each.money is None for each in made)
    for each in made:
        mine = [one for one in made if (one.player, day_of(one.at)) == (each.player, day_of(each.at))]
        assert ledger.sum("player day", each.player, day_of(each.at)).responses == len(mine)
    assert len(ledger.total.lines) == len({each.line for each in made})
