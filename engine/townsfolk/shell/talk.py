"""Talking with a character in the terminal, or from lines on standard input. One more client of the engine."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from townsfolk.client import Engine
from townsfolk.errors import TownsfolkError, UsageError
from townsfolk.events import (
    ActionRequested,
    Answer,
    Cue,
    LineDelta,
    LineDone,
    LineFailed,
    LineStarted,
    LineThinking,
    Status,
)

__all__ = ["talk", "why"]

_HELP: Final = """\
/why        what the character was told for its last line, and what it recalled
/why WORDS  what it would be told for these words
/memory     what it remembers
/who        who is here
/to NAME    talk with somebody else
/save       where this conversation is kept
/quit       leave (also Ctrl-D)"""
_READY_WITHIN: Final = 60.0
_LINE_WITHIN: Final = 120.0


def talk(name: str | None, *, characters: str, save: str, model: str, player: str, options: Mapping[str, Any]) -> int:
    """Runs the conversation until it is left; returns the exit status."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    with Engine.open(characters, save=save, model=model, player=player, options=options) as engine:
        terminal = _Terminal(engine, name, save, interactive)
        if not terminal.begin():
            return 2
        for line in _lines(interactive, terminal.prompt):
            if not terminal.take(line):
                break
        terminal.end()
    return terminal.status


def why(
    name: str, text: str, *, characters: str, save: str, model: str, player: str, options: Mapping[str, Any]
) -> int:
    """Prints what a character would be told for a player's line, without saying it."""
    with Engine.open(characters, save=save, model=model, player=player, options=options) as engine:
        terminal = _Terminal(engine, name, save, False)
        if not terminal.begin():
            return 2
        terminal.why(text)
    return terminal.status


