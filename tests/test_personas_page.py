"""docs/personas.md: its example has no mistake, and no field is left unexplained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from townsfolk.cast import Folder, Sources, read_cast
from townsfolk.gates import Gate, facts_in, parse_gate
from townsfolk.lore import FactDeclaration, Lore, World
from townsfolk.persona import Persona
from townsfolk.shape import PARTS
from townsfolk.yamlmarks import parse

PAGE = (Path(__file__).parent.parent / "docs" / "personas.md").read_text(encoding="utf-8")
PERSONA, WORLD = (block.encode() for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
JOSS = b"""\
name: Joss
description: A smuggler.
manner: Smooth.
barks: {greeting: Ah., thinking: Hm., busy: Later., offline: Later., farewell: Off., deflect: Who asks?}
"""


def test_example_has_no_problem() -> None:
    folders = {"nell": Folder(PERSONA, ("persona.yaml", "portrait.png")), "joss": Folder(JOSS)}
    world, personas, problems = read_cast(Sources(WORLD, folders), "characters")
    assert problems == []
    assert personas["nell"].topics["cross_in_flood"].says[0].startswith("Not today: look")
    assert len(world.lore) == 3


@pytest.mark.parametrize(
    ("model", "field"),
    sorted(
        {(part, name) for parts in PARTS.values() for part in parts.values() for name in part.model_fields}
        - {(Persona, "id")},
        key=str,
    ),
)
def test_every_field_is_explained(model: type[BaseModel], field: str) -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    if model in (World, FactDeclaration, Lore):
        prose = prose[prose.index("## The world") :]
    assert f"`{field}`" in prose


def test_gates_of_the_table_can_be_read() -> None:
    rows = re.findall(r"^\| `when: (\{.*\})` \|", PAGE, re.MULTILINE)
    facts = parse(WORLD).data["facts"]
    assert len(rows) == 6
    for row in rows:
        gate = parse_gate(parse(row.encode()).data)
        assert gate != Gate() and facts_in(gate) <= set(facts)
