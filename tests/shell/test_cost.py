"""`townsfolk cost` and `townsfolk models`: right sums, right what-ifs, and mistakes that are told."""

from __future__ import annotations

import json

import pytest

from townsfolk.cli import main
from townsfolk.ledger import PICO, Spent, Tokens
from townsfolk.memory.sqlite import SqliteStore

NOON = 1_795_435_200.0


@pytest.fixture
def save(tmp_path):
    store = SqliteStore(tmp_path / "a.save")
    store.spend(
        [
            Spent(NOON, "r1", "ada", "ana", "big", "completed", "l1", Tokens(900, output_text=40), PICO // 100),
            Spent(NOON, "r1", "ada", "ana", "big", "cancelled", "l1", Tokens(300, output_text=10), PICO // 200),
            Spent(NOON, "r1", "bo", "ben", "own", "completed", "l2", Tokens(600, output_text=50), None),
            Spent(NOON + 86_400, "r2", "bo", "ana", "big", "failed", "l3", Tokens(), 0, True),
        ]
    )
    store.close()
    return str(tmp_path / "a.save")


def told(capsys, *args):
    assert main([*args]) == 0
    return capsys.readouterr().out


def as_json(capsys, *args):
    return json.loads(told(capsys, *args, "--json"))


def test_the_use_is_summed_as_asked(capsys, save):
    by_npc = as_json(capsys, "cost", save, "--by", "npc")
    assert by_npc["total"] == {
        "responses": 4, "lines": 3, "tokens_in": 1800, "cached": 0, "tokens_out": 100, "usd": 0.015, "unpriced": 1,
        "estimated": 1,
    }  # fmt: skip
    assert {name: (use["usd"], use["lines"]) for name, use in by_npc["use"].items()} == {
        "ada": (0.015, 1),
        "bo": (0, 2),
    }
    assert set(as_json(capsys, "cost", save, "--by", "day")["use"]) == {"2026-11-23", "2026-11-24"}
    assert set(as_json(capsys, "cost", save, "--by", "session")["use"]) == {"r1", "r2"}


def test_a_line_and_an_hour_at_other_prices_are_by_what_was_measured(capsys, save):
    found = as_json(capsys, "cost", save, "--what-if", "0.05, 0.6/2.4", "--lines-per-hour", "100")
    assert found["line"] == {"tokens_in": 600, "tokens_out": 33, "lines_per_hour": 100, "measured": True}
    flat, split = found["what_if"][:2]
    assert flat["line"] == pytest.approx(633 * 0.05e-6) and flat["player hour"] == pytest.approx(63300 * 0.05e-6)
    assert split["line"] == pytest.approx(600 * 0.6e-6 + 33 * 2.4e-6)


def test_the_usual_workloads(capsys):
    (low, high, *current) = as_json(capsys, "cost")["what_if"]
    tokens = {
        "support talk, 10 turns": 10_000, "voice translation": 300, "code help": 3500, "meeting summary": 21_000,
        "moderation": 110,
    }  # fmt: skip
    for name, count in tokens.items():
        assert low[name] == pytest.approx(count * 0.05e-6) and high[name] == pytest.approx(count * 0.15e-6)
    mini = next(row for row in current if row["at"] == "gpt-realtime-2.1-mini")
    assert mini["meeting summary"] == pytest.approx((20_000 * 0.6 + 1000 * 2.4) / 1e6)


def test_the_tables_line_up_and_say_what_is_not_known(capsys, save):
    out = told(capsys, "cost", save)
    assert "1 without a price" in out and "1 estimated" in out and "measured over 3 lines" in out
    assert "assumed" in told(capsys, "cost")


@pytest.mark.parametrize("prices", ["x", "1/2/3", "-1", "0.1,y"])
def test_prices_that_are_none_are_told(capsys, prices):
    assert main(["cost", f"--what-if={prices}"]) == 2
    assert "is no price" in capsys.readouterr().err


def test_a_save_that_is_not_there_is_told(capsys, tmp_path):
    assert main(["cost", str(tmp_path / "none.save")]) == 2
    err = capsys.readouterr().err
    assert "save" in err and "Traceback" not in err


def test_the_catalogue_is_listed_with_its_date(capsys):
    out = told(capsys, "models")
    assert "gpt-realtime-2.1-mini" in out and "Models as of 20" in out and "0.6 / 0.06 / 2.4" in out
    rows = as_json(capsys, "models")["models"]
    assert next(row for row in rows if row["name"] == "gpt-6-luna")["kind"] == "text"
