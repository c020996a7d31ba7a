"""Writes the pages that are made from code: docs/protocol.md, cli.md and errors.md. `--check` only compares."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from townsfolk.cli import parser
from townsfolk.errors import HINTS
from townsfolk.wire.codec import MAX_DEPTH, MAX_FRAME, MAX_KEYS, MAX_TEXT
from townsfolk.wire.protocol import MAX_LINE, MESSAGES, PROTOCOL

DOCS = Path(__file__).parents[1] / "docs"


_PROTOCOL = f"""\
# The protocol

Version {PROTOCOL[0]}.{PROTOCOL[1]}. While the major number is 0, client and host must have the same version.

A game connects over TCP (`townsfolk serve`) and sends frames: a 4-byte big-endian length and that many bytes of
msgpack. A frame holds one message (a map with a `t` for its type) or a batch (an array of messages), which the host
sends at most every 8 ms. `hello` is the first message, within 5 seconds; the host answers `welcome`, or `error` with
`fatal` and closes. Unknown fields are ignored; an unknown type is an `error` that is not fatal.

Limits: {MAX_FRAME:,} bytes a frame, {MAX_TEXT:,} bytes a string, {MAX_KEYS} keys a map, {MAX_DEPTH} levels,
{MAX_LINE:,} characters a player line. Numbers are finite and fit into 64 bits; keys are text; there are no extension
types.

Promises: the events of one line come in order: `line_started`, then deltas, cues and actions where they belong in the
line, then exactly one `line_done` or `line_failed`. `line_accepted` comes once the player's line is on disk, before or
after the first deltas. `line_done` repeats the whole text, and comes after that is on disk. Nothing is promised about
the order between lines.
"""
_ERRORS = """\
# Errors

Every error has a code, which stays the same, and a hint. A mistake of the program raises at the call; what goes wrong
while a game runs arrives as a `Status` or `LineFailed` event. Mistakes in persona files have codes of their own:
[problems.md](problems.md).

| code | what to do |
|---|---|
"""


def protocol() -> str:
    """The wire, message by message."""
    lines = [_PROTOCOL]
    for sender, title in (("game", "From the game"), ("host", "From the host")):
        lines += [f"## {title}", ""]
        for t, message in MESSAGES.items():
            if message.sender == sender:
                lines += [f"### {t}", "", message.doc, ""]
                if message.fields:
                    lines += ["| field | kind | |", "|---|---|---|"]
                    for name, field in message.fields.items():
                        kind = field.kind + ("" if field.required else ", optional")
                        model = " **Reaches the model.**" if field.reaches_model else ""
                        lines.append(f"| `{name}` | {kind} | {field.doc}{model} |")
                    lines.append("")
    lines += ["The codes of `error`, `status` and `line_failed` are in [errors.md](errors.md).", ""]
    return "\n".join(lines)


def errors() -> str:
    """Every code and what to do about it."""
    return _ERRORS + "".join(f"| `{code}` | {hint} |\n" for code, hint in HINTS.items())


def cli() -> str:
    """The command and its options."""
    top = parser()
    [commands] = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    lines = ["# The command line", ""]
    for choice in commands._choices_actions:
        if choice.help:
            lines += [
                f"## townsfolk {choice.dest}",
                "",
                "```",
                commands.choices[choice.dest].format_help().rstrip(),
                "```",
                "",
            ]
    return "\n".join(lines)


PAGES: dict[str, Callable[[], str]] = {"protocol.md": protocol, "errors.md": errors, "cli.md": cli}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    check = options.parse_args().check
    os.environ["COLUMNS"] = "100"  # argparse wraps to the terminal
    stale = [name for name, make in PAGES.items() if not _same(DOCS / name, make())]
    for name in stale:
        if not check:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"{name} {'is out of date: run python tools/make_docs.py' if check else 'written'}")
    return 1 if check and stale else 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
