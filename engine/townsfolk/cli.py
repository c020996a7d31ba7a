"""The `townsfolk` command: its arguments, and where each goes. The commands themselves are in `shell/` and `host/`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from townsfolk import __version__
from townsfolk.errors import PersonaError, TownsfolkError, UsageError
from townsfolk.keyshape import no_keys
from townsfolk.ledger import BY
from townsfolk.router import CHOICES

__all__ = ["main", "parser"]

_MODEL_HELP = f"what speaks: {', '.join(CHOICES)}; scripted:FILE speaks from a script (default: auto)"


def parser() -> argparse.ArgumentParser:
    """The command's arguments; docs/cli.md is made from them."""
    top = argparse.ArgumentParser(prog="townsfolk", description="Characters that talk.")
    top.add_argument("--version", action="version", version=f"townsfolk {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    talk = commands.add_parser("talk", help="talk with a character in the terminal")
    talk.add_argument("name", nargs="?", help="the character's id; the first one when absent")
    _host_options(talk, save="saves/talk.db")
    talk.add_argument("--player", default="player", help="the player's id in memories (default: player)")

    why = commands.add_parser("why", help="show what a character would be told for a player's line")
    why.add_argument("name", help="the character's id")
    why.add_argument("text", help="what the player says")
    _host_options(why, save="saves/talk.db")
    why.add_argument("--player", default="player", help="the player's id in memories (default: player)")

    check = commands.add_parser("check", help="find every mistake in a folder of characters")
    check.add_argument("characters", nargs="?", default="characters", help="the folder (default: characters)")

    new = commands.add_parser("new", help="start a game folder: two characters, lore, a main.py")
    new.add_argument("folder", help="a new or empty folder")

    doctor = commands.add_parser("doctor", help="say which models are available, and why not")
    _host_options(doctor, save=None)
    doctor.add_argument("--json", action="store_true", help="print one JSON object")

    secret = commands.add_parser("secret", help="make a short-lived key for a realtime client; see docs/vendors.md")
    secret.add_argument("--minutes", type=float, default=10.0, help="how long it is good (default: 10; at most 120)")
    secret.add_argument("--npc", help="the character that a session with it is, unless the client says otherwise")
    _host_options(secret, save=None)
    secret.add_argument("--json", action="store_true", help="print one JSON object")

    simulate = commands.add_parser("simulate", help="run a realtime server on this machine that needs no key")
    simulate.add_argument("--port", type=int, default=8765, help="where to listen (default: 8765; 0: a free one)")
    simulate.add_argument("--characters", default="characters", help="whose lines it speaks (default: characters)")

    cost = commands.add_parser("cost", help="show what paid models took, and what it would cost at other prices")
    cost.add_argument("save", nargs="?", help="the save whose use is shown; none shows the what-if tables alone")
    cost.add_argument("--by", choices=BY, default="model", help="what the use is summed by (default: model)")
    cost.add_argument(
        "--what-if", metavar="PRICES", default="0.05,0.15",
        help="other prices, US dollars a million tokens: one number for all tokens, or IN/OUT (default: 0.05,0.15)",
    )  # fmt: skip
    cost.add_argument("--lines-per-hour", type=float, default=60.0, help="of one player (default: 60)")
    cost.add_argument("--json", action="store_true", help="print one JSON object")

    models = commands.add_parser("models", help="list the models of the catalogue: context, prices, shutdown dates")
    models.add_argument("--json", action="store_true", help="print one JSON object")

    serve = commands.add_parser("serve", help="run the bridge: one host for games on other engines")
    serve.add_argument("--tcp", default="127.0.0.1:7777", help="where to listen (default: 127.0.0.1:7777)")
    serve.add_argument("--token-file", help="a file with the token that every client must show")
    _host_options(serve, save="saves/world.db")

    host = commands.add_parser("host")  # what Engine.open() starts; not for people
    host.add_argument("--config", required=True)
    where = host.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int)
    where.add_argument("--shared", action="store_true")
    return top


