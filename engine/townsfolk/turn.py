"""A turn as a state machine: a player's line, and the answer as it grows and ends. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from townsfolk.errors import TownsfolkError
from townsfolk.events import (
    ActionRequested,
    Cue,
    Event,
    LineAudio,
    LineDelta,
    LineDone,
    LineFailed,
    LineHeard,
    LineStarted,
    LineThinking,
    LineTiming,
)
from townsfolk.guard import clean_shown
from townsfolk.hearing import Hearing, Word, loudness

__all__ = ["MAX_ACTIONS", "Deadlines", "Phase", "Turn"]

MAX_ACTIONS: Final = 4
"""Actions that one line may ask for; more of them are a model in a loop."""
_SOUND: Final = 16_384
"""Bytes of sound in one event, at most: a third of a second, and well under the limit of a frame."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a player waits, in seconds from the moment that an answer is begun.

    Attributes:
        thinking: Without a word until then, the character says a thinking bark.
        first_word: Without a word until then, an offline bark stands for the line.
        whole_line: The line is over by then, whatever happened.
    """

    thinking: float = 1.5
    first_word: float = 8.0
    whole_line: float = 20.0


class Phase(Enum):
    """Where a turn is."""

    ASKED = "asked"
    SPEAKING = "speaking"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


_NEXT: Final = {
    Phase.ASKED: {Phase.SPEAKING, Phase.INTERRUPTED, Phase.FAILED},
    Phase.SPEAKING: {Phase.DONE, Phase.INTERRUPTED},
    Phase.DONE: set[Phase](),
    Phase.INTERRUPTED: set[Phase](),
    Phase.FAILED: set[Phase](),
}


class Turn:
    """One turn. Methods return the events that the game is to hear; in a phase that has ended they return none."""

    __slots__ = (
        "_actions", "_at", "_noted_at", "_phase", "_pieces", "_thought", "hearing", "line", "npc", "player", "text",
    )  # fmt: skip

    def __init__(self, line: str, npc: str, player: str, text: str) -> None:
        self.line = line
        self.npc = npc
        self.player = player
        self.text = text
        self._phase = Phase.ASKED
        self._pieces: list[str] = []
        self._at = 0
        self._actions = 0
        self._noted_at = 0.0
        self._thought = False
        self.hearing = Hearing()

    def begin(self, now: float) -> None:
        """The model is asked. What is shown is noted on disk for the first time a while from now."""
        self._noted_at = now

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def shown(self) -> str:
        """What the player has seen of the line."""
        return "".join(self._pieces)

    @property
    def heard(self) -> str:
        """What the player has had of the line: what was played of a voiced one, what was shown of another."""
        return self.hearing.heard(self.shown) if self.hearing else self.shown

    @property
    def over(self) -> bool:
        return not _NEXT[self._phase]

    def think(self, bark: str) -> list[Event]:
        """No word has come for a while."""
        if self._phase is not Phase.ASKED or self._thought or not bark:
            return []
        self._thought = True
        return [LineThinking(self.line, self.npc, bark)]

    def hear(self, text: str) -> list[Event]:
        """The model says more."""
        text = clean_shown(text)
        if not self._at:
            text = text.lstrip()
        if not text or self.over:
            return []
        self._at += len(text)
        self._pieces.append(text)
        delta = LineDelta(self.line, self.npc, text)
        if self._phase is Phase.ASKED:
            self._to(Phase.SPEAKING)
            return [LineStarted(self.line, self.npc), delta]
        return [delta]

    def sound(self, pcm: bytes, rate: int, now: float) -> list[Event]:
        """The model gives more of the line's sound."""
        if self.over or not pcm:
            return []
        events: list[Event] = []
        if self._phase is Phase.ASKED:
            self._to(Phase.SPEAKING)
            events.append(LineStarted(self.line, self.npc))
        for start in range(0, len(pcm), _SOUND):
            piece = pcm[start : start + _SOUND]
            at = self.hearing.sound(piece, rate, now)
            events.append(LineAudio(self.line, self.npc, at, rate, piece, loudness(piece, rate)))
        return events

    def timed(self, words: tuple[Word, ...], shapes: tuple[tuple[int, str], ...]) -> list[Event]:
        """The model says when words sound."""
        if self.over:
            return []
        self.hearing.timed(words)
        return [LineTiming(self.line, self.npc, words, shapes)] if words else []

    def heard_out(self) -> list[Event]:
        """Playback of a voiced line is over, one way or the other."""
        return [LineHeard(self.line, self.npc, self.heard, self.hearing.complete)] if self.hearing else []

    def cue(self, kind: str, name: str) -> list[Event]:
        """The model gives a stage direction for what follows."""
        return [] if self.over else [Cue(self.line, self.npc, self._at, kind, name)]

    def act(self, name: str, args: dict[str, object]) -> list[Event]:
        """The model proposes an action."""
        if self.over or self._actions >= MAX_ACTIONS:
            return []
        self._actions += 1
        return [ActionRequested(self.line, self.npc, self._at, f"{self.line}/{self._actions}", name, args)]

    def finish(self, model: str, *, bark: bool) -> list[Event]:
        """The model has said all."""
        if self._phase is not Phase.SPEAKING:
            return []
        self._to(Phase.DONE)
        self.hearing.ended = True
        return [LineDone(self.line, self.npc, self.shown, "bark" if bark else "complete", model)]

    def cut(self, model: str) -> list[Event]:
        """The line was cancelled, or the model was lost while it spoke: it ends with what was shown."""
        if self.over:
            return []
        self._to(Phase.INTERRUPTED)
        return [LineDone(self.line, self.npc, self.shown, "interrupted", model)]

    def fail(self, error: TownsfolkError, bark: str) -> list[Event]:
        """No model could say a word. ``bark`` is shown instead."""
        if self._phase is not Phase.ASKED:
            return []
        self._to(Phase.FAILED)
        return [LineFailed(self.line, self.npc, bark, error.code, error.message, error.hint)]

    def due(self, now: float, every: float) -> bool:
        """Whether what was shown so far should be noted on disk again; at most once in ``every`` seconds."""
        if self._phase is not Phase.SPEAKING or now - self._noted_at < every:
            return False
        self._noted_at = now
        return True

    def _to(self, phase: Phase) -> None:
        if phase not in _NEXT[self._phase]:
            raise AssertionError(f"a turn cannot go from {self._phase.value} to {phase.value}")
        self._phase = phase
