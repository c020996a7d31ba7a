"""What a campaign looks at: one turn as the game heard it, and what must never be true of it. Breaks nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from townsfolk.host.engine import Host

SLACK = 0.6
"""Seconds over a deadline that are the machine's: many turns run beside each other on its cores."""
WORDS = 12


@dataclass
class Case:
    """One turn, what goes wrong in it, and what the game heard."""

    index: int
    kind: str
    phase: str
    line: str
    npc: str
    seed: int
    cancel_after: float | None
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    hit: bool = False
    """Whether the fault was reached."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = 0.0

    @property
    def words(self) -> list[str]:
        return [f"{self.line}.{n:02d} " for n in range(WORDS)]

    def take(self, message: dict[str, Any]) -> None:
        if message.get("line") == self.line:
            self.heard.append((time.monotonic() - self.began, message))
            if message["t"] in ("line_done", "line_failed"):
                self.ended.set()


class Judge:
    """Looks at what each case came to; counts what must not be."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.bad: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.endings: Counter[str] = Counter()
        self.table: Counter[tuple[str, str]] = Counter()
        self.latest = 0.0

    def case(self, case: Case, host: Host) -> None:
        self.table[case.kind, case.phase] += case.hit
        told = [message for _, message in case.heard]
        last = [message for message in told if message["t"] in ("line_done", "line_failed")]
        if len(last) != 1:
            return self._bad("without a terminal event" if not last else "with more than one terminal event", case)
        [end] = last
        if told[-1] is not end and told[-1]["t"] != "line_accepted":
            self._bad("with events after the end", case)
        shown = "".join(message["text"] for message in told if message["t"] == "line_delta")
        self._text(case, end, shown)
        actions = [message["action"] for message in told if message["t"] == "action"]
        if len(actions) != len(set(actions)) or len(actions) > 1:
            self._bad("with a doubled action", case)
        if sum(message["t"] == "line_accepted" for message in told) != 1:
            self._bad("never or twice accepted", case)
        self._times(case, end)
        self._memory(case, end, shown, host)
        self.endings[end.get("reason") or end["code"]] += 1

    def _text(self, case: Case, end: dict[str, Any], shown: str) -> None:
        if end["t"] == "line_failed":
            if shown or not end["text"]:
                self._bad("that failed with words, or without a bark", case)
            return
        if end["text"] != shown:
            self._bad("whose end differs from its deltas", case)
        whole = "".join(case.words)
        if end["model"].startswith("realtime:") or f"{case.line}." in shown:
            if not whole.startswith(shown):
                self._bad("out of order or doubled", case)
            # A server that says that it is done is believed.
            if end["reason"] == "complete" and shown != whole and not case.kind.startswith("done-"):
                self._bad("passed off as whole", case)

    def _times(self, case: Case, end: dict[str, Any]) -> None:
        at = {message["t"]: when for when, message in reversed(case.heard)}
        first = min((at[t] for t in ("line_started", "line_done", "line_failed") if t in at), default=0.0)
        over = next(when for when, message in case.heard if message is end)
        self.latest = max(self.latest, over / self.scale)
        if over > 20.0 * self.scale + SLACK:
            self._bad("over 20 s", case)
        if first > 8.0 * self.scale + SLACK:
            self._bad("without a word by 8 s", case)
        if first > 1.5 * self.scale + SLACK and at.get("line_thinking", 1e9) > 1.5 * self.scale + SLACK:
            self._bad("without a thinking bark by 1.5 s", case)

    def _memory(self, case: Case, end: dict[str, Any], shown: str, host: Host) -> None:
        kept = [memory for memory in host._npcs[case.npc].recall._memories if memory.turn == case.line]
        heard = [memory for memory in kept if memory.kind == "heard"]
        said = [memory for memory in kept if memory.kind == "said"]
        if len(heard) != 1:
            self._bad("lost or doubled in memory: what the player said", case)
        if len(said) != bool(end["text"]) or (said and said[0].text != end["text"]):
            self._bad("remembered otherwise than it was shown", case)

    def _bad(self, what: str, case: Case) -> None:
        self.bad[what] += 1
        self.examples.setdefault(what, []).append(f"{case.index} ({case.kind}, {case.phase})")


ZEROS = (
    "without a terminal event", "with more than one terminal event", "with events after the end",
    "that failed with words, or without a bark", "whose end differs from its deltas", "out of order or doubled",
    "passed off as whole", "with a doubled action", "never or twice accepted", "over 20 s", "without a word by 8 s",
    "without a thinking bark by 1.5 s", "lost or doubled in memory: what the player said",
    "remembered otherwise than it was shown", "lost or doubled on disk",
)  # fmt: skip


def on_disk_otherwise(save: str, cases: list[Case]) -> int:
    """How many turns the save holds otherwise than the game heard them, read by SQLite itself."""
    import apsw

    db = apsw.Connection(save)
    rows: dict[str, list[tuple[str, str]]] = {}
    for turn, kind, text in db.execute("SELECT turn, kind, text FROM memory"):
        rows.setdefault(str(turn), []).append((str(kind), str(text)))
    db.close()
    wrong = 0
    for case in cases:
        end = next((message for _, message in case.heard if message["t"] in ("line_done", "line_failed")), None)
        said = [text for kind, text in rows.get(case.line, []) if kind == "said"]
        heard = [text for kind, text in rows.get(case.line, []) if kind == "heard"]
        wrong += len(heard) != 1 or said != ([end["text"]] if end and end["text"] else [])
    return wrong
