"""Gates: what they let through, what is wrong with them, and which can never be open together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.gates import OPEN, Fact, Gate, GateError, facts_in, is_open, never_together, parse_gate, read_gate


@pytest.mark.parametrize(
    ("gate", "facts", "opens"),
    [
        (None, {}, True),
        ({}, {}, True),
        ({"flood": True}, {"flood": True}, True),
        ({"flood": True}, {"flood": False}, False),
        ({"flood": True}, {}, False),
        ({"flood": True}, {"flood": 1}, False),
        ({"day": 1}, {"day": True}, False),
        ({"day": 1}, {"day": 1.0}, True),
        ({"flood": False}, {}, False),
        ({"flood": None}, {}, True),
        ({"flood": None}, {"flood": False}, False),
        ({"weather": ["rain", "storm"]}, {"weather": "storm"}, True),
        ({"weather": ["rain", "storm"]}, {"weather": "sun"}, False),
        ({"weather": ["rain", None]}, {}, True),
        ({"weather": {"not": "rain"}}, {"weather": "sun"}, True),
        ({"weather": {"not": "rain"}}, {"weather": "rain"}, False),
        ({"weather": {"not": "rain"}}, {}, True),
        ({"trust": {"at_least": 3}}, {"trust": 3}, True),
        ({"trust": {"at_least": 3}}, {"trust": 2.9}, False),
        ({"trust": {"at_least": 3}}, {}, False),
        ({"trust": {"at_least": 0}}, {"trust": True}, False),
        ({"trust": {"at_least": 0}}, {"trust": "9"}, False),
        ({"trust": {"at_most": 3}}, {"trust": 3}, True),
        ({"trust": {"at_most": 3}}, {"trust": 4}, False),
        ({"trust": {"at_most": 3}}, {}, False),
        ({"trust": {"at_least": 1, "at_most": 3, "not": 2}}, {"trust": 2}, False),
        ({"trust": {"at_least": 1, "at_most": 3, "not": 2}}, {"trust": 3}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"any": [{"a": 1}, {"b": 2}]}, {"b": 2}, True),
        ({"any": [{"a": 1}, {"b": 2}]}, {"b": 1}, False),
        ({"any": [{"a": 1}, {"b": 2}], "c": 3}, {"b": 2}, False),
        ({"any": [{"any": [{"a": 1}]}]}, {"a": 1}, True),
    ],
)
def test_opens(gate: object, facts: dict[str, Fact], opens: bool) -> None:
    assert is_open(parse_gate(gate), facts) is opens


@pytest.mark.parametrize(
    ("gate", "code", "path"),
    [
        ("flood", "P050", ()),
        (["flood"], "P050", ()),
        (True, "P050", ()),
        ({"any": ["flood"]}, "P050", ("any", 0)),
        ({"trust": {"atleast": 1}}, "P051", ("trust", "atleast")),
        ({"trust": {"at_least": "1"}}, "P052", ("trust", "at_least")),
        ({"trust": {"at_most": True}}, "P052", ("trust", "at_most")),
        ({"trust": {"at_most": None}}, "P052", ("trust", "at_most")),
        ({"trust": {"at_most": [1]}}, "P052", ("trust", "at_most")),
        ({"trust": []}, "P053", ("trust",)),
        ({"trust": {}}, "P053", ("trust",)),
        ({"Trust": 1}, "P054", ("Trust",)),
        ({3: 1}, "P054", ("3",)),
        ({"any": {"flood": True}}, "P055", ("any",)),
        ({"any": []}, "P055", ("any",)),
        ({"trust": [[1]]}, "P056", ("trust", 0)),
        ({"trust": {"not": {"x": 1}}}, "P056", ("trust", "not")),
    ],
)
def test_mistakes(gate: object, code: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(GateError) as caught:
        parse_gate(gate)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert str(caught.value).endswith((".", "?"))


def test_all_mistakes_are_told_and_the_rest_is_read() -> None:
    gate, errors = read_gate({"Flood": 1, "day": {"atleast": 1, "at_most": 2}, "any": [{"x": []}, {"y": [{}]}], "z": 1})
    assert [each.code for each in errors] == ["P054", "P051", "P053", "P056"]
    assert [each.field for each in errors] == ["Flood", "atleast", "x", "y"]
    assert ("z", "in", (1,)) in gate.tests and ("day", "at_most", (2,)) in gate.tests


def test_facts_in() -> None:
    assert facts_in(parse_gate({"a": 1, "any": [{"b": 2}, {"any": [{"c": {"not": 1}}]}]})) == {"a", "b", "c"}
    assert facts_in(OPEN) == frozenset()


@pytest.mark.parametrize(
    ("first", "second", "fact"),
    [
        ({"flood": True}, {"flood": False}, "flood"),
        ({"flood": True}, {"flood": {"not": True}}, "flood"),
        ({"trust": {"at_least": 2}}, {"trust": {"at_most": 1}}, "trust"),
        ({"trust": {"at_least": 2}}, {"trust": 1}, "trust"),
        ({"weather": ["rain", "storm"]}, {"weather": ["sun"]}, "weather"),
        ({"flood": True}, {"any": [{"flood": False}, {"flood": None}]}, "flood"),
        ({"day": 1}, {"day": True}, "day"),
        ({"trust": {"at_least": 1}}, {"trust": None}, "trust"),
        ({"flood": True}, {"day": 1}, None),
        ({"flood": True}, {"any": [{"flood": False}, {"day": 1}]}, None),
        ({"trust": {"at_least": 2}}, {"trust": {"at_most": 2}}, None),
        ({"weather": ["rain", "storm"]}, {"weather": ["storm", "sun"]}, None),
        ({}, {"flood": True}, None),
    ],
)
def test_never_together(first: object, second: object, fact: str | None) -> None:
    assert never_together(parse_gate(first), parse_gate(second)) == fact
    assert never_together(parse_gate(second), parse_gate(first)) == fact


VALUES: st.SearchStrategy[Any] = st.sampled_from([None, True, False, 0, 1, 2, 0.5, "rain", "sun"])
TESTS: st.SearchStrategy[Any] = VALUES | st.lists(VALUES, min_size=1, max_size=3) | st.fixed_dictionaries(
    {}, optional={"at_least": st.integers(0, 2), "at_most": st.integers(0, 2), "not": VALUES}
).filter(bool)  # fmt: skip
PLAIN = st.dictionaries(st.sampled_from("abc"), TESTS, max_size=3)
GATES = st.builds(
    lambda gate, any: gate | ({"any": any} if any else {}), PLAIN, st.lists(PLAIN, max_size=2)
).map(parse_gate)  # fmt: skip


@given(GATES, GATES, st.dictionaries(st.sampled_from("abc"), VALUES))
def test_what_is_called_impossible_never_happens(first: Gate, second: Gate, facts: dict[str, Fact]) -> None:
    if never_together(first, second) is not None:
        assert not (is_open(first, facts) and is_open(second, facts))


@given(st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)))
def test_any_data_gives_a_gate_or_errors(data: Any) -> None:
    gate, errors = read_gate({"any": data, "at_least": data, "f": data})
    assert isinstance(gate, Gate) and all(isinstance(each, GateError) for each in errors)
