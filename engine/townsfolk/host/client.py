"""One game as the host sees it: its open lines, its open ears, and who has the floor. Sends nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from townsfolk.events import Event
from townsfolk.host.openear import OpenEar
from townsfolk.host.pictures import Uploads
from townsfolk.turn import Turn
from townsfolk.wire.events import message

if TYPE_CHECKING:
    from townsfolk.models.base import Purse
    from townsfolk.speech.ports import Ear

__all__ = ["Client"]


class Client:
    """One game that talks with the host.

    Args:
        send: Takes messages for it, and never blocks.

    Attributes:
        turns: Lines that are being answered, or sound.
        ears: Lines that are being listened to.
        uploads: Pictures that it is sending.
        floor: Held by the line that sounds: characters of one game do not talk over each other.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.send = send
        self.turns: dict[str, tuple[Turn, asyncio.Task[None]]] = {}
        self.ears: dict[str, tuple[OpenEar, asyncio.Task[str]]] = {}
        self.uploads = Uploads()
        self.floor = asyncio.Lock()

    def emit(self, event: Event) -> None:
        self.send(message(event))

    def cancel(self, line: str) -> None:
        """The player walks off, or cuts in."""
        if line in self.turns:
            self.turns[line][1].cancel()
        elif line in self.ears:
            self.ears[line][1].cancel()

    def cut(self) -> None:
        """Cuts all that is open."""
        for line in [*self.turns, *self.ears]:
            self.cancel(line)

    def played(self, line: str, ms: int) -> None:
        """So much of a voiced line has been played."""
        if line in self.turns:
            self.turns[line][0].hearing.played(ms, asyncio.get_running_loop().time())

    def listen(
        self, ear: Ear, line: str, npc: str, player: str,
        *, rate: int, hands_free: bool, ended: Callable[[asyncio.Task[str]], None], purse: Purse | None = None,
    ) -> None:  # fmt: skip
        """Opens an ear; ``ended`` is called with the task that has listened."""

        def barged_in() -> None:
            for turn, task in list(self.turns.values()):
                if turn.player == player and turn.hearing:
                    task.cancel()

        opened = OpenEar(
            ear, line, npc, rate=rate, hands_free=hands_free, emit=self.emit, barged_in=barged_in, purse=purse
        )  # fmt: skip
        task = asyncio.get_running_loop().create_task(opened.run())
        self.ears[line] = opened, task

        def closed(task: asyncio.Task[str]) -> None:
            del self.ears[line]
            ended(task)

        task.add_done_callback(closed)

    def speech(self, line: str, pcm: bytes) -> None:
        """More of what the player says."""
        if line in self.ears:
            self.ears[line][0].feed(pcm)

    def listened(self, line: str) -> None:
        """The player has said all."""
        if line in self.ears:
            self.ears[line][0].ended()
