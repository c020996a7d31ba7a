"""What the parts of a cast say about each other: gates and facts, secrets, actions, relations. Opens no file.

Works on the plain data rather than on the models, so that one mistake does not hide another: whatever has the wrong
shape is passed over here, since `shape.py` speaks of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from townsfolk.gates import Fact, Gate, never_together, read_gate
from townsfolk.ids import is_id
from townsfolk.persona import Escalation
from townsfolk.problems import Finding, Path, did_you_mean, kind_of, listed

__all__ = ["check_persona", "check_world"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NO_WORD = re.compile(r"[\W_]+")
_TELLING_WORDS: Final = 5  # a shorter sentence of a secret may well be said by chance
_RULE: Final = frozenset(Escalation.model_fields)
_KINDS: Final = {"text": "text", "number": "a number", "flag": "true or false"}


def check_persona(
    data: Mapping[str, Any], *, id: str, ids: Collection[str], facts: Mapping[str, Fact] | None
) -> Iterator[Finding]:
    """What is wrong between the parts of a persona, and between it and the rest of the cast.

    Args:
        data: The file.
        id: The character's id.
        ids: The ids of all characters.
        facts: The declared facts with what they start as; ``None`` if they are not known.
    """
    for path, gate in _gates(data):
        yield from _gate(path, gate, facts)
    yield from _secrets(data)
    yield from _actions(data)
    yield from _topics(data)
    yield from _repeats(data)
    yield from _idle(_rules(_map(data.get("model")).get("escalate"), ("model", "escalate")))
    for other in _map(data.get("relations")):
        if other == id:
            yield Finding("P076", ("relations", other), {}, on_key=True)
        elif is_id(other) and other not in ids:
            yield Finding("P075", ("relations", other), _unknown(other, sorted({*ids} - {id})), on_key=True)


def check_world(data: Mapping[str, Any], *, ids: Collection[str]) -> tuple[list[Finding], dict[str, Fact]]:
    """What is wrong between the parts of a world and its cast, and the facts that it declares."""
    found: list[Finding] = []
    facts: dict[str, Fact] = {}
    for name, declared in _map(data.get("facts")).items():
        start = _map(declared).get("start")
        if name == "any":
            found.append(Finding("P062", ("facts", name), {}, on_key=True))
        facts[name] = start if isinstance(start, str | int | float) else None
    for name, lore in _map(data.get("lore")).items():
        known_by = _map(lore).get("known_by")
        for path, other in _texts(known_by, ("lore", name, "known_by")):
            if other != "everyone" and is_id(other) and other not in ids:
                found.append(Finding("P077", path, _unknown(other, sorted(ids))))
        if "when" in _map(lore):
            found.extend(_gate(("lore", name, "when"), lore["when"], facts))
    for path, rule in _rules(data.get("escalate"), ("escalate",)):
        if "when" in _map(rule):
            found.extend(_gate((*path, "when"), rule["when"], facts))
    found.extend(_idle(_rules(data.get("escalate"), ("escalate",))))
    return found, facts


def _unknown(name: str, choices: Collection[str]) -> dict[str, Any]:
    return {"name": name, "guess": did_you_mean(name, choices), "choices": listed(choices)}


def _map(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


def _items(data: object) -> list[Any]:
    return data if isinstance(data, list) else []


def _texts(data: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The text at ``path``, or each text of the list there."""
    if isinstance(data, str):
        yield path, data
    for n, each in enumerate(_items(data)):
        if isinstance(each, str):
            yield (*path, n), each


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """All parts of a persona that may have a gate."""
    for name in ("goals", "knows", "secrets"):
        yield from (((name, n), each) for n, each in enumerate(_items(data.get(name))))
    for name in ("topics", "actions"):
        yield from (((name, key), each) for key, each in _map(data.get(name)).items())
    yield from _rules(_map(data.get("model")).get("escalate"), ("model", "escalate"))


