"""Says the 200 free-form player lines to the authored model and writes down what came of each, for people to read.

    python tools/judge_lines.py            # prints the table and the counts
    python tools/judge_lines.py --write    # rewrites tests/dialogues/free_lines.md
    python tools/judge_lines.py --json     # one object with `holds`, as every benchmark here gives it

Which topics are a right answer to a line is written beside it in `tests/dialogues/free_lines.yaml`. A deflection is
right where no topic would be; a topic that is not listed is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent / "bench"))
from common import Report

from townsfolk.cast import Cast, load_cast
from townsfolk.memory.embed import Embedder, MiniLM
from townsfolk.models.authored import Authored
from townsfolk.models.base import ModelEvent, Request, Text
from townsfolk.prompt import Prompt

ROOT = Path(__file__).parents[1]
LINES = ROOT / "tests" / "dialogues" / "free_lines.yaml"
TABLE = LINES.with_suffix(".md")
MOST_WRONG, MOST_DEFLECTED = 0.05, 0.35


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one player line."""

    npc: str
    line: str
    right: tuple[str, ...]
    topic: str | None
    bark: bool
    text: str
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        if self.bark:
            return "deflected" if self.right else "right"
        return "right" if (self.topic or "bark") in self.right else "wrong"


async def answers(cast: Cast, lines: Sequence[Mapping[str, Any]], embedder: Embedder | None) -> list[Answer]:
    """Says the lines to each character in their order, as one conversation each."""
    model = Authored(embedder=embedder)
    start = {id: fact.start for id, fact in cast.world.facts.items()}
    said: dict[str, list[str]] = {}
    asked: dict[str, set[str]] = {}
    found = []
    for item in lines:
        npc, line = item["npc"], item["line"]
        heard: list[ModelEvent] = []
        request = Request(
            line="line", persona=cast.personas[npc], prompt=Prompt("", (), (), 0), text=line,
            facts={**start, **item.get("facts", {})}, said=tuple(said.setdefault(npc, [])[-6:]),
            asked=frozenset(asked.setdefault(npc, set())), seed=zlib.crc32(f"{npc} {line}".encode()),
        )  # fmt: skip
        spoken = await model.speak(request, heard.append)
        text = "".join(event.text for event in heard if isinstance(event, Text))
        said[npc].append(text)
        if spoken.topic is not None:
            asked[npc].add(spoken.topic)
        right = tuple(item.get("right", ()))
        found.append(Answer(npc, line, right, spoken.topic, spoken.reason == "bark", text, spoken.notes))
    await model.close()
    return found


def shares(found: Sequence[Answer]) -> dict[str, float]:
    counts = Counter(answer.verdict for answer in found)
    return {verdict: counts[verdict] / len(found) for verdict in ("right", "deflected", "wrong")}


def table(found: Sequence[Answer]) -> str:
    """The table, as Markdown."""
    parts = ", ".join(f"{share:.1%} {verdict}" for verdict, share in shares(found).items())
    rows = [
        "# 200 player lines that no author had seen",
        "",
        f"What the authored model answers to each: {parts}. Written by `python tools/judge_lines.py --write`;",
        "`free_lines.yaml` holds which topics are right, and how that was judged.",
        "*Deflected*: the character turned aside although one of its topics answers; where none does, that is right.",
        "",
        "| npc | the player says | topic | the character says | verdict |",
        "|---|---|---|---|---|",
    ]
    for answer in found:
        topic = "*deflection*" if answer.bark else answer.topic or "*bark*"
        rows.append(f"| {answer.npc} | {_cell(answer.line)} | {topic} | {_cell(answer.text)} | {answer.verdict} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def load(lines: Path = LINES) -> tuple[Cast, list[dict[str, Any]]]:
    return load_cast(ROOT / "characters"), yaml.safe_load(lines.read_text(encoding="utf-8"))


def report(found: Sequence[Answer]) -> Report:
    """The counts against their limits."""
    share = shares(found)
    last: dict[str, str] = {}
    repeated = 0
    for answer in found:
        repeated += last.get(answer.npc) == answer.text
        last[answer.npc] = answer.text
    told = Report("free_lines", n=len(found), seeds="the CRC-32 of character and line")
    told.at_most("share of lines answered wrongly", share["wrong"], MOST_WRONG)
    told.at_most("share of lines turned aside though a topic answers", share["deflected"], MOST_DEFLECTED)
    told.at_most("the same line twice running", repeated, 0)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--write", action="store_true", help="rewrite tests/dialogues/free_lines.md")
    parser.add_argument("--json", action="store_true", help="print one object with the counts against their limits")
    parser.add_argument("--words", action="store_true", help="match by words alone, as without the extra `embed`")
    parser.add_argument("--lines", type=Path, default=LINES, help="another set of lines")
    args = parser.parse_args()
    found = asyncio.run(answers(*load(args.lines), None if args.words else MiniLM()))
    told = report(found)
    if args.write:
        TABLE.write_text(table(found), encoding="utf-8")
    elif not args.json:
        print(table(found))
    return told.print(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
