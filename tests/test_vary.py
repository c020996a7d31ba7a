"""Nobody repeats himself."""

from hypothesis import given
from hypothesis import strategies as st

from townsfolk.vary import vary

LINES = ["a", "b", "c"]


def test_the_preferred_pool_comes_first_and_what_was_said_last() -> None:
    assert vary([["x"], LINES], [], 1) == "x"
    assert vary([["x"], LINES], ["x"], 1) in LINES
    assert vary([LINES], ["b", "a"], 1) == "c"
    assert vary([LINES], ["b", "c", "a"], 1) == "b"
    assert vary([["x"]], ["x", "y"], 1) == "x"
    assert vary([["x"]], ["y", "x"], 1) is None
    assert vary([], [], 1) is None


def test_the_seed_decides() -> None:
    assert {vary([LINES], [], 7) for _ in range(20)} == {vary([LINES], [], 7)}
    assert {vary([LINES], [], seed) for seed in range(50)} == set(LINES)


@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=3),
    st.lists(st.sampled_from("abcdefgh"), max_size=8),
    st.integers(),
)
def test_never_the_same_line_twice_running(pools: list[list[str]], said: list[str], seed: int) -> None:
    line = vary(pools, said, seed)
    others = {each for pool in pools for each in pool} - set(said[-1:])
    assert (line in others) if others else line is None
    fresh = [[each for each in pool if each not in said] for pool in pools]
    if any(fresh):
        assert line in next(pool for pool in fresh if pool)
