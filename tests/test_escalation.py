"""When a stronger model is asked, and why: by table, and by the lines of tests/dialogues/escalation.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.cast import load_cast
from townsfolk.escalation import complexity, may_escalate, reasons
from townsfolk.gates import parse_gate
from townsfolk.persona import Escalation, Persona

HERE = Path(__file__).parent
PLAN = yaml.safe_load((HERE / "dialogues" / "escalation.yaml").read_text(encoding="utf-8"))
BARKS = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")


def persona(escalate: Any = (), **more: Any) -> Persona:
    return Persona.model_validate(
        {"id": "ann", "name": "Ann", "description": "A", "manner": "B", "barks": BARKS}
        | {"model": {"escalate": escalate}}
        | more
    )


@pytest.mark.parametrize(
    ("rule", "text", "facts", "told"),
    [
        ({"words": ["the mine"]}, "What of the mine?", {}, "the player says 'the mine'"),
        ({"words": "murder"}, "Who murdered him?", {}, "the player says 'murder'"),
        ({"words": ["mine"]}, "A fine day.", {}, None),
        ({"words": ["the mine"]}, "The old mine, then?", {}, None),
        ({"sentiment": 0.7}, "I hate you!", {}, "feeling 0.82 of 0.7 (hat)"),
        ({"sentiment": 0.7}, "Nice weather.", {}, None),
        ({"sentiment": 0.2}, "WHERE IS SHE", {}, "feeling 0.25 of 0.2 (loudness)"),
        ({"complexity": 0.5}, "If she did not go, why was the door open, and who shut it?", {}, "complexity"),
        ({"complexity": 0.5}, "Where is she?", {}, None),
        ({"when": {"trial": True}}, "Hello.", {"trial": True}, "its gate is open"),
        ({"when": {"trial": True}}, "Hello.", {"trial": False}, None),
        ({"when": {"trial": True}}, "Hello.", {}, None),
        ({"words": "murder", "when": {"trial": True}}, "Murder!", {}, None),
        ({"words": "murder", "when": {"trial": True}}, "Hello.", {"trial": True}, None),
        ({"words": "murder", "when": {"trial": True}}, "Murder!", {"trial": True}, "the player says 'murder'"),
        ([{"words": "murder"}, {"words": "slide"}], "The slide?", {}, "the player says 'slide'"),
    ],
)
def test_triggers(rule: Any, text: str, facts: dict[str, Any], told: str | None) -> None:
    for whose, found in (
        ("character", reasons(text, persona(rule), (), facts)),
        ("world", reasons(text, persona(), persona(rule).model.escalate, facts)),
    ):
        if told is None:
            assert found == ()
        else:
            assert len(found) == 1 and found[0].startswith(f"the {whose}'s rule: {told}"), found


def test_without_any_rule_nothing_escalates() -> None:
    assert reasons("I hate you! Why, if not he, who did it?", persona(), (), {}) == ()
    assert not may_escalate(persona(), ())


def test_a_topic_escalates_only_if_its_author_says_so() -> None:
    topics = {
        "mine": {"asks": "What of the mine?", "says": "Shut.", "escalate": True},
        "room": {"asks": "Do you have a room?", "says": "One."},
    }
    ann = persona(topics=topics)
    assert reasons("?", ann, (), {}, topic="mine") == ("the topic mine asks for it",)
    assert reasons("?", ann, (), {}, topic="room") == () == reasons("?", ann, (), {})
    assert may_escalate(ann, ())


def test_all_reasons_are_told() -> None:
    found = reasons("I hate the mine!", persona({"words": "mine"}), (Escalation(sentiment=0.5),), {})
    assert [why.partition(":")[0] for why in found] == ["the character's rule", "the world's rule"]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("Hello.", 0, 0),
        ("Where is the inn?", 0, 0),
        ("Where is the inn? And the mill? And the mine?", 0.4, 0.4),
        ("Who was it and where did he go?", 0.2, 0.2),
        ("Would you go if the bridge were down?", 0.35, 0.45),
        ("Why did nobody look for her?", 0.2, 0.3),
        ("If the bailiff lied about the levy, then who gains, and why would Aldous not say so?", 0.6, 1),
        ("word " * 48, 0.3, 0.3),
    ],
)
def test_complexity(text: str, least: float, most: float) -> None:
    score, told = complexity(text)
    assert least - 1e-9 <= score <= most + 1e-9, (score, told)
    assert bool(told) == (score > 0)


@given(st.text(max_size=400))
def test_any_text_has_its_measure_and_no_rule_breaks_on_it(text: str) -> None:
    assert 0 <= complexity(text)[0] <= 1
    always = (Escalation(words=("a",), sentiment=0.0, complexity=0.0, when=parse_gate({"x": None})),)
    assert len(reasons(text, persona(), always, {})) >= 2


@pytest.mark.parametrize("entry", PLAN["lines"], ids=lambda entry: entry["line"][:40])
def test_dialogue_plan(entry: dict[str, Any]) -> None:
    cast = load_cast(HERE / PLAN["cast"])
    rules = persona(PLAN["world"]).model.escalate
    ann = cast.personas[entry["npc"]].model_copy(update={"model": persona(PLAN["rules"].get(entry["npc"], ())).model})
    found = " | ".join(reasons(entry["line"], ann, rules, entry.get("facts", {})))
    assert all(part in found for part in entry["strong"]), found
    assert bool(found) == bool(entry["strong"]), found
