"""A model made of models: asks each in order until one speaks. Never says a line twice, and speaks no word of its own.

A word that was shown cannot be taken back, so a failure in mid-line ends the line: no other model goes on with it. What
a model proposed before its first word is held back until then, and thrown away when the model fails.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from townsfolk.errors import ModelError, UsageError
from townsfolk.models.base import Emit, Health, Model, ModelEvent, Request, Spoken, Text
from townsfolk.models.breaker import Breaker
from townsfolk.persona import Persona

__all__ = ["Fallback"]

_log = logging.getLogger(__name__)

_PATIENCE: Final = 0.75
"""Of the time that is left to the first word, for each model with others behind it."""
_AT_LEAST_S: Final = 0.5
"""Though the models before it have used up all the time, each has this: instant ones need next to none."""
_CONTENT: Final = {"no_topic", "content_filter", "empty_reply", "not_ready", "over_budget", "no_price", "no_answer"}
"""Outcomes that say something of this line, and nothing of the next."""


@dataclass(slots=True)
class _Rung:
    """One of the models, and how it fares."""

    model: Model
    breaker: Breaker
    cuts: int = 0


class Fallback:
    """Asks each model in order until one speaks.

    Args:
        models: First choice first. The last should be one that cannot fail, such as authored barks.
        first_word_s: One deadline to the first word for all of them together. Each has most of what is left of it,
            the last one all.
        cooldown_s: A model that failed is passed over for so long, without waiting; then one line tries it again.
        fatal_s: The same for a model whose failure asking again will not help: a wrong key, no credit.
        clock: Seconds that only grow.
        on_change: Told the name of a model that failed, with its error, and of one that speaks again, with ``None``.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        first_word_s: float = 8.0,
        cooldown_s: float = 8.0,
        fatal_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[str, ModelError | None], None] = lambda name, error: None,
    ) -> None:
        if not models:
            raise UsageError("bad_argument", "A fallback needs at least one model.")
        self._rungs = [_Rung(model, Breaker(rest_s=cooldown_s, fatal_s=fatal_s)) for model in models]
        self._first_word_s = first_word_s
        self._clock = clock
        self._on_change = on_change

    @property
    def name(self) -> str:
        return " > ".join(rung.model.name for rung in self._rungs)

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        # Whoever asks may have less patience.
        end = self._clock() + min(self._first_word_s, request.patience_s or self._first_word_s)
        notes: list[str] = []
        errors: list[ModelError] = []
        for n, rung in enumerate(self._rungs):
            name = rung.model.name
            resting = rung.breaker.ask(self._clock())
            if resting is not None:
                wait = rung.breaker.rests(self._clock())
                notes.append(f"{name}: passed over for {wait:.0f} s more after {resting.code}")
                errors.append(resting)
                continue
            share = 1.0 if n == len(self._rungs) - 1 else _PATIENCE
            patience_s = max(_AT_LEAST_S, (end - self._clock()) * share)
            gate = _Gate(emit)
            try:
                spoken = await self._try(rung, request, gate, patience_s)
            except ModelError as error:
                if gate.spoke:
                    raise
                notes.append(f"{name}: {error.code}: {error.message}")
                errors.append(error)
            else:
                return replace(spoken, notes=(*notes, *spoken.notes))
            finally:
                rung.breaker.gave_up(self._clock())  # if the outcome says nothing of the model, the next line probes
        worst = next((error for error in errors if error.code not in _CONTENT), errors[0])
        raise ModelError(worst.code, worst.message, hint=worst.hint, fatal=worst.fatal)

    async def warm(self, persona: Persona) -> None:
        now = self._clock()
        await asyncio.gather(*(rung.model.warm(persona) for rung in self._rungs if rung.breaker.refuses(now) is None))

    async def health(self) -> Health:
        found = await asyncio.gather(*(rung.model.health() for rung in self._rungs))
        told = (f"{rung.model.name}: {health.detail}" for rung, health in zip(self._rungs, found, strict=True))
        return Health(any(health.ok for health in found), "; ".join(told))

    async def close(self) -> None:
        await asyncio.gather(*(rung.model.close() for rung in self._rungs))

    async def _try(self, rung: _Rung, request: Request, gate: _Gate, patience_s: float) -> Spoken:
        """One model's chance at a line. Raises ``interrupted`` if it failed after its first word."""
        name = rung.model.name
        try:
            async with asyncio.timeout(patience_s) as scope:
                gate.clock = scope
                spoken = await rung.model.speak(replace(request, patience_s=patience_s), gate)
            if not gate.spoke:
                raise ModelError("empty_reply", f"{name} ended the line without a word.")
        except ModelError as error:
            problem = error
        except TimeoutError:
            problem = ModelError("timeout", f"{name}: no word in {patience_s:.1f} s.")
        except Exception as error:
            # A defect of one model must not silence the character; the others can still speak.
            _log.debug("%s failed", name, exc_info=True)
            problem = ModelError("internal", f"{name}: {type(error).__name__}: {error}")
        else:
            self._spoke(rung)
            return spoken
        finally:
            gate.shut()
        self._failed(rung, problem, gate.spoke)
        if gate.spoke:
            raise ModelError("interrupted", problem.message, fatal=problem.fatal) from problem
        raise problem

    def _spoke(self, rung: _Rung) -> None:
        rung.cuts = 0
        if rung.breaker.succeeded():
            self._on_change(rung.model.name, None)

    def _failed(self, rung: _Rung, error: ModelError, spoke: bool) -> None:
        if error.code in _CONTENT:
            return
        if spoke and not error.fatal:
            # It did speak, so one lost connection is no reason to pass it over; twice running is.
            rung.cuts += 1
            if rung.cuts < 2:
                return
        rung.breaker.failed(error, self._clock())
        self._on_change(rung.model.name, error)


class _Gate:
    """Lets a model's events through from its first word on, until it is shut. Stops the clock at that word."""

    __slots__ = ("_emit", "_held", "clock", "spoke")

    def __init__(self, emit: Emit) -> None:
        self._emit: Emit | None = emit
        self._held: list[ModelEvent] = []
        self.clock: asyncio.Timeout | None = None
        self.spoke = False

    def __call__(self, event: ModelEvent) -> None:
        if self._emit is None:
            return  # the model was given up, and has not noticed yet
        if self.spoke:
            self._emit(event)
            return
        self._held.append(event)
        if not isinstance(event, Text):
            return
        if self.clock is not None:
            if self.clock.expired():
                return  # too late by less than one step of the loop
            self.clock.reschedule(None)
        self.spoke = True
        for held in self._held:
            self._emit(held)

    def shut(self) -> None:
        self._emit = None
