"""Loading a folder of characters: every mistake has its code and its line, and nothing raises but PersonaError."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from townsfolk.cast import Folder, Sources, check_cast, load_cast, read_cast
from townsfolk.errors import PersonaError
from townsfolk.problems import RULES, Problem

BAD = Path(__file__).parent / "personas_bad"
FIXTURES = sorted(BAD.glob("*.yaml"))
EXPECT = re.compile(r"^# expect: (P\d{3}) line (\d+)$", re.MULTILINE)

WORLD = b"""\
name: Weirside
description: A crossing and six houses.
facts:
  flood: {start: false, about: The river is over its banks.}
  trust_ann: {start: 0, about: How much Ann trusts the player.}
  weather: {start: rain, about: The sky.}
  omen: {about: Nothing has been seen yet.}
lore:
  bell:
    text: The chapel bell lies in the river.
    keys: [bell, chapel]
    known_by: [ann]
    when: {flood: false, omen: "a heron"}
"""
BEN = b"""\
name: Ben Weir
description: Mends nets.
manner: Slow.
barks: {greeting: Aye., thinking: Hm., busy: Nets., offline: "...", farewell: Aye., deflect: Ask Ann.}
"""
ANN = b"""\
# A whole persona with a little of everything.
name: Ann Marsh
role: ferrywoman
description: >
  Keeps the ferry, and the ferry's temper.
manner: Short and dry.
goals:
  - To cross dry-shod.
  - want: To mend the rope before anyone asks.
    when: {any: [{flood: true}, {trust_ann: {at_least: 2}}]}
examples:
  - player: Hello.
    answer: Well?
barks:
  greeting: [Well?, "Yes: you."]
  thinking: Hm.
  busy: Not now.
  offline: I have lost my voice.
  farewell: Mind the step.
  deflect: [Ask the river., "No."]
topics:
  ferry:
    asks: [Does the ferry run?, Can I cross?]
    says: [It runs when I do., 12:30]
    again: [As I said.]
    when: {flood: false}
    does: {action: give_item, args: {item: rope, count: 2}}
    cue: stern
  ferry_in_flood:
    asks: [Does the ferry run?]
    says: no
    when: {flood: true}
knows:
  - The rope is new.
  - {fact: Ben drinks., when: {weather: [rain, storm]}}
secrets:
  - fact: The rope was paid for with chapel silver.
    when: {trust_ann: {at_least: 3}}
actions:
  give_item:
    description: Hand something over.
    args:
      item: {one_of: [rope, lantern]}
      count: {type: number}
relations:
  ben: {about: An oaf., axes: {trust: -1, affection: 0.5}}
