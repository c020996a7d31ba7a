"""The benchmarks run and report: tiny ones, whose figures mean nothing and are not looked at."""

import importlib.util
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "tools" / "bench"
RUNS = {
    "frame": ["--quick"],
    "first_word": ["--quick"],
    "poll": ["--rounds", "1", "--n", "3"],
}


@pytest.fixture(scope="module")
def reports():
    def run(name):
        done = subprocess.run(
            [sys.executable, BENCH / f"{name}.py", "--json", *RUNS[name]], capture_output=True, text=True, timeout=60
        )
        assert done.returncode in (0, 1), done.stderr
        assert not done.stderr, done.stderr
        return json.loads(done.stdout)

    with ThreadPoolExecutor() as pool:
        return dict(zip(RUNS, pool.map(run, RUNS), strict=True))


@pytest.mark.parametrize("name", RUNS)
def test_a_benchmark_reports_bars_and_what_it_ran_with(reports, name):
    report = reports[name]
    assert report["name"] == name
    assert report["holds"]
    for bar in report["holds"]:
        assert set(bar) == {"name", "value", "limit", "ok"}
        assert isinstance(bar["value"], float) and isinstance(bar["ok"], bool)
    assert {"cpu", "cores", "system", "python"} <= set(report["machine"])
    assert {"openai", "websockets", "msgpack"} <= set(report["versions"])
    assert "seed" in report["settings"]
    assert report["figures"]


def test_every_delta_reaches_a_game_that_talks_to_several_characters(reports):
    bars = {bar["name"]: bar for bar in reports["frame"]["holds"]}
    assert bars["4: share of streams with all deltas delivered, any number of streams"]["value"] == 1.0
    assert reports["frame"]["notes"] == [
        note for note in reports["frame"]["notes"] if "refused" in note or "pinned" in note
    ]


def test_the_page_shows_every_bar_and_which_ones_do_not_hold(reports, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    spec = importlib.util.spec_from_file_location("run_all", BENCH / "run_all.py")
    run_all = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run_all)
    reports["poll"]["holds"] = [
        {"name": "held", "value": 1.0, "limit": 2.0, "ok": True},
        {"name": "broken", "value": 3.0, "limit": 2.0, "ok": False},
    ]
    page = run_all.page(list(reports.values()), date(2026, 1, 2))
    assert "2026-01-02" in page
    assert "| held | 1.0 | 2.0 | yes |" in page
    assert "| broken | 3.0 | 2.0 | **no** |" in page
    for report in reports.values():
        assert f"## {report['name']}\n" in page
        assert all(f"| {bar['name']} |" in page for bar in report["holds"])
