"""The game's side: say what the player said, poll for what characters answer. Never blocks, never raises at run time.

A programmer's mistake raises :exc:`UsageError` at the call; all that can go wrong while the game runs arrives as an
event with a code and a hint. The engine itself is elsewhere (see ``transports.py``): this module only talks with it.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from townsfolk.errors import UsageError
from townsfolk.events import Event, LineDone, LineFailed
from townsfolk.ids import line_ids
from townsfolk.keyshape import no_keys
from townsfolk.session import BACKOFF, Session
from townsfolk.transports import ProcessTransport, TcpTransport, ThreadTransport, Transport
from townsfolk.uploads import pieces_of
from townsfolk.wire.codec import Message
from townsfolk.wire.protocol import MAX_LINE

__all__ = ["Engine"]

_SPEECH: Final = 32_000
"""Bytes of sound in one message, at most."""


class Engine:
    """Characters that talk, for one game.

    Example::

        with Engine.open("characters", save="saves/slot1.db") as engine:
            line = engine.say("tamsin", "Is the mine road safe?")
            while running:
                for event in engine.poll():
                    ...

    Use it from one thread. All times are in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        player: str = "player",
        token: str | None = None,
        backoff: Sequence[float] = BACKOFF,
    ) -> None:
        """Use :meth:`open` or :meth:`connect`; this takes any transport, and a backoff of one's own."""
        no_keys(player=player, token=token)
        self.player = player
        self._ids = line_ids(uuid.uuid4().hex[:12])
        self._closed = False
        self._session = Session(transport, token, backoff)

    @classmethod
    def open(
        cls,
        characters: str | Path,
        *,
        save: str | Path | None = None,
        model: str = "auto",
        player: str = "player",
        host: Literal["process", "thread"] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Engine:
        """Starts a host beside the game. Returns at once; lines said before it is ready wait for it.

        Args:
            characters: The folder of personas.
            save: The file that memory is kept in; None keeps nothing after the game.
            model: What speaks: ``auto``, ``realtime``, ``text``, ``local``, ``authored``, ``scripted``, ``simulator``.
            player: The player's id in memories, where a call names no other.
            host: ``process``, or ``thread`` to run it in this process (what a frozen build does by default).
            options: Settings of the host by name; see docs/embedding.md.

        Raises:
            UsageError: ``characters`` is no folder of personas, or an argument makes no sense.
        """
        no_keys(options=options, characters=str(characters), save=str(save), model=model, player=player)
        folder = Path(characters)
        if not any(folder.glob("*/persona.yaml")):
            raise UsageError("no_characters", f"{str(folder)!r} holds no character")
        if host is None:
            host = "thread" if getattr(sys, "frozen", False) else "process"
        config = {
            **(options or {}),
            "characters": str(folder.resolve()),
            "save": str(Path(save).resolve()) if save is not None else None,
            "model": model,
        }
        if host == "process":
            return cls(ProcessTransport(config), player=player)
        if host == "thread":
            return cls(ThreadTransport(config), player=player)
        raise UsageError("bad_argument", f"host is 'process' or 'thread', not {host!r}")

    @classmethod
    def connect(cls, address: str, *, token: str | None = None, player: str = "player") -> Engine:
        """Joins a running bridge, such as ``tcp://127.0.0.1:7777``. Returns at once.

        Raises:
            UsageError: The address cannot be read, or the token is an API key (``key_given``).
        """
        no_keys(address=address, token=token)
        return cls(TcpTransport(address), player=player, token=token)

    # --- what a game says ---------------------------------------------------------------------------------------

    def say(self, npc: str, text: str, *, player: str | None = None) -> str:
        """A player says something to a character; returns the id that all events of the answer carry.

        Args:
            npc: The character's id.
            text: What the player says, at most 4,000 characters.
            player: Who speaks; the engine's ``player`` when absent.
        """
        line = next(self._ids)
        self._alive()
        self._session.open[line] = npc
        self._session.send(
            {"t": "say", "line": line, "npc": npc, "text": _sendable(text), "player": player or self.player}
        )
        return line

    def listen(self, npc: str, *, player: str | None = None, rate: int = 24000, hands_free: bool = False) -> str:
        """A player begins to speak to a character; returns the line's id. Needs the setting ``ear``.

        Send the microphone's sound with :meth:`speech`. `PlayerHeard` tells what is understood; the final one is the
        player's line, and the answer comes under the same id. Lines that still sound to this player are cut.

        Args:
            rate: Samples a second of that sound, 8,000 to 48,000.
            hands_free: The ear finds out when the player begins and stops; otherwise call :meth:`listened`.

        Raises:
            UsageError: The rate is out of range.
        """
        if not 8000 <= rate <= 48000:
            raise UsageError("bad_argument", f"a rate of {rate} samples a second is not between 8,000 and 48,000")
        self._alive()
        line = next(self._ids)
        self._session.open[line] = npc
        sent = {"line": line, "npc": npc, "player": player or self.player, "rate": rate, "hands_free": hands_free}
        self._session.send({"t": "listen", **sent})
        return line

    def speech(self, line: str, pcm: bytes) -> None:
        """More of the player's speech: one channel of signed 16-bit little-endian samples."""
        self._alive()
        if line in self._session.open:
            for start in range(0, len(pcm), _SPEECH):
                self._session.send({"t": "speech", "line": line, "pcm": bytes(pcm[start : start + _SPEECH])})

    def listened(self, line: str) -> None:
        """The player has said all: push-to-talk was let go."""
        self._alive()
        if line in self._session.open:
            self._session.send({"t": "listened", "line": line})

    def observe(self, text: str, *, npcs: Iterable[str] | None = None, image: bytes | str | Path | None = None) -> None:
        """Something happened that the characters ``npcs`` (all when absent) saw or heard, in plain words.

        ``image``, a file or its bytes, shows it to those whose model can see; the words say what it shows.

        Raises:
            UsageError: The image is no PNG or JPEG of at most 1 MiB and 2,048 pixels a side (``bad_picture``).
        """
        self._alive()
        sent: Message = {"t": "observe", "text": _sendable(text)}
        if image is not None:
            pieces = pieces_of(image, text, next(self._ids))
            if self._session.send_picture(pieces):
                sent["picture"] = pieces[0]["id"]
        if npcs is not None:
            sent["npcs"] = list(npcs)
        self._session.send(sent)

    def set(self, facts: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Tells game facts that gates look at: text, numbers, True, False or None.

        Raises:
            UsageError: A value is something else.
        """
        self._alive()
        told = {**(facts or {}), **more}
        for name, value in told.items():
            if value is not None and not isinstance(value, str | int | float | bool):
                raise UsageError("bad_argument", f"the fact {name!r} cannot be a {type(value).__name__}")
        self._session.facts.update(told)
        self._session.send({"t": "set", "facts": told})

    def cancel(self, line: str) -> None:
        """Stops a line; it ends as interrupted with what was said of it. One that has ended stays as it is.

        Of a voiced line the character remembers what was played: call :meth:`played` first.
        """
        self._alive()
        if line in self._session.open or line in self._session.sounding:
            self._session.send({"t": "cancel", "line": line})

    def played(self, line: str, ms: int) -> None:
        """Tells how much of a voiced line the player has heard; call it a few times a second, and before a cut.

        Args:
            ms: Milliseconds of the line's sound, counted from its beginning.
        """
        self._alive()
        if line in self._session.sounding:
            self._session.send({"t": "played", "line": line, "ms": int(ms)})

    def warm(self, npc: str) -> None:
        """The player may soon talk to this character: makes its model ready, so that its first word comes sooner."""
        self._alive()
        self._session.send({"t": "warm", "npc": npc})

    def why(self, npc: str, text: str | None = None, *, player: str | None = None) -> str:
        """Asks what the character was told for its last line, or would be told for ``text``; an ``Answer`` comes."""
        tried = {"text": _sendable(text)} if text else {}
        return self._ask({"t": "why", "npc": npc, "player": player or self.player, **tried})

    def memory(self, npc: str, *, limit: int = 50) -> str:
        """Asks for the character's newest memories; an ``Answer`` comes."""
        return self._ask({"t": "memory", "npc": npc, "limit": limit})

    # --- what a game hears --------------------------------------------------------------------------------------

    @property
    def npcs(self) -> Mapping[str, Mapping[str, Any]]:
        """Name and role of each character, by id; empty until the status ``ready`` has come."""
        return self._session.npcs

    def poll(self) -> list[Event]:
        """What has happened since the last poll, in order. Call it once a frame: it never blocks and never raises."""
        return self._session.poll()

    def wait(self, seconds: float = 0.05) -> list[Event]:
        """Like :meth:`poll`, but sleeps until something has come, at most so long. For tools without a frame loop."""
        deadline = time.monotonic() + seconds
        while True:
            events = self.poll()
            left = deadline - time.monotonic()
            if events or left <= 0:
                return events
            self._session.sleep(left)

    def until(self, line: str, seconds: float = 60.0) -> Iterator[Event]:
        """The events up to the end of a line, as they come: for tools and tests. Ends early after ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.wait(0.25):
                yield event
                if isinstance(event, LineDone | LineFailed) and event.line == line:
                    return

    # --- the end ------------------------------------------------------------------------------------------------

    def close(self, seconds: float = 5.0) -> None:
        """Ends the host, which keeps everything first; waits for that at most so long. May be called twice."""
        self._closed = True
        self._session.close(seconds)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _alive(self) -> None:
        if self._closed:
            raise UsageError("closed", "the engine was closed")

    def _ask(self, message: Message) -> str:
        self._alive()
        message["id"] = next(self._ids)
        self._session.send(message)
        return str(message["id"])


def _sendable(text: str) -> str:
    """The text without what UTF-8 cannot carry, and cut just over the limit: the host then refuses it in voice."""
    return text[: MAX_LINE + 1].encode("utf-8", "replace").decode()
