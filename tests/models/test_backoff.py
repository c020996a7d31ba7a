"""Backoff, connects a second, retries a minute; in made-up time."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from townsfolk.models.backoff import Pacer, RetryBudget, full_jitter


@given(st.integers(1, 30), st.floats(0, 1))
def test_a_wait_is_anything_up_to_what_doubles_and_is_capped(tries, rolled):
    assert 0 <= full_jitter(tries, rolled) <= min(8.0, 0.5 * 2 ** (tries - 1))


def test_waits_double_up_to_the_cap():
    assert [full_jitter(n, 1.0) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_two_hundred_connects_at_once_are_at_most_twenty_in_any_second():
    """N = 200, seed 1: sockets that are lost at once come back spread out."""
    roll, pacer = random.Random(1), Pacer(20)
    times, now = [], 100.0
    for _ in range(200):
        now += roll.random() * 0.001
        times.append(now + pacer.wait(now))
    assert all(sum(at <= each < at + 0.999 for each in times) <= 20 for at in times)
    assert times[-1] - 100 < 11  # and all are back well within 30 s


@given(st.lists(st.floats(0, 0.5), max_size=200), st.integers(1, 50))
def test_connects_never_come_faster_than_the_rate(waits, rate):
    pacer, now, times = Pacer(rate), 0.0, []
    for wait in waits:
        now += wait
        times.append(now + pacer.wait(now))
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in itertools.pairwise(times))


def test_retries_are_a_tenth_of_the_requests_of_a_minute():
    budget, retries = RetryBudget(), 0
    for n in range(1000):
        budget.asked(n * 0.05)  # 1,000 in 50 s
        retries += budget.may_retry(n * 0.05)
    assert retries == 100


def test_a_lone_player_has_a_few_retries_and_they_come_back():
    budget = RetryBudget(floor=3)
    budget.asked(0)
    assert [budget.may_retry(1) for _ in range(5)] == [True, True, True, False, False]
    assert budget.may_retry(62)