def _host_options(command: argparse.ArgumentParser, *, save: str | None) -> None:
    command.add_argument("--characters", default="characters", help="the folder of personas (default: characters)")
    if save:
        command.add_argument("--save", default=save, help=f"the file that memory is kept in (default: {save})")
    command.add_argument("--model", default="auto", help=_MODEL_HELP)
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the host, such as realtime_url=ws://127.0.0.1:8765/v1; see docs/embedding.md",
    )


def _options(settings: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0 fine, 1 mistakes found, 2 it could not be done."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if hasattr(stream, "reconfigure"):  # a terminal of another encoding shows a question mark, never a traceback
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        return _run(args)
    except PersonaError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        print(f"townsfolk: {error}", file=sys.stderr)
        return 2
    except TownsfolkError as error:
        print(f"townsfolk: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `townsfolk check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _run(args: argparse.Namespace) -> int:
    match args.command:
        case "talk":
            from townsfolk.shell.talk import talk

            return talk(args.name, **_conversation(args))
        case "why":
            from townsfolk.shell.talk import why

            return why(args.name, args.text, **_conversation(args))
        case "check":
            return _check(args.characters)
        case "new":
            from townsfolk.new import create_game

            for path in create_game(args.folder):
                print(path)
            print(f"\nNow: cd {args.folder} && python main.py")
        case "doctor":
            from townsfolk.shell.doctor import doctor

            config = {"characters": args.characters, "model": args.model, **_options(args.set)}
            return asyncio.run(doctor(config, as_json=args.json))
        case "secret":
            from townsfolk.shell.secret import secret

            config = {"characters": args.characters, "model": args.model, **_options(args.set)}
            return asyncio.run(secret(config, minutes=args.minutes, npc=args.npc, as_json=args.json))
        case "cost":
            from townsfolk.shell.cost import cost

            cost(args.save, by=args.by, prices=args.what_if, lines_per_hour=args.lines_per_hour, as_json=args.json)
        case "models":
            from townsfolk.shell.cost import models

            models(as_json=args.json)
        case "simulate":
            from townsfolk.shell.simulate import simulate

            asyncio.run(simulate(args.characters, args.port))
        case "serve":
            asyncio.run(_serve(args))
        case "host":
            _host(args)
    return 0


def _conversation(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "characters": args.characters,
        "save": args.save,
        "model": args.model,
        "player": args.player,
        "options": _options(args.set),
    }


def _check(folder: str) -> int:
    from townsfolk.cast import check_cast

    problems = check_cast(folder)
    for problem in problems:
        print(problem)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    print(f"{errors} {'error' if errors == 1 else 'errors'}, {warnings} {'warning' if warnings == 1 else 'warnings'}")
    return 1 if errors else 0


async def _serve(args: argparse.Namespace) -> None:
    from townsfolk.host.config import Config
    from townsfolk.host.server import serve_tcp

    host, _, port = args.tcp.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise UsageError("bad_argument", f"{args.tcp!r} is no address", hint="Give one like 127.0.0.1:7777.")
    token = await asyncio.to_thread(_token, args.token_file) if args.token_file else ""
    config = Config.read({"characters": args.characters, "save": args.save, "model": args.model, **_options(args.set)})
    serving = asyncio.current_task()
    assert serving is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serve_tcp(
            config,
            (host.strip("[]"), int(port)),
            token=token,
            ready=lambda url: print(f"listening on {url}", flush=True),
        )


def _host(args: argparse.Namespace) -> None:
    from townsfolk.host.server import serve_socket

    # The game decides when the host ends; Ctrl-C in its terminal goes to both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shared: Any = getattr(socket, "fromshare", None)  # Windows
    sock = shared(sys.stdin.buffer.read()) if args.shared else socket.socket(fileno=args.fd)
    serve_socket(sock, json.loads(args.config))


def _token(file: str) -> str:
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("bad_token", f"the token file cannot be read: {error}") from None
    no_keys(token_file=token)  # every client would have to show it
    return token
