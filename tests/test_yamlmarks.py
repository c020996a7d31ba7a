"""YAML as writers mean it: YAML 1.2's core, places of everything, and nothing that can blow up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from townsfolk.yamlmarks import MAX_BYTES, MAX_DEPTH, Document, parse


def data(text: str) -> Any:
    document = parse(text.encode())
    assert document.ok and not document.flaws, document.flaws
    return document.data


def flaws(text: str | bytes) -> list[tuple[str, int, int]]:
    source = text.encode() if isinstance(text, str) else text
    return [(flaw.code, flaw.line, flaw.column) for flaw in parse(source).flaws]


@pytest.mark.parametrize(
    "word",
    ["no", "yes", "on", "off", "y", "No", "YES", "12:30", "1:30:00", "2024-01-01", "1_000", "0b11", ".inf", "-.inf",
     ".nan", "<<", "=", "nULL", "tRUE", "1.2.3", "+", "--", ".", "1e", "0x", "0o9", "e5", "١٢"],
)  # fmt: skip
def test_stays_text(word: str) -> None:
    assert data(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("True", True), ("FALSE", False), ("null", None), ("Null", None), ("~", None), ("", None),
     ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0x1F", 31), ("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0),
     ("0", 0), ("1e3", 1000.0), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))],
)  # fmt: skip
def test_plain_words_with_a_meaning(word: str, value: object) -> None:
    read = data(f"a: {word}")["a"]
    assert read == value and type(read) is type(value)
    assert data(f"a: '{word}'") == {"a": word}


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "1" * 5000, "0x" + "f" * 5000, "1e999", "-1e999", "1" * 400 + ".0"]
)
def test_numbers_too_large(number: str) -> None:
    assert flaws(f"a: {number}") == [("P023", 1, 4)]


def test_keys_are_text() -> None:
    assert data("true: 1\n12: 2\nnull: 3\n? no\n: 4\n'': 5") == {"true": 1, "12": 2, "null": 3, "no": 4, "": 5}


def test_blocks_and_quotes() -> None:
    assert data('a: |\n  x\n  y\nb: >-\n  x\n  y\nc: "x\\ty"\nd: \'it\'\'s\'') == {
        "a": "x\ny\n", "b": "x y", "c": "x\ty", "d": "it's",
    }  # fmt: skip


TEXT = """\
# comment
name: Ann
goals:
  - first
  - want: second
    when: {flood: true, any: [{day: 3}]}
role:
about: >
  folded
