"""A model that speaks from a script: the same words each time, with faults on demand. Reads no mind and no network.

Tests, demos and docs use it. A script is a list of replies; a reply is words and, between them, whatever else a line
may hold: a pause, a stage direction, an action, a failure::

    replies:
      - "Evening."                              # said first, then the next; after the last one, the first again
      - when: mine                              # said whenever the player's line holds this
        say: ["The mine? ", {wait: 0.3}, {emotion: sad}, "Shut.", {call: ring, args: {bell: east}}]
      - when: /road|bridge/                     # between slashes: a regular expression
        say: ["Well, ", {fail: timeout}]
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import yaml

from townsfolk.errors import HINTS, ModelError, UsageError
from townsfolk.models.base import Call, Emit, Health, Mood, Request, Spoken, Text
from townsfolk.persona import Persona

__all__ = ["Fail", "Reply", "Scripted", "Wait"]

_WORDS: Final = re.compile(r"\s*\S+\s*")
_NAME: Final = "scripted"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing comes for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The model fails here."""

    code: str
    message: str = "The script fails here."
    fatal: bool = False


Step: TypeAlias = Text | Mood | Call | Wait | Fail


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted line.

    Attributes:
        steps: What happens, in order.
        when: Said whenever this is found in the player's line; without it, replies are said in turn.
        reason: How the line ends.
    """

    steps: tuple[Step, ...]
    when: re.Pattern[str] | None = None
    reason: Literal["stop", "length", "bark"] = "stop"

    @classmethod
    def of(cls, *steps: str | Step, when: str | None = None) -> Reply:
        """A reply of words and other steps. Words come one by one, as from a language model."""
        made: list[Step] = []
        for step in steps:
            made.extend(map(Text, _WORDS.findall(step)) if isinstance(step, str) else [step])
        return cls(tuple(made), None if when is None else _pattern(when))


class Scripted:
    """Speaks from a script.

    Args:
        replies: The script: a list of replies, or a mapping from what the player's line holds to the reply. Each is a
            plain string, a :class:`Reply`, or data as in the module's docstring. Replies with ``when`` are looked at
            first; the others are said in turn. Where none fits, and without a script, the character says one of its
            own barks: the request's seed decides which.
        pace_s: A pause before each word.
    """

    name = _NAME

    def __init__(self, replies: Sequence[Any] | Mapping[str, Any] = (), *, pace_s: float = 0.0) -> None:
        if isinstance(replies, str):
            replies = [replies]
        if isinstance(replies, Mapping):
            made = [_with_when(_reply(reply, f"replies.{when}"), when) for when, reply in replies.items()]
        else:
            made = [_reply(reply, f"replies[{n}]") for n, reply in enumerate(replies)]
        self._fitting = [reply for reply in made if reply.when is not None]
        self._in_turn = [reply for reply in made if reply.when is None]
        self._pace_s = pace_s
        self._spoken = 0

    @classmethod
    def from_data(cls, data: object) -> Scripted:
        """A script as plain data: the list or mapping of replies, or ``{replies: ..., pace_s: ...}``."""
        if isinstance(data, Mapping) and "replies" in data:
            if extra := set(data) - {"replies", "pace_s"}:
                raise _mistake(f"A script has no {sorted(map(str, extra))[0]!r}; it has replies and pace_s.")
            pace_s = data.get("pace_s", 0.0)
            if not isinstance(pace_s, int | float) or pace_s < 0:
                raise _mistake("pace_s: a number of seconds was expected.")
            return cls(_script(data["replies"]), pace_s=float(pace_s))
        return cls(_script(data))

    @classmethod
    def from_file(cls, path: str | Path) -> Scripted:
        """A script in a YAML or JSON file."""
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise _mistake(f"The script {path} cannot be read: {' '.join(str(error).split())}.") from None
        try:
            return cls.from_data(data)
        except UsageError as error:
            raise UsageError(error.code, f"{path}: {error.message}", hint=error.hint) from None

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        reply = self._choose(request)
        said = False
        for n, step in enumerate(reply.steps):
            match step:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Fail(code, message, fatal):
                    raise ModelError(code, message, fatal=fatal)
                case Text():
                    await asyncio.sleep(self._pace_s)
                    said = True
                    emit(step)
                case Call(id, name, args):
                    emit(Call(id or f"call-{n}", name, args))
                case Mood():
                    emit(step)
        if not said:
            raise ModelError("empty_reply", "The script has no words here.")
        return Spoken(_NAME, reply.reason)

    async def warm(self, persona: Persona) -> None:
        """Nothing to prepare."""

    async def health(self) -> Health:
        replies = len(self._fitting) + len(self._in_turn)
        return Health(True, f"{replies} scripted replies" if replies else "no script: the characters' barks")

    async def close(self) -> None:
        """Nothing to give back."""

    def _choose(self, request: Request) -> Reply:
        for reply in self._fitting:
            if reply.when is not None and reply.when.search(request.text):
                return reply
        if self._in_turn:
            self._spoken += 1
            return self._in_turn[(self._spoken - 1) % len(self._in_turn)]
        lines = request.persona.barks.deflect
        line = Reply.of(lines[request.seed % len(lines)])
        return Reply(line.steps, reason="bark")


def _script(data: object) -> Sequence[Any] | Mapping[str, Any]:
    if data is None:
        return ()
    if isinstance(data, str | list | tuple | Mapping):
        return data
    raise _mistake("A script is a list of replies, or a mapping from what the player says to the reply.")


def _with_when(reply: Reply, when: object) -> Reply:
    return Reply(reply.steps, _pattern(str(when)), reply.reason)


def _pattern(when: str) -> re.Pattern[str]:
    is_regex = len(when) > 2 and when.startswith("/") and when.endswith("/")
    try:
        return re.compile(when[1:-1] if is_regex else re.escape(when), re.IGNORECASE)
    except re.error as error:
        raise _mistake(f"{when} is no regular expression: {error}.") from None


def _reply(data: object, place: str) -> Reply:
    match data:
        case Reply():
            return data
        case str():
            return Reply.of(data)
        case list() | tuple():
            return Reply.of(*(_step(step, f"{place}[{n}]") for n, step in enumerate(data)))
        case {"say": say, **rest}:
            when = rest.pop("when", None)
            if rest:
                raise _mistake(f"{place}: a reply has no {next(iter(rest))!r}; it has say and when.")
            reply = _reply(say, f"{place}.say")
            return reply if when is None else _with_when(reply, when)
    raise _mistake(f"{place}: a reply was expected: words, a list of steps, or a mapping with `say`.")


def _step(data: object, place: str) -> str | Step:
    match data:
        case str() | Text() | Mood() | Call() | Wait() | Fail():
            return data
        case {"wait": int() | float() as seconds, **rest} if not rest and seconds >= 0:
            return Wait(float(seconds))
        case {"emotion": str() as name, **rest} if not rest:
            return Mood("emotion", name)
        case {"gesture": str() as name, **rest} if not rest:
            return Mood("gesture", name)
        case {"call": str() as name, "args": Mapping() as args, **rest} if not rest:
            return Call("", name, dict(args))
        case {"call": str() as name, **rest} if not rest:
            return Call("", name, {})
        case {"fail": str() as code, **rest} if not set(rest) - {"message", "fatal"}:
            if code not in HINTS:
                raise _mistake(f"{place}: {code!r} is no error code; see docs/errors.md.")
            message = str(rest.get("message", "The script fails here."))
            return Fail(code, message, bool(rest.get("fatal", False)))
    raise _mistake(
        f"{place}: a step was expected: words, or one of wait, emotion, gesture, call (with args), fail (a code)."
    )


def _mistake(message: str) -> UsageError:
    return UsageError("bad_argument", message, hint="See the scripts in docs/models.md.")
