"""The two interfaces behind which every voice and every ear stands. Holds neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from townsfolk.models.base import Audio, Billed, Health, Timing
from townsfolk.persona import Persona

__all__ = ["Ear", "Listening", "Sound", "Understood", "Voice"]

Sound: TypeAlias = Callable[[Audio | Timing], None]


class Voice(Protocol):
    """Anything that says words aloud."""

    @property
    def name(self) -> str: ...

    async def say(self, text: str, persona: Persona, emit: Sound) -> None:
        """Says one sentence or so; returns when all its sound has been emitted. Cancelling the task stops it.

        Timings count characters and milliseconds from the beginning of this text and its sound. Sound may come much
        faster than it plays.

        Raises:
            ModelError: It cannot speak.
        """
        ...

    async def warm(self, persona: Persona) -> None:
        """Gets ready for a character that may soon speak. Never raises."""
        ...

    async def health(self) -> Health:
        """Looks whether the voice could speak now. Never raises."""
        ...

    async def close(self) -> None:
        """Gives back what it holds. May be called twice."""
        ...


class Understood(Protocol):
    """Told by an ear, on the loop, while it listens."""

    def began(self) -> None:
        """The player has begun to speak (hands-free only)."""
        ...

    def words(self, text: str) -> None:
        """What was understood so far; replaces what was told before."""
        ...

    def ended(self) -> None:
        """The player has stopped speaking (hands-free only): time to ask for :meth:`Listening.end`."""
        ...

    def reserve(self, model: str) -> None:
        """A paid model is going to listen.

        Raises:
            ModelError: That is over the budget.
        """
        ...

    def took(self, billed: Billed) -> None:
        """What that took; once for each :meth:`reserve`."""
        ...


class Listening(Protocol):
    """An ear that is open for one line of a player."""

    def feed(self, pcm: bytes) -> None:
        """More of the player's speech: one channel of signed 16-bit little-endian samples. Never blocks."""
        ...

    async def end(self) -> str:
        """No more comes: what the player said, empty if there was no speech.

        Raises:
            ModelError: It could not be understood, for a reason of the ear's own.
        """
        ...

    async def cancel(self) -> None:
        """Nobody wants to know any more. May be called after :meth:`end`."""
        ...


class Ear(Protocol):
    """Anything that understands speech."""

    @property
    def name(self) -> str: ...

    async def listen(self, told: Understood, *, rate: int, hands_free: bool) -> Listening:
        """Opens the ear for one line.

        Args:
            told: Hears of words as they are understood.
            rate: Samples a second of what will be fed.
            hands_free: The ear finds out itself when the player begins and stops; otherwise a key is held.

        Raises:
            ModelError: It cannot hear.
        """
        ...

    async def health(self) -> Health:
        """Looks whether it could hear now. Never raises."""
        ...

    async def close(self) -> None:
        """Gives back what it holds. May be called twice."""
        ...
