"""Plays without hands: posts the events that a player's keyboard and mouse would. For tests, pictures and recordings.

A script has one step a line::

    type Is the mine road safe?     key by key, then Enter
    press tab                       one key, by pygame's name for it
    wait 2.5                        seconds
    until quiet                     until nobody is speaking
    size 800x600                    a window of another size
    shot saves/talk.png             keeps the picture
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from townsfolk import UsageError

if TYPE_CHECKING:
    from demo_game.app import App

__all__ = ["Script"]

_STEPS = ("type", "press", "wait", "until", "size", "shot")


class Script:
    """The steps that are left. A step's waits run in the frame loop; nothing here sleeps."""

    def __init__(self, steps: list[tuple[str, str]]) -> None:
        self._steps = deque(steps)
        self._wait = 0.0
        self._typed: deque[str] = deque()

    @classmethod
    def read(cls, asked: str) -> Script:
        """A script from a file, or one that only waits for a number of seconds.

        Raises:
            UsageError: There is no such file, or a line of it is no step.
        """
        try:
            return cls([("wait", str(float(asked)))])
        except ValueError:
            pass
        try:
            lines = Path(asked).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("bad_argument", f"the script {asked} cannot be read: {error}") from None
        steps = []
        for number, line in enumerate(lines, 1):
            step, _, rest = line.partition("#")[0].strip().partition(" ")
            if step and step not in _STEPS:
                known = ", ".join(_STEPS)
                raise UsageError("bad_argument", f"{asked}:{number}: {step!r} is no step", hint=f"There are: {known}.")
            if step:
                steps.append((step, rest.strip()))
        return cls(steps)

    def update(self, app: App, dt: float) -> bool:
        """One frame; returns whether there is more to come."""
        if self._typed:
            letter = self._typed.popleft()
            if letter == "\n":
                press(pygame.K_RETURN)
            else:
                pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text=letter))
            return True
        self._wait -= dt
        if self._wait > 0:
            return True
        if not self._steps:
            return False
        step, rest = self._steps[0]
        village = app.scene.village
        if step == "until" and (village.speaking or not village.people) and not village.fatal:
            return True
        self._steps.popleft()
        self._do(app, step, rest)
        return True

    def _do(self, app: App, step: str, rest: str) -> None:
        from demo_game.app import shot

        if step == "wait":
            self._wait = float(rest)
        elif step == "type":
            self._typed.extend([*rest, "\n"])
        elif step == "press":
            press(pygame.key.key_code(rest), rest if len(rest) == 1 else "")
        elif step == "size":
            w, _, h = rest.partition("x")
            app.screen = pygame.display.set_mode((int(w), int(h)), pygame.RESIZABLE)
        elif step == "shot":
            shot(app, rest)


def press(key: int, unicode: str = "", mod: int = 0) -> None:
    """Posts one key press."""
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=mod, unicode=unicode, scancode=0))