model: {prefer: authored, max_tokens: 80, temperature: 0.7}
voice: {realtime: sage, speed: 1}
portrait: art/ann.png
"""
PICTURES = ("persona.yaml", "art/ann.png", "portrait.png")


def problems_of(persona: bytes | str | None = ANN, world: bytes | str | None = WORLD, id: str = "ann") -> list[Problem]:
    return read_cast(Sources(world, {id: Folder(persona, PICTURES), "ben": Folder(BEN)}), "c")[2]


def codes(problems: list[Problem]) -> list[tuple[str, int]]:
    return [(each.code, each.line) for each in problems]


def test_good_cast_has_no_problem() -> None:
    world, personas, problems = read_cast(Sources(WORLD, {"ann": Folder(ANN, PICTURES), "ben": Folder(BEN)}), "c")
    assert problems == []
    assert world.facts["omen"].start is None
    ann = personas["ann"]
    assert ann.topics["ferry"].says == ("It runs when I do.", "12:30")
    assert ann.topics["ferry_in_flood"].says == ("no",)
    assert ann.goals[0].want == "To cross dry-shod."
    assert personas["ben"].barks.deflect == ("Ask Ann.",)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_bad_file(path: Path) -> None:
    source = path.read_bytes()
    text = source.decode()
    expected = sorted((code, int(line)) for code, line in EXPECT.findall(text))
    assert expected, "a fixture says what it expects"
    found = problems_of(world=source) if "\n# as: world.yaml\n" in text else problems_of(source)
    assert sorted(codes(found)) == expected, "\n".join(map(str, found))
    for each in found:
        assert each.file == ("c/world.yaml" if "# as: world" in text else "c/ann/persona.yaml")
        assert each.column >= 1 and "{" not in each.message.replace("{fact_name", "")
        assert not re.search(r"\b(pydantic|dict|str|int|tuple|NoneType|None|loc)\b", each.message), each.message


def too_big() -> list[Problem]:
    return problems_of(ANN + b"# " + b"x" * 1024 * 1024)


def utf16() -> list[Problem]:
    return problems_of(ANN.decode().encode("utf-16"))


def utf16_without_mark() -> list[Problem]:
    return problems_of(ANN.decode().encode("utf-16-be"))


def latin1() -> list[Problem]:
    return problems_of(ANN.replace(b"dry-shod", "d\u00e9j\u00e0".encode("latin-1")))


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        (too_big, [("P008", 1)]),
        (utf16, [("P007", 1)]),
        (utf16_without_mark, [("P007", 1)]),
        (latin1, [("P006", 8)]),
        (lambda: problems_of(ANN + b"".join(b"k%d: 1\n" % n for n in range(150)))[100:], [("P099", 150)]),
        (lambda: problems_of("Permission denied"), [("P016", 1)]),
        (lambda: problems_of(world="Is a directory"), [("P016", 1)]),
        (lambda: problems_of(persona=None), [("P077", 12), ("P090", 1)]),
        (lambda: problems_of(ANN.replace(b"name: Ann Marsh", b"name: ben weir")), [("P095", 1)]),
        (lambda: read_cast(Sources(WORLD, {}), "c")[2], [("P077", 12), ("P091", 1)]),
        (lambda: problems_of(BEN.replace(b"Ben", b"Ann"), world=None), [("P092", 1)]),
        (lambda: problems_of(id="Ann Marsh", world=WORLD.replace(b"[ann]", b"[ben]")), [("P093", 1)]),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_bad_folder(find: object, expected: list[tuple[str, int]]) -> None:
    assert callable(find)
    assert sorted(codes(find())) == sorted(expected)


EXPLICIT = {"P006", "P007", "P008", "P016", "P090", "P091", "P092", "P093", "P095", "P099"}


def test_every_code_has_a_test() -> None:
    in_fixtures = {code for path in FIXTURES for code, _ in EXPECT.findall(path.read_text(encoding="utf-8"))}
    assert in_fixtures | EXPLICIT == set(RULES)
    assert len(in_fixtures) >= 30


def test_messages_and_hints_differ() -> None:
    assert len({rule.message for rule in RULES.values()}) == len(RULES)
    assert all(rule.hint.endswith(".") and rule.message.rstrip().endswith((".", "}")) for rule in RULES.values())


def test_renders_as_one_line_and_a_hint() -> None:
    found = problems_of(ANN.replace(b"asks:", b"ask:", 1))
    assert codes(found) == [("P046", 22), ("P030", 23)]
    assert str(found[1]) == (
        "c/ann/persona.yaml:23:5: P030 error: There is no field `ask` here. Did you mean `asks`?\n"
        "    hint: Fields that may stand here: asks, says, again, when, does, cue, escalate."
    )
    assert found[1].field == "topics.ferry.ask"


def test_list_items_count_from_one() -> None:
    found = problems_of(ANN.replace(b"again: [As I said.]", b"again: [As I said., 7]"))
    assert [each.field for each in found] == ["topics.ferry.again[2]"]


def test_guesses() -> None:
    said = {each.code: each.message for each in problems_of((BAD / "unknown_fact.yaml").read_bytes())}
    assert said["P057"].endswith("Did you mean `flood`?")
    said = {each.code: each.message for each in problems_of((BAD / "portrait_missing.yaml").read_bytes())}
    assert said["P078"].endswith("Did you mean `portrait.png`?")
    hints = [each.hint for each in problems_of((BAD / "unknown_field.yaml").read_bytes())]
    assert hints[0].endswith("relations, model, voice, portrait.")
    said = {each.code: each.message for each in problems_of((BAD / "bad_topic_id.yaml").read_bytes())}
    assert said["P043"].endswith("Did you mean `the_ferry`?")


def test_world_with_errors_blames_no_gate() -> None:
    assert codes(problems_of(world=b"name: [\n")) == [("P001", 2)]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


GOOD = {"world.yaml": WORLD, "ann/persona.yaml": ANN, "ann/art/ann.png": b"", "ben/persona.yaml": BEN}


def test_loads_a_folder(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"notes.txt": b"", ".git/config": b"", "_drafts/persona.yaml": b"x"})
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    cast = load_cast(tmp_path)
    assert list(cast.personas) == ["ann", "ben"]
    assert cast.world.name == "Weirside" and cast.folder == tmp_path and cast.problems == ()
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before
    with pytest.raises(TypeError):
        cast.personas["cy"] = cast.personas["ann"]  # type: ignore[index]


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"ben/persona.yaml": b"\xef\xbb\xbf" + BEN.replace(b"\n", b"\r\n")})
    assert load_cast(tmp_path).personas["ben"].name == "Ben Weir"
    write(tmp_path, {"ben/persona.yaml": b"\xef\xbb\xbf" + BEN.replace(b"\n", b"\r\n").replace(b"Slow.", b"3")})
    assert [(each.line, each.column) for each in check_cast(tmp_path)] == [(3, 9)]


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    write(tmp_path, {"ben/persona.yaml": BEN, "cy/persona.yml": BEN})
    cast = load_cast(tmp_path)
    assert [each.code for each in cast.problems] == ["P092", "P090"]
    assert "persona.yml" in cast.problems[1].message
    assert cast.world.description


def test_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"ben/persona.yaml": b"name: 3", "cy/persona.yaml": b"\t", "world.yaml": WORLD + b"x: 1\n"})
    with pytest.raises(PersonaError) as caught:
        load_cast(tmp_path)
    assert caught.value.code == "persona_invalid"
    assert {each.file.removeprefix(f"{tmp_path.as_posix()}/") for each in caught.value.problems} == {
        "world.yaml",
        "ben/persona.yaml",
        "cy/persona.yaml",
    }
    assert list(caught.value.problems) == check_cast(tmp_path)


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_no_characters(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(PersonaError) as caught:
        load_cast(tmp_path / name)
    assert caught.value.code == "no_characters"
    assert "P091" in [each.code for each in check_cast(tmp_path / name)]


def test_persona_yaml_that_is_a_folder(tmp_path: Path) -> None:
    (write(tmp_path, GOOD) / "cy/persona.yaml").mkdir(parents=True)
    assert [each.code for each in check_cast(tmp_path)] == ["P016"]


LINES = ANN.splitlines(keepends=True)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        where = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["delete", "repeat", "move", "insert", "flip", "indent", "cut"]))
        if how == "delete" and len(lines) > 1:
            del lines[where]
        elif how == "repeat":
            lines.insert(where, lines[draw(st.integers(0, len(lines) - 1))])
        elif how == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(where))
        elif how == "insert":
            lines.insert(where, draw(st.sampled_from(FRAGMENTS)))
        elif how == "indent":
            lines[where] = b"  " + lines[where] if draw(st.booleans()) else lines[where][1:]
        elif how == "cut":
            lines[where] = lines[where][: draw(st.integers(0, len(lines[where])))]
        elif lines[where]:
            at = draw(st.integers(0, len(lines[where]) - 1))
            byte = lines[where][at] ^ (1 << draw(st.integers(0, 7)))
            lines[where] = lines[where][:at] + bytes([byte]) + lines[where][at + 1 :]
    return b"".join(lines)


FRAGMENTS = [
    b"- x\n",
    b"when: 3\n",
    b"    when: {a: {b: {c: [1]}}}\n",
    b"? [a]\n: b\n",
    b"topics: [1]\n",
    b"  0: null\n",
    b"<<: *a\n",
    b"secrets: yes\n",
    b"relations: {1: 2}\n",
    b"barks: ~\n",
    b"actions: {a: {args: 3}}\n",
    b"&a *a\n",
    b"goals: {a: b}\n",
    b"id: []\n",
    b"portrait: {}\n",
    b"name: 1e400\n",
    b"model: 0x" + b"f" * 99 + b"\n",
    b"%YAML 9\n",
    b"...\n",
    b"\xff\n",
    b"does: {action: [x]}\n",
    b"    does: {action: give_item, args: [1]}\n",
    b'"\n',
    b"knows: [[[[]]]]\n",
    b"examples: [1, {}]\n",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mangled())
def test_mangled_persona_never_raises(source: bytes) -> None:
    for found in (problems_of(source), problems_of(world=source)):
        for each in found:
            assert each.line >= 1 and each.column >= 1 and each.message and each.hint
            assert each.line <= source.count(b"\n") + source.count(b"\r") + 2
            assert str(each).count("\n") == 1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_raise(source: bytes) -> None:
    assert any(each.severity == "error" for each in problems_of(source))


def test_six_long_personas_load_quickly(tmp_path: Path) -> None:
    """Measured at 30 ms on two cores (80 ms for the shipped cast); the bar leaves room."""
    topics = "".join(
        f"  topic_{n}:\n    asks:\n" + "".join(f"      - How is number {n} in way {m}?\n" for m in range(8))
        + "    says:\n" + "".join(f"      - It is well, thank you for asking {n} in way {m}.\n" for m in range(4))
        for n in range(44)
    )  # fmt: skip
    text = BEN.decode() + "topics:\n" + topics
    assert text.count("\n") > 600
    folder = write(tmp_path, {"world.yaml": WORLD.replace(b"[ann]", b"[npc_0]")})
    for n in range(6):
        write(folder, {f"npc_{n}/persona.yaml": text.replace("Ben", f"Ben {n}").encode()})
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert len(load_cast(folder).personas) == 6
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15
