"""The demo's arguments, and where it plays: in a window, or in the terminal where there can be none. Draws nothing."""

from __future__ import annotations

import argparse
import importlib
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main", "no_window", "parser"]

_HERE = Path(__file__).parent
_INSTALL = "pip install 'townsfolk[demo]'"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="demo_game", description="An evening in Ashwick: six people who remember.")
    top.add_argument("--characters", default="characters", help="the folder of personas (default: characters)")
    top.add_argument("--save", default="saves/demo.db", help="the file that memory is kept in (default: saves/demo.db)")
    top.add_argument("--model", default="auto", help="what speaks, as in `townsfolk talk` (default: auto)")
    top.add_argument("--name", default="player", help="your name, as the characters remember it")
    top.add_argument("--npc", default="tamsin", help="whom you meet first (default: tamsin)")
    top.add_argument("--size", default="1280x720", help="of the window (default: 1280x720)")
    where = top.add_mutually_exclusive_group()
    where.add_argument("--window", action="store_true", help="a window, even when standard input is a pipe")
    where.add_argument("--terminal", action="store_true", help="the terminal, even where there is a display")
    where.add_argument(
        "--headless",
        metavar="SECONDS_OR_SCRIPT",
        help="no window: play for so long, or play a script such as demo_game/evening.txt, and leave",
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Plays; returns the exit status."""
    args = parser().parse_args(argv)
    if args.characters == "characters" and not Path(args.characters).is_dir():
        args.characters = str(_HERE.parent / "characters")
    if args.headless is not None:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    reason = "asked for" if args.terminal else no_window(piped=_piped() and not (args.window or args.headless))
    if not reason:
        # pygame is loaded only where it is there.
        from demo_game.app import NoWindowError, play
        from townsfolk import TownsfolkError

        try:
            return play(args)
        except NoWindowError as error:
            reason = f"no display: {error}"
        except TownsfolkError as error:
            print(f"demo_game: {error}", file=sys.stderr)
            return 2
    if reason not in ("piped", "asked for"):
        print(f"No window: {reason}. The terminal it is.", file=sys.stderr)
    return _terminal(args)


def no_window(*, piped: bool) -> str:
    """Why there can be no window here; empty when there can be one."""
    if piped:
        return "piped"
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        # An uninstalled pygame-ce can leave an empty folder behind that imports well and holds nothing.
        missing = not hasattr(importlib.import_module("pygame"), "init")
    except ImportError:
        missing = True
    if missing:
        return f"pygame is missing ({_INSTALL})"
    asks_x = sys.platform not in ("win32", "darwin")
    if asks_x and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")):
        return "there is no display"
    return ""


def _piped() -> bool:
    """Whether somebody feeds standard input: a pipe, a file or a socket, and no terminal and no /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # started from a desktop: there is none
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _terminal(args: argparse.Namespace) -> int:
    from townsfolk.cli import main as townsfolk

    known = (Path(args.characters) / args.npc / "persona.yaml").is_file()
    command = ["talk", *([args.npc] if known else []), "--player", args.name, "--model", args.model]
    return townsfolk([*command, "--characters", args.characters, "--save", args.save])
