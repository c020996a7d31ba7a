"""Where everything on the talk screen stands, for any window. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass

import pygame

__all__ = ["Layout"]

_MOST = 8
"""Characters in the row at once; with more, the row follows the chosen one."""


@dataclass(frozen=True)
class Layout:
    """Boxes in pixels."""

    scale: float
    margin: int
    talk: pygame.Rect
    field: pygame.Rect
    status: pygame.Rect
    name: tuple[int, int]
    portrait_height: int
    portrait_middle: int
    medal: int
    cast: tuple[int, int]
    step: int

    @classmethod
    def of(cls, size: tuple[int, int], people: int) -> Layout:
        w, h = size
        s = max(0.74, min(w / 1280, h / 720, 2.0))
        margin, status = round(26 * s), round(30 * s)
        left = round(w * 0.43)
        field_tall = round(50 * s)
        bottom = h - status - round(12 * s)
        field = pygame.Rect(left, bottom - field_tall, w - left - margin, field_tall)
        talk = pygame.Rect(left, margin, field.width, field.top - margin - round(16 * s))
        count = max(1, min(people, _MOST))
        room = left - margin - round(34 * s)
        step = min(round(76 * s), room // count)
        medal = min(round(60 * s), step - 6)
        cast_top = bottom - medal - round(22 * s)
        name_top = cast_top - round(86 * s)
        tall = min(name_top - round(30 * s), round(left * 1.08))
        return cls(
            s, margin, talk, field, pygame.Rect(0, h - status, w, status), (margin, name_top), tall,
            round(margin * 0.6 + left * 0.42), medal, (margin, cast_top), step,
        )  # fmt: skip

    def medals(self, people: list[str], chosen: str) -> list[tuple[str, int, pygame.Rect]]:
        """Who stands in the row: id, number, box."""
        at = people.index(chosen) if chosen in people else 0
        first = max(0, min(at - _MOST // 2, len(people) - _MOST))
        return [
            (id, n + 1, pygame.Rect(self.cast[0] + (n - first) * self.step, self.cast[1], self.medal, self.medal))
            for n, id in enumerate(people)
            if first <= n < first + _MOST
        ]
