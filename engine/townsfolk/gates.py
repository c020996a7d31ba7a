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
from typing import Any, TypeAlias

from townsfolk.ids import is_id
from townsfolk.problems import Path, did_you_mean, kind_of, problem, tidy_id

__all__ = ["Fact", "Gate", "GateError", "facts_in", "is_open", "never_together", "parse_gate", "read_gate"]

Fact: TypeAlias = str | int | float | bool | None
Facts: TypeAlias = Mapping[str, Fact]
Test: TypeAlias = tuple[str, str, tuple[Fact, ...]]
"""A fact, how it is compared (``in``, ``not``, ``at_least``, ``at_most``) and with what."""
_COMPARISONS = frozenset({"at_least", "at_most", "not"})


class GateError(ValueError):
    """A gate that cannot be read.

    Attributes:
        code: Which mistake of `problems.py` it is.
        path: Where inside the gate.
        values: What its message tells.
        field: The key at fault.
    """

    def __init__(self, code: str, path: Path, values: Mapping[str, Any], *, on_key: bool = False) -> None:
        super().__init__(problem(code, "", 1, 1, path, **values).message)
        self.code, self.path, self.values, self.on_key = code, path, values, on_key
        self.field = next((step for step in reversed(path) if isinstance(step, str)), "when")


@dataclass(frozen=True, slots=True)
class Gate:
    """All ``tests`` hold, and of each group in ``any_of`` at least one gate is open."""

    tests: tuple[Test, ...] = ()
    any_of: tuple[tuple[Gate, ...], ...] = ()


OPEN = Gate()


def parse_gate(data: object) -> Gate:
    """Reads a gate from plain data.

    Raises:
        GateError: It is no gate; the message says what was expected.
    """
    gate, errors = read_gate(data)
    if errors:
        raise errors[0]
    return gate


def read_gate(data: object) -> tuple[Gate, list[GateError]]:
    """Reads what can be read of a gate, and says everything that is wrong with the rest."""
    errors: list[GateError] = []
    return _gate(data, (), errors), errors


def _gate(data: object, path: Path, errors: list[GateError]) -> Gate:
    if data is None:
        return OPEN
    if not isinstance(data, Mapping):
        errors.append(GateError("P050", path, {"what": kind_of(data)}))
        return OPEN
    tests: list[Test] = []
    groups: list[tuple[Gate, ...]] = []
    for name, wanted in data.items():
        if name == "any":
            if isinstance(wanted, list | tuple) and wanted:
                groups.append(tuple(_gate(each, (*path, "any", n), errors) for n, each in enumerate(wanted)))
            else:
                errors.append(GateError("P055", (*path, "any"), {}))
        elif not isinstance(name, str) or not is_id(name):
            guess = did_you_mean(tidy_id(str(name)), [tidy_id(str(name))])
            errors.append(GateError("P054", (*path, str(name)), {"fact": name, "guess": guess}, on_key=True))
        else:
            tests.extend(_tests(name, wanted, (*path, name), errors))
    return Gate(tuple(tests), tuple(groups))


def _tests(name: str, wanted: object, path: Path, errors: list[GateError]) -> Iterator[Test]:
    if isinstance(wanted, list | tuple | Mapping) and not wanted:
        errors.append(GateError("P053", path, {"fact": name}))
    elif isinstance(wanted, list | tuple):
        values = [_scalar(name, each, (*path, n), errors) for n, each in enumerate(wanted)]
        yield name, "in", tuple(values)
    elif isinstance(wanted, Mapping):
        for op, value in wanted.items():
            here = (*path, str(op))
            if op not in _COMPARISONS:
                values_ = {"op": op, "fact": name, "guess": did_you_mean(str(op), _COMPARISONS)}
                errors.append(GateError("P051", here, values_, on_key=True))
            elif op == "not":
                yield name, "not", (_scalar(name, value, here, errors),)
            elif isinstance(value, bool) or not isinstance(value, int | float):
                what = kind_of(value) if isinstance(value, list | tuple | Mapping) else value
                errors.append(GateError("P052", here, {"op": op, "fact": name, "value": what}))
            else:
                yield name, op, (value,)
    else:
        yield name, "in", (_scalar(name, wanted, path, errors),)


def _scalar(name: str, value: object, path: Path, errors: list[GateError]) -> Fact:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    errors.append(GateError("P056", path, {"fact": name, "what": kind_of(value)}))
    return None


def is_open(gate: Gate, facts: Facts) -> bool:
    """Whether the gate lets through, given what the game says is so."""
    return all(_holds(test, facts.get(test[0])) for test in gate.tests) and all(
        any(is_open(gate, facts) for gate in group) for group in gate.any_of
    )


def _holds(test: Test, fact: Fact) -> bool:
    _, op, values = test
    if op == "in":
        return any(_same(fact, value) for value in values)
    if op == "not":
        return not _same(fact, values[0])
    bound = values[0]
    if isinstance(fact, bool) or not isinstance(fact, int | float) or not isinstance(bound, int | float):
        return False
    return fact >= bound if op == "at_least" else fact <= bound


def never_together(first: Gate, second: Gate) -> str | None:
    """A fact by which the two gates can never be open at once; ``None`` if they may be.

    Given the same gate twice it says whether that gate can ever open. It looks for plain contradictions, so ``None``
    is no proof.
    """
    tests = (*first.tests, *second.tests)
    if (fact := _contradicted(tests)) is not None:
        return fact
    for group in (*first.any_of, *second.any_of):
        facts = [_contradicted((*tests, *gate.tests)) for gate in group]
        if facts and all(facts):
            return facts[0]
    return None


def _contradicted(tests: tuple[Test, ...]) -> str | None:
    by_fact: dict[str, list[Test]] = {}
    for test in tests:
        by_fact.setdefault(test[0], []).append(test)
    for fact, about in by_fact.items():
        lists = [test for test in about if test[1] == "in"]
        low = max((test[2][0] for test in about if test[1] == "at_least"), default=None)  # type: ignore[type-var]
        high = min((test[2][0] for test in about if test[1] == "at_most"), default=None)  # type: ignore[type-var]
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            return fact
        if lists and not any(all(_holds(test, value) for test in about) for value in lists[0][2]):
            return fact
    return None


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
