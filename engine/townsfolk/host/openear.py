"""One line of a player that is being listened to: sound goes in, the words become the player's line. Hears nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from townsfolk.errors import ModelError
from townsfolk.events import Event, PlayerHeard

if TYPE_CHECKING:
    from townsfolk.models.base import Billed, Purse
    from townsfolk.speech.ports import Ear, Listening

__all__ = ["OpenEar"]

_MOST_S: Final = 60
"""Seconds that one line of speech may last."""
_UNDERSTAND_S: Final = 15.0
"""Seconds that an ear may take to understand it after its end."""


class OpenEar:
    """Listens to one line. What an ear tells goes to the game; :meth:`run` returns the words.

    Args:
        emit: Takes events for the game.
        barged_in: Called when the player begins to speak.
        purse: Pays for it, where the ear costs money.
    """

    def __init__(
        self,
        ear: Ear,
        line: str,
        npc: str,
        *,
        rate: int,
        hands_free: bool,
        emit: Callable[[Event], None],
        barged_in: Callable[[], None],
        purse: Purse | None = None,
    ) -> None:
        self._ear = ear
        self._purse = purse
        self._line = line
        self._npc = npc
        self._rate = rate
        self._hands_free = hands_free
        self._emit = emit
        self._barged_in = barged_in
        self._left = _MOST_S * rate * 2
        self._early: list[bytes] = []  # came while the ear was opened
        self._open: Listening | None = None
        self._over = asyncio.Event()

    async def run(self) -> str:
        """Listens until the player has ended; what was understood, empty if nothing was. Cancelling it closes the ear.

        Raises:
            ModelError: The ear cannot hear or understand.
        """
        if not self._hands_free:
            self._barged_in()
        try:
            async with asyncio.timeout(_UNDERSTAND_S):
                opened = await self._ear.listen(self, rate=self._rate, hands_free=self._hands_free)
        except TimeoutError:
            raise ModelError("timeout", f"the ear {self._ear.name} does not open") from None
        try:
            for pcm in self._early:
                opened.feed(pcm)
            self._early.clear()
            self._open = opened
            await self._over.wait()
            async with asyncio.timeout(_UNDERSTAND_S):
                text = await opened.end()
        except TimeoutError:
            raise ModelError("timeout", f"the ear {self._ear.name} took too long to understand") from None
        finally:
            self._open = None
            with suppress(Exception):  # a defect there takes nothing from the player
                await opened.cancel()
        self._emit(PlayerHeard(self._line, self._npc, text, True))
        return text

    def feed(self, pcm: bytes) -> None:
        """More of the player's speech. What is over the limit of a line is left out, and ends it."""
        pcm = pcm[: self._left & ~1]
        self._left -= len(pcm)
        if self._open is not None:
            self._open.feed(pcm)
        else:
            self._early.append(pcm)
        if self._left < 2:
            self.ended()

    # what the ear tells

    def began(self) -> None:
        self._barged_in()
        self._emit(PlayerHeard(self._line, self._npc, "", False))

    def words(self, text: str) -> None:
        self._emit(PlayerHeard(self._line, self._npc, text, False))

    def reserve(self, model: str) -> None:
        if self._purse is not None:
            self._purse.reserve(model)

    def took(self, billed: Billed) -> None:
        if self._purse is not None:
            self._purse.bill(billed)

    def ended(self) -> None:
        """The player has said all: the ear, or whoever held the key, says so."""
        self._over.set()