def _rules(data: object, path: Path) -> Iterator[tuple[Path, Any]]:
    """The rules for the stronger model: one, or a list of them."""
    if isinstance(data, Mapping):
        yield path, data
    yield from (((*path, n), each) for n, each in enumerate(_items(data)))


def _idle(rules: Iterator[tuple[Path, Any]]) -> Iterator[Finding]:
    """Rules that say nothing, and so would call the stronger model for everything."""
    for path, rule in rules:
        if isinstance(rule, Mapping) and not any(_says(each) or name not in _RULE for name, each in rule.items()):
            yield Finding("P083", path, {}, on_key=True)


def _says(value: object) -> bool:
    return value is not None and value not in ({}, [], "")


def _gates(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for path, part in _parts(data):
        if "when" in _map(part):
            yield (*path, "when"), part["when"]


def _gate(path: Path, data: object, facts: Mapping[str, Fact] | None) -> Iterator[Finding]:
    gate, errors = read_gate(data)
    for error in errors:
        yield Finding(error.code, (*path, *error.path), error.values, error.on_key)
    if not errors and (fact := never_together(gate, gate)) is not None:
        yield Finding("P059", path, {"fact": fact}, on_key=True)
    if facts is not None:
        yield from _facts(path, data, facts)


def _facts(path: Path, data: object, facts: Mapping[str, Fact]) -> Iterator[Finding]:
    for name, wanted in _map(data).items():
        here = (*path, name)
        if name == "any":
            for n, each in enumerate(_items(wanted)):
                yield from _facts((*here, n), each, facts)
        elif name not in facts:
            if is_id(name):
                yield Finding("P057", here, {"fact": name, "guess": did_you_mean(name, facts)}, on_key=True)
        elif (start := facts[name]) is not None:
            compared = (
                [((*here, n), each) for n, each in enumerate(wanted)]
                if isinstance(wanted, list)
                else [((*here, op), each) for op, each in wanted.items()]
                if isinstance(wanted, Mapping)
                else [(here, wanted)]
            )
            for place, value in compared:
                number = isinstance(value, int | float) and not isinstance(value, bool)
                right = number or place[-1] not in ("at_least", "at_most")  # else read_gate() says so
                if right and isinstance(value, str | int | float) and kind_of(value) != kind_of(start):
                    yield Finding("P058", place, {"fact": name, "start": start, "value": value, "kind": kind_of(start)})


def _open(part: object) -> bool:
    return read_gate(_map(part).get("when"))[0] == Gate()


def _plain(text: str) -> str:
    """Words alone, so that capitals, line breaks and commas do not hide what is the same."""
    return " ".join(_NO_WORD.sub(" ", text.casefold()).split())


def _secrets(data: Mapping[str, Any]) -> Iterator[Finding]:
    secrets = _items(data.get("secrets"))
    telling: dict[tuple[str, ...], list[tuple[list[str], Path]]] = {}  # sentences by their first words
    for n, secret in enumerate(secrets):
        if isinstance(secret, str) or (isinstance(secret, Mapping) and not secret.get("when")):
            yield Finding("P060", ("secrets", n), {}, on_key=True)
        fact = _map(secret).get("fact")
        for sentence in _SENTENCE.split(fact) if isinstance(fact, str) else ():
            if len(words := _plain(sentence).split()) >= _TELLING_WORDS:
                telling.setdefault(tuple(words[:_TELLING_WORDS]), []).append((words, ("secrets", n)))
    starts = {words[0] for words in telling}
    for path, text in _ungated(data):
        if (secret := _told(_plain(text).split(), starts, telling)) is not None:
            yield Finding("P061", path, {"secret": secret})


def _told(
    words: list[str], starts: Collection[str], telling: Mapping[tuple[str, ...], list[tuple[list[str], Path]]]
) -> Path | None:
    for n, word in enumerate(words):
        if word not in starts:
            continue
        for sentence, path in telling.get(tuple(words[n : n + _TELLING_WORDS]), ()):
            if words[n : n + len(sentence)] == sentence:
                return path
    return None


def _ungated(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Every text that a player may come to hear whatever the game says."""
    for name in ("role", "description", "manner"):
        yield from _texts(data.get(name), (name,))
    for kind, lines in _map(data.get("barks")).items():
        yield from _texts(lines, ("barks", kind))
    for n, example in enumerate(_items(data.get("examples"))):
        yield from _texts(_map(example).get("answer"), ("examples", n, "answer"))
    for other, relation in _map(data.get("relations")).items():
        yield from _texts(relation, ("relations", other))
        yield from _texts(_map(relation).get("about"), ("relations", other, "about"))
    for path, part in _parts(data):
        if isinstance(part, str):
            yield path, part
        elif path[0] != "secrets" and _open(part):
            for name in ("want", "fact", "description", "says", "again"):
                yield from _texts(_map(part).get(name), (*path, name))


def _actions(data: Mapping[str, Any]) -> Iterator[Finding]:
    actions = _map(data.get("actions"))
    for id, action in actions.items():
        for key, argument in _map(_map(action).get("args")).items():
            kind = _map(argument).get("type", "text")
            if _map(argument).get("one_of") and kind in ("number", "flag"):
                yield Finding("P082", ("actions", id, "args", key, "one_of"), {"name": key, "kind": kind})
    for topic_id, topic in _map(data.get("topics")).items():
        does = _map(_map(topic).get("does"))
        path: Path = ("topics", topic_id, "does")
        name = does.get("action")
        if not isinstance(name, str):
            continue
        if name not in actions:
            yield Finding("P070", (*path, "action"), {"name": name, "guess": did_you_mean(name, actions)})
        elif isinstance(actions[name], Mapping):
            yield from _arguments(path, name, _map(actions[name].get("args")), _map(does.get("args")))


def _arguments(path: Path, action: str, declared: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Finding]:
    for name in declared:
        if name not in given:
            yield Finding("P072", (*path, "args") if given else path, {"action": action, "name": name}, on_key=True)
    for name, value in given.items():
        here = (*path, "args", name)
        if name not in declared:
            values = {"action": action, "name": name, "guess": did_you_mean(name, declared)}
            yield Finding("P071", here, values | {"choices": listed(declared)}, on_key=True)
            continue
        argument = _map(declared[name])
        wanted = _KINDS.get(str(argument.get("type", "text")))
        choices = [each for each in _items(argument.get("one_of")) if isinstance(each, str)]
        if wanted is not None and kind_of(value) != wanted:
            yield Finding("P073", here, {"wanted": wanted, "what": kind_of(value), "action": action})
        elif choices and value not in choices and wanted == "text":
            values = {"value": value, "guess": did_you_mean(str(value), choices), "action": action}
            yield Finding("P074", here, values | {"choices": listed(choices)})


def _topics(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Two topics that answer the same question, unless their gates are never open together."""
    seen: dict[str, list[tuple[str, Path, Gate]]] = {}
    for id, topic in _map(data.get("topics")).items():
        gate = read_gate(_map(topic).get("when"))[0]
        for path, ask in _texts(_map(topic).get("asks"), ("topics", id, "asks")):
            earlier = seen.setdefault(_plain(ask), [])
            for other, place, other_gate in earlier:
                if other != id and never_together(gate, other_gate) is None:
                    yield Finding("P080", path, {"ask": ask, "other": other, "place": place})
                    break
            earlier.append((id, path, gate))


def _repeats(data: Mapping[str, Any]) -> Iterator[Finding]:
    """The same line twice in one list."""
    lists: list[tuple[Path, Any]] = [(("barks", kind), lines) for kind, lines in _map(data.get("barks")).items()]
    for id, topic in _map(data.get("topics")).items():
        lists += [(("topics", id, name), _map(topic).get(name)) for name in ("asks", "says", "again")]
    for path, lines in lists:
        first: dict[str, int] = {}
        for n, line in enumerate(_items(lines)):
            if isinstance(line, str) and line.strip() and first.setdefault(" ".join(line.split()), n) != n:
                yield Finding("P081", (*path, n), {"first": first[" ".join(line.split())] + 1})
