"""Runs every benchmark and writes docs/benchmarks.md: what `make bench` does. Measures nothing itself.

    python tools/bench/run_all.py

A benchmark is a script beside this one; it takes ``--json`` and prints one object with ``holds``, as common.py's
`Report` does. They run one after another: run them on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import ROOT, environment

HERE: Final = Path(__file__).resolve().parent
BENCHMARKS: Final = {
    "import_time": HERE / "import_time.py",
    "receive": HERE / "receive.py",
    "first_word": HERE / "first_word.py",
    "frame": HERE / "frame.py",
    "sockets": HERE / "sockets.py",
    "free_lines": ROOT / "tools" / "judge_lines.py",
    "kill_host": ROOT / "tools" / "faults" / "kill_host.py",
    "campaign": ROOT / "tools" / "faults" / "campaign.py",
}
"""The benchmarks, and the campaigns that report as they do."""

_HEAD = """\
# Benchmarks

Measured by `make bench` on {date}; written by `tools/bench/run_all.py`, so change nothing here by hand. Each benchmark
compares with a reference in the same run and is judged on medians over rounds that take turns. A bar that does not hold
says so. What each program measures, and how, stands at the top of its file in `tools/bench/`.

{machine}
"""


def run(name: str, more: Sequence[str] = ()) -> dict[str, Any]:
    """What one benchmark found. A benchmark that breaks is an error of this program."""
    command = [sys.executable, str(BENCHMARKS[name]), "--json", *more]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{name} ended with {done.returncode} and no report") from None
    return found


def page(reports: Sequence[Mapping[str, Any]], date: datetime.date) -> str:
    """The text of docs/benchmarks.md."""
    machine, versions = reports[0]["machine"], reports[0]["versions"]
    what = f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [_HEAD.format(date=date.isoformat(), machine=f"Machine: {what}. Packages: {packages}.")]
    parts += [_section(report) for report in reports]
    return "\n".join(parts)


def _section(report: Mapping[str, Any]) -> str:
    lines = [f"## {report['name']}", "", "| bar | value | limit | holds |", "|---|---|---|---|"]
    lines += [
        f"| {bar['name']} | {bar['value']} | {bar['limit']} | {'yes' if bar['ok'] else '**no**'} |"
        for bar in report["holds"]
    ]
    lines.append("")
    lines += [f"- {name}: {_words(value)}" for name, value in report["figures"].items()]
    lines += [f"- Note: {note}" for note in report["notes"]]
    lines += ["", f"Ran with {_words(report['settings'])}.", ""]
    return "\n".join(lines)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(
            f"{key}: ({_words(each)})" if isinstance(each, dict) else f"{key} {_words(each)}"
            for key, each in value.items()
        )
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print all reports as one JSON object")
    parser.add_argument("--only", choices=list(BENCHMARKS), action="append", help="run this one; may be repeated")
    parser.add_argument("--out", type=Path, help="where to write (docs/benchmarks.md, if all were run)")
    options = parser.parse_args()
    reports = []
    for name in options.only or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        reports.append(run(name))
        for bar in reports[-1]["holds"]:
            state = "ok  " if bar["ok"] else "FAIL"
            print(f"  {state} {bar['name']}: {bar['value']} (limit {bar['limit']})", file=sys.stderr)
    out = options.out or (None if options.only else ROOT / "docs" / "benchmarks.md")
    if out is not None:
        out.write_text(page(reports, datetime.date.today()), encoding="utf-8")
    holds = [{**bar, "name": f"{report['name']}: {bar['name']}"} for report in reports for bar in report["holds"]]
    ok = all(bar["ok"] for bar in holds)
    if options.json:
        print(json.dumps({"name": "bench", "ok": ok, "holds": holds, "reports": reports}))
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