"""


@pytest.mark.parametrize(
    ("path", "place", "key"),
    [
        (("name",), (2, 7), (2, 1)),
        (("goals",), (3, 1), (3, 1)),
        (("goals", 0), (4, 5), (4, 5)),
        (("goals", 1), (5, 5), (5, 5)),
        (("goals", 1, "want"), (5, 11), (5, 5)),
        (("goals", 1, "when"), (6, 5), (6, 5)),
        (("goals", 1, "when", "flood"), (6, 19), (6, 12)),
        (("goals", 1, "when", "any", 0, "day"), (6, 37), (6, 32)),
        (("role",), (7, 1), (7, 1)),
        (("about",), (8, 8), (8, 1)),
        ((), (2, 1), (2, 1)),
        (("nothing",), (2, 1), (2, 1)),
        (("goals", 9), (3, 1), (3, 1)),
        (("name", "deeper"), (2, 7), (2, 1)),
    ],
)
def test_places(path: tuple[str | int, ...], place: tuple[int, int], key: tuple[int, int]) -> None:
    marks = parse(TEXT.encode()).marks
    assert marks.find(path) == place
    assert marks.find(path, on_key=True) == key


def test_columns_count_characters() -> None:
    assert parse("a: {é: x, 猫: 3}".encode()).marks.find(("a", "猫")) == (1, 14)


def test_key_given_twice_keeps_the_first() -> None:
    document = parse(b"a: 1\nb: {c: 2, c: {d: 3}}\na: [4]\n")
    assert document.ok and document.data == {"a": 1, "b": {"c": 2}}
    assert [(flaw.code, flaw.line, flaw.path, flaw.values) for flaw in document.flaws] == [
        ("P012", 2, ("b", "c"), {"first": 2}),
        ("P012", 3, ("a",), {"first": 1}),
    ]


def test_aliases() -> None:
    document = parse(b"a: &x [one, two]\nb: *x\nc: &y word\nd: [*y, *y]\n")
    assert document.data == {"a": ["one", "two"], "b": ["one", "two"], "c": "word", "d": ["word", "word"]}
    assert document.marks.find(("b", 1)) == (1, 13)


def test_aliases_cannot_nest_deeper_than_anything_else() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 2)]
    assert flaws("\n".join(lines)) == [("P009", MAX_DEPTH, 12)]


def test_alias_bombs_are_refused_at_once() -> None:
    long = "x: &a0 [" + ", ".join(["ha"] * 9) + "]\n"
    bomb = long + "".join(f"y{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]\n" for n in range(1, 12))
    start = time.perf_counter()
    assert [code for code, _, _ in flaws(bomb)] == ["P010"]
    wide = "a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 100_000) + "]\n"
    assert [code for code, _, _ in flaws(wide)] == ["P010"]
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("text", ["[" * 900_000, "- " * 450_000, "{a: " * 250_000, "? " * 450_000, "&a [" * 200_000])
def test_depth_is_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    assert next(code for code, _, _ in flaws(text)) in ("P009", "P015")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("at", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_limit(at: int) -> None:
    assert flaws("[" * at + "]" * at) == ([] if at == MAX_DEPTH else [("P009", 1, at)])


def test_size_limit() -> None:
    fits = b"a: 1\n#" + b"x" * (MAX_BYTES - 6)
    assert parse(fits).ok
    assert flaws(fits + b"x") == [("P008", 1, 1)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings(encoding: str) -> None:
    assert flaws("name: Ann\n".encode(encoding)) == [("P007", 1, 1)]


def test_stray_byte() -> None:
    assert flaws("é: x\nna".encode() + b"\xefme: y") == [("P006", 2, 3)]


def test_unreadable_characters() -> None:
    assert flaws("a: é\x00") == [("P013", 1, 5)]
    assert flaws("a: b\nc: d\x1b") == [("P013", 2, 5)]
    assert flaws('a: "\\0"\nb: "\\u009b"') == [("P013", 1, 4), ("P013", 2, 4)]


def test_nothing() -> None:
    assert flaws("") == flaws("# only this\n") == [("P004", 1, 1)]
    assert parse(b"---\n").data is None and parse(b"---\n").ok


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("a: He said: no", ("P017", 1, 11)),
        ("a: 1\n  b: 2", ("P020", 2, 4)),
        ("a:\n  b: 1\n c: 2", ("P020", 3, 2)),
        ("a: - b", ("P020", 1, 4)),
        ("a:\n  - x\n  b: 2", ("P020", 3, 3)),
        ("a:\n\tb: c", ("P003", 2, 1)),
        ("a: >\n\tfoo", ("P003", 2, 1)),
        ('a: "x\nb: c', ("P002", 1, 4)),
        ("a: 'x\nb: c", ("P002", 1, 4)),
        ('a: "x" y', ("P019", 1, 4)),
        ("- 'Tis cold' he said", ("P019", 1, 3)),
        ('a: "two\n  lines" more', ("P019", 2, 10)),
        ("- *sighs* well", ("P018", 1, 3)),
        ("- *sighs, loudly* well", ("P024", 1, 3)),
        ("a: & so on", ("P018", 1, 4)),
        ("a: @home", ("P018", 1, 4)),
        ("a: `home`", ("P018", 1, 4)),
        ("a: %home", ("P018", 1, 4)),
        ("- [sighs] well", ("P018", 1, 3)),
        ("- {sighs} well", ("P018", 1, 3)),
        ("a: > folded", ("P018", 1, 4)),
        ("%home\na: b", ("P018", 1, 1)),
        ("a: !home sweet", ("P011", 1, 4)),
        ("a: !!str 5", ("P011", 1, 4)),
        ("a: !!python/object/apply:os.system [echo]", ("P011", 1, 4)),
        ("a: 1\nfoo\nb: 2", ("P021", 2, 1)),
        ("a:b\nc: d", ("P020", 2, 2)),
        ('a: "\\d"', ("P022", 1, 5)),
        ('a: "\\ud800"', ("P022", 1, 7)),
        ("[a]: b", ("P015", 1, 1)),
        ("&x a: b\n*x : c", ("P015", 2, 1)),
        ("a: *b", ("P024", 1, 4)),
        ("a: &a [*a]", ("P010", 1, 8)),
        ("a: 1\n---\nb: 2", ("P014", 2, 1)),
        ("a: [b, c\nd: e", ("P001", 2, 2)),
    ],
)
def test_syntax(text: str, flaw: tuple[str, int, int]) -> None:
    assert flaws(text) == [flaw]
    assert not parse(text.encode()).ok


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, each in inside for found in paths(each, (*path, step)))]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-? \n\t\"'[]{},&*!|>%@`#~10.\\\r\u2028é", max_size=60))
def test_any_text_gives_data_or_flaws(text: str) -> None:
    document: Document = parse(text.encode())
    assert document.ok or document.flaws
    last = len(text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").split("\n")) + 1
    for line, column in [document.marks.find(path) for path in paths(document.data)]:
        assert 1 <= line <= last and column >= 1
    for flaw in document.flaws:
        assert 1 <= flaw.line <= last and flaw.column >= 1
