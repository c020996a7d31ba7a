"""Conditions on game facts, written in persona files as plain data. Evaluates them; knows nothing of who asks.

A gate is a mapping of facts to what they must be; all of them must hold::

    when:
      linnet_found: true                 # equal
      weather: [rain, storm]             # one of
      trust: {at_least: 3}               # also at_most, not
      any:                               # one of these gates is enough
        - {mine_gate_open: true}
        - {key_holder: player}

A fact that nobody has set is ``None``: it equals nothing but ``null``, and no comparison holds for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from townsfolk.ids import is_id

__all__ = ["Fact", "Gate", "GateError", "facts_in", "is_open", "parse_gate"]

Fact: TypeAlias = str | int | float | bool | None
Facts: TypeAlias = Mapping[str, Fact]
_COMPARISONS = frozenset({"at_least", "at_most", "not"})


class GateError(ValueError):
    """A gate that cannot be read. ``field`` is the key at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Gate:
    """All ``tests`` hold, and of each group in ``any_of`` at least one gate is open."""

    tests: tuple[tuple[str, str, tuple[Fact, ...]], ...] = ()
    any_of: tuple[tuple[Gate, ...], ...] = ()


OPEN = Gate()


def parse_gate(data: object, field: str = "when") -> Gate:
    """Reads a gate from plain data.

    Raises:
        GateError: It is no gate; the message says what was expected.
    """
    if data is None:
        return OPEN
    if not isinstance(data, Mapping):
        raise GateError(field, f"a gate is a mapping of facts to values, not {type(data).__name__}")
    tests: list[tuple[str, str, tuple[Fact, ...]]] = []
    groups: list[tuple[Gate, ...]] = []
    for name, wanted in data.items():
        if name == "any":
            if not isinstance(wanted, list) or not wanted:
                raise GateError("any", "any: takes a list of gates, at least one")
            groups.append(tuple(parse_gate(each, "any") for each in wanted))
        elif not isinstance(name, str) or not is_id(name):
            raise GateError(str(name), f"{name!r} cannot be the name of a fact: use lower case letters, digits and _")
        else:
            tests.extend(_tests(name, wanted))
    return Gate(tuple(tests), tuple(groups))


def _tests(name: str, wanted: object) -> Iterator[tuple[str, str, tuple[Fact, ...]]]:
    if isinstance(wanted, list):
        if not wanted:
            raise GateError(name, f"{name}: [] can never be true; list what {name} may be")
        yield name, "in", tuple(_scalar(name, each) for each in wanted)
    elif isinstance(wanted, Mapping):
        if not wanted:
            raise GateError(name, f"{name}: {{}} says nothing; use at_least, at_most or not")
        for op, value in wanted.items():
            if op not in _COMPARISONS:
                raise GateError(name, f"{op!r} is no comparison; use at_least, at_most or not")
            bound = _scalar(name, value)
            if op != "not" and (isinstance(bound, bool) or not isinstance(bound, int | float)):
                raise GateError(name, f"{name}: {op} takes a number, not {value!r}")
            yield name, op, (bound,)
    else:
        yield name, "in", (_scalar(name, wanted),)


def _scalar(name: str, value: object) -> Fact:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise GateError(name, f"{name} is compared with {type(value).__name__}; use text, a number, true or false")


def is_open(gate: Gate, facts: Facts) -> bool:
    """Whether the gate lets through, given what the game says is so."""
    for name, op, values in gate.tests:
        fact = facts.get(name)
        if op == "in":
            if not any(_same(fact, value) for value in values):
                return False
        elif op == "not":
            if _same(fact, values[0]):
                return False
        else:
            bound = values[0]
            if isinstance(fact, bool) or not isinstance(fact, int | float) or not isinstance(bound, int | float):
                return False
            if (fact < bound) if op == "at_least" else (fact > bound):
                return False
    return all(any(is_open(gate, facts) for gate in group) for group in gate.any_of)


def _same(fact: Fact, value: Fact) -> bool:
    # True == 1 in Python; to an author they differ.
    return fact == value and isinstance(fact, bool) == isinstance(value, bool)


def facts_in(gate: Gate) -> frozenset[str]:
    """The names of all facts that the gate looks at."""
    names = {name for name, _, _ in gate.tests}
    for group in gate.any_of:
        for each in group:
            names |= facts_in(each)
    return frozenset(names)
