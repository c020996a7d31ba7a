"""A circuit breaker, in made-up time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk import ModelError
from townsfolk.models.breaker import Breaker, State

DOWN = ModelError("connect_failed", "down")
WRONG = ModelError("bad_key", "wrong", fatal=True)


def test_it_opens_refuses_and_lets_one_probe_through():
    breaker = Breaker(failures=2, rest_s=8)
    assert breaker.ask(0) is None
    breaker.failed(DOWN, 0)
    assert breaker.state is State.CLOSED and breaker.ask(0) is None
    breaker.failed(DOWN, 0)
    assert breaker.state is State.OPEN and breaker.ask(7.9) is DOWN and breaker.rests(6) == 2
    assert breaker.ask(8) is None and breaker.state is State.HALF_OPEN
    assert breaker.ask(8) is DOWN  # one at a time
    assert breaker.succeeded() and not breaker.succeeded()
    assert breaker.state is State.CLOSED and breaker.error is None


def test_a_probe_that_fails_opens_it_again():
    breaker = Breaker(failures=3, rest_s=8)
    for _ in range(3):
        breaker.failed(DOWN, 0)
    breaker.ask(8)
    breaker.failed(DOWN, 8)
    assert breaker.refuses(15.9) is DOWN and breaker.refuses(16) is None


def test_what_asking_again_will_not_help_opens_it_at_once_and_for_long():
    breaker = Breaker(failures=3, fatal_s=300)
    breaker.failed(WRONG, 0)
    assert breaker.ask(299) is WRONG and breaker.ask(300) is None


def test_a_server_that_names_a_time_is_left_alone_so_long():
    breaker = Breaker(rest_s=8, jitter=lambda: 1.0)
    breaker.failed(ModelError("rate_limited", "slower", retry_after_s=30), 0)
    assert breaker.refuses(29.9) and not breaker.refuses(30)


def test_who_gives_up_lets_the_next_one_probe():
    breaker = Breaker()
    breaker.failed(DOWN, 0)
    assert breaker.ask(8) is None
    breaker.gave_up(8)
    assert breaker.ask(8) is None


def test_rests_are_spread():
    breaker = Breaker(rest_s=8, jitter=lambda: 1.0)
    breaker.failed(DOWN, 0)
    assert breaker.rests(0) == 6


@given(st.lists(st.tuples(st.sampled_from(["ask", "ok", "down", "wrong", "gone"]), st.floats(0, 20)), max_size=60))
def test_never_more_than_one_probe_and_never_before_its_time(steps):
    breaker, now, probing, opened = Breaker(rest_s=8, fatal_s=60), 0.0, False, None
    for step, wait in steps:
        now += wait
        before = breaker.state
        if step == "ask":
            allowed = breaker.ask(now) is None
            if before is State.OPEN and allowed:
                assert opened is not None and now >= opened
                probing = True
            elif before is State.HALF_OPEN:
                assert not allowed and probing
        elif step == "ok":
            breaker.succeeded()
            probing = False
        elif step == "gone":
            breaker.gave_up(now)
            if before is State.HALF_OPEN:
                opened, probing = now, False
        else:
            error = WRONG if step == "wrong" else DOWN
            breaker.failed(error, now)
            opened, probing = now + (60 if error.fatal else 8), False


def test_a_step_that_is_not_legal_is_a_defect():
    with pytest.raises(AssertionError):
        Breaker()._to(State.HALF_OPEN)
