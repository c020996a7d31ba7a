"""The table of problems: its codes, its page, and how a problem is put into words."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

from townsfolk.problems import RULES, did_you_mean, field_name, kind_of, listed, problem, tidy_id

PAGE = Path(__file__).parent.parent / "docs" / "problems.md"


def test_page_is_made_from_the_table() -> None:
    made = subprocess.run([sys.executable, "-m", "townsfolk.problems"], capture_output=True, check=True, timeout=60)
    assert PAGE.read_text(encoding="utf-8") == made.stdout.decode(), "python -m townsfolk.problems > docs/problems.md"


def test_codes() -> None:
    assert all(re.fullmatch(r"P\d{3}", code) and rule.code == code for code, rule in RULES.items())
    assert list(RULES) == sorted(RULES)
    assert {rule.severity for rule in RULES.values()} == {"error", "warning"}


@pytest.mark.parametrize("code", RULES)
def test_words_fit_a_line(code: str) -> None:
    for words in (RULES[code].message, RULES[code].hint):
        assert words[0].isupper() or words[0] in "`{"
        assert len(words) <= 130 and "\n" not in words


def test_every_gap_is_filled() -> None:
    for rule in RULES.values():
        gaps = {gap for _, gap, _, _ in string.Formatter().parse(rule.message + rule.hint) if gap}
        made = problem(rule.code, "a.yaml", 1, 1, ("goals", 0), **{gap: "x" for gap in gaps - {"field", "last"}})
        assert "x" in made.message + made.hint or not gaps - {"field", "last"}


def test_values_are_told_as_authors_write_them_and_cut() -> None:
    assert "starts as false, so it can never be null" in problem(
        "P058", "f", 1, 1, (), fact="flood", start=False, value=None, kind="x"
    ).message  # fmt: skip
    long = problem("P023", "f", 1, 1, (), value="9\n" * 500)
    assert "\n" not in long.message and len(long.message) < 120


def test_field_names_count_from_one() -> None:
    assert field_name(("topics", "mine", "asks", 2)) == "topics.mine.asks[3]"
    assert field_name(("goals", 0, "when", "any", 1, "day")) == "goals[1].when.any[2].day"
    assert field_name(()) == ""
    assert problem("P040", "f", 1, 1, ()).message == "`the file` is empty."


def test_guesses() -> None:
    assert did_you_mean("aks", ["asks", "says"]) == " Did you mean `asks`?"
    assert did_you_mean("Asks", ["asks", "says"]) == " Did you mean `asks`?"
    assert did_you_mean("zebra", ["asks", "says"]) == ""
    assert listed(["a", "b"]) == "a, b" and listed([]) == "(none)" and listed(map(str, range(30))).endswith("19, ...")


@pytest.mark.parametrize(
    ("text", "id"),
    [("Old Joss", "old_joss"), ("Zoë's Inn!", "zoe_s_inn"), ("3 Bells", "bells"), ("  ", ""), ("川", "")],
)
def test_tidy_id(text: str, id: str) -> None:
    assert tidy_id(text) == id


def test_kinds() -> None:
    values: list[object] = [None, True, 1, 0.5, "a", [], (), {}]
    assert [kind_of(each) for each in values] == [
        "empty", "true or false", "a number", "a number", "text", "a list", "a list", "a group of fields",
    ]  # fmt: skip