class _Terminal:
    """The screen and what is typed. ``status`` is the exit status so far."""

    def __init__(self, engine: Engine, npc: str | None, save: str, interactive: bool) -> None:
        self._engine = engine
        self._npc = npc or ""
        self._save = save
        self._interactive = interactive
        self.status = 0

    @property
    def prompt(self) -> str:
        return "\n\001\033[1;36m\002You:\001\033[0m\002 "

    def begin(self) -> bool:
        """Waits until the characters are there; says what keeps them away if they are not."""
        deadline = time.monotonic() + _READY_WITHIN
        while not self._engine.npcs and time.monotonic() < deadline:
            for event in self._engine.wait(0.25):
                if isinstance(event, Status) and event.code != "ready":
                    self._tell(event)
                    if event.code in (
                        "persona_invalid",
                        "no_characters",
                        "host_failed",
                        "bad_argument",
                        "no_such_model",
                    ):
                        return False
        npcs = self._engine.npcs
        if not npcs:
            raise TownsfolkError("timeout", f"the engine was not ready within {_READY_WITHIN:.0f} s")
        self._npc = self._npc or next(iter(npcs))
        if self._npc not in npcs:
            known = ", ".join(npcs)
            raise UsageError("unknown_npc", f"there is no character {self._npc!r}", hint=f"There are: {known}.")
        self._engine.warm(self._npc)
        if self._interactive:
            print(f"{self._name(self._npc)}, {npcs[self._npc]['role']}. {self._dim('/help for more; Ctrl-D leaves.')}")
        return True

    def take(self, line: str) -> bool:
        """One typed line; returns False when it was the last."""
        command, _, rest = line.strip().partition(" ")
        match command:
            case "":
                return True
            case "/quit" | "/exit":
                return False
            case "/help":
                print(_HELP)
            case "/why":
                self.why(rest.strip())
            case "/memory":
                self._memory()
            case "/save":
                path = Path(self._save).resolve()
                print(f"Every line is on disk as soon as it is said, in {path} ({path.stat().st_size:,} bytes).")
            case "/who":
                for id, npc in self._engine.npcs.items():
                    print(f"  {id:12} {npc['name']}" + (f", {npc['role']}" if npc["role"] else ""))
            case "/to" if rest.strip() in self._engine.npcs:
                self._npc = rest.strip()
                self._engine.warm(self._npc)
                print(f"Now you face {self._name(self._npc)}, {self._engine.npcs[self._npc]['role']}.")
            case _ if command.startswith("/"):
                print(f"There is no {line.strip()!r} here.\n{_HELP}")
            case _:
                self._say(line)
        return True

    def end(self) -> None:
        if self._interactive:
            print(self._dim(f"\nKept in {self._save}."))

    def why(self, text: str) -> None:
        data = self._answer(self._engine.why(self._npc, text or None))
        if "error" in data and "parts" not in data:
            print(data["error"])
            return
        print(f"{data['tokens']} of {data['budget']} tokens")
        for part in data["parts"]:
            cut = f"  ({part['cut']})" if part["cut"] else ""
            print(f"\n[{part['name']}] {part['tokens']} tokens{cut}\n{part['text']}")
        print("\n[recalled]" if data["recalled"] else "\n[recalled] nothing")
        for each in data["recalled"]:
            print(f"  {each['score']:.2f}  {each['text']}  ({'; '.join(each['reasons'])})")
        for label in ("model", "topic", "error"):
            if data[label]:
                print(f"[{label}] {data[label]}")
        for note in data["notes"]:
            print(f"  {note}")

    def _memory(self) -> None:
        data = self._answer(self._engine.memory(self._npc))
        print(f"{self._name(self._npc)} remembers {data['total']} things" + (":" if data["memories"] else "."))
        names = {self._engine.player: "You", self._npc: self._name(self._npc)}
        for memory in data["memories"]:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(memory["at"]))
            who = names.get(memory["speaker"], memory["speaker"])
            cut = " (cut off)" if memory["ending"] == "interrupted" else ""
            print(f"  {when}  {who + ': ' if who else ''}{memory['text']}{cut}")

    def _say(self, text: str) -> None:
        line = self._engine.say(self._npc, text)
        name = self._name(self._npc)
        paper = _Paper(shutil.get_terminal_size().columns if self._interactive else 0)
        mood = ""
        wishes: list[str] = []
        try:
            for event in self._engine.until(line, _LINE_WITHIN):
                match event:
                    case Cue(kind="emotion", name=cue) if self._interactive:
                        mood = f" ({cue})"
                    case LineThinking(text=bark) if self._interactive:
                        print(self._dim(f"({bark})"))
                    case LineStarted():
                        paper.write(f"{name}{mood}: ", self._bold(name) + self._dim(mood) + ": ")
                    case LineDelta(text=more):
                        paper.write(more)
                    case LineDone(reason=reason, model=model):
                        mark = " [offline model]" if model.startswith("local:") else ""
                        print(self._dim(mark + (" --" if reason == "interrupted" else "")))
                        for wish in wishes:
                            print(self._dim(f"[{name} wants to {wish}]"))
                    case LineFailed(text=bark, code=code, message=message, hint=hint):
                        if bark:
                            print(self._bold(f"{name}: ") + bark)
                        self._tell(Status(code, message, hint))
                    case Status():
                        self._tell(event)
                    case ActionRequested(name=action, args=args):
                        told = ", ".join(f"{key} {value}".replace("_", " ") for key, value in args.items())
                        wishes.append(action.replace("_", " ") + (f": {told}" if told else ""))
        except KeyboardInterrupt:  # the player cuts in
            self._engine.cancel(line)
            for _ in self._engine.until(line, 2):
                pass
            print(self._dim(" --"))

    def _answer(self, request: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _LINE_WITHIN
        while time.monotonic() < deadline:
            for event in self._engine.wait(0.25):
                if isinstance(event, Answer) and event.request == request:
                    return event.data
                if isinstance(event, Status):
                    self._tell(event)
                    if event.code in ("host_lost", "host_failed"):
                        raise TownsfolkError(event.code, event.message)
        raise TownsfolkError("timeout", "the engine gave no answer")

    def _tell(self, status: Status) -> None:
        if status.code == "ready":
            return
        if status.code not in ("save_ok",):
            self.status = 1
        print(self._dim(f"({status.message} [{status.code}] {status.hint})"), file=sys.stderr, flush=True)

    def _name(self, npc: str) -> str:
        return str(self._engine.npcs[npc]["name"]) if npc in self._engine.npcs else npc

    def _bold(self, text: str) -> str:
        return f"\033[1;33m{text}\033[0m" if self._interactive else text

    def _dim(self, text: str) -> str:
        return f"\033[2m{text}\033[0m" if self._interactive and text else text


class _Paper:
    """Writes a line as it comes, and breaks it between words where the terminal ends. ``width`` 0 never breaks."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0

    def write(self, text: str, styled: str = "") -> None:
        """Writes more of the line; ``styled`` is the same text with colours."""
        for word in [text] if styled else re.findall(r"\s*\S*", text):
            if self._width and self._column + len(word.rstrip()) >= self._width and self._column:
                print("\n  ", end="")
                word, self._column = word.lstrip(), 2
            print(styled or word, end="", flush=True)
            self._column += len(word)


def _lines(interactive: bool, prompt: str) -> Iterator[str]:
    if not interactive:
        yield from sys.stdin
        return
    with contextlib.suppress(ImportError):  # gives input() its history and editing keys
        import readline  # noqa: F401
    while True:
        try:
            yield input(prompt)
        except (EOFError, KeyboardInterrupt):
            return
