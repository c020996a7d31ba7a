"""What was said, as bubbles that scroll. Finished lines are drawn once; of a streaming one only the last row is new."""

from __future__ import annotations

import math
from functools import lru_cache

import pygame

from demo_game.brush import Brush, Colour
from demo_game.conversation import Line
from demo_game.faces import draw_face, mood_of
from demo_game.ui import CREAM, DIM, GOLD, INK, PAPER, Type, leading, panel, rows, text, wrap

__all__ = ["Transcript"]

_KEPT = 200
"""Lines that can be scrolled back to; the characters remember more."""
_PLAYER, _NOTE, _NEWS = (52, 72, 98, 240), (30, 20, 42, 205), (90, 34, 44, 225)
_THOUGHT: Colour = (140, 108, 112)


class Transcript:
    """Draws the lines of one conversation into a box, the newest at the bottom."""

    def __init__(self) -> None:
        self.offset = 0.0  # pixels above the newest line
        self._target = 0.0
        self._total = 0
        self._time = 0.0
        self._drawn: dict[int, tuple[tuple[object, ...], pygame.Surface]] = {}
        self._heights: dict[int, tuple[tuple[object, ...], int]] = {}

    def scroll(self, pixels: float) -> None:
        """Up for older lines, with numbers above zero."""
        self._target = max(0.0, self._target + pixels)

    def to_newest(self) -> None:
        self._target = 0.0

    def forget(self) -> None:
        """Another conversation is shown from now on."""
        self._drawn.clear()
        self._heights.clear()
        self.offset = self._target = 0.0
        self._total = 0

    def update(self, dt: float) -> None:
        self._time += dt
        self.offset += (self._target - self.offset) * min(1.0, dt * 14)

    def draw(self, surface: pygame.Surface, box: pygame.Rect, kind: Type, lines: list[Line]) -> None:
        gap = round(10 * kind.scale)
        shown = [line for line in lines if line.text or line.speaking or line.cut][-_KEPT:]
        heights = [
            self._height(line, box.width, kind) + self._above(shown, n, kind) + gap for n, line in enumerate(shown)
        ]
        total = sum(heights)
        if self._target > 1 and self._total:  # who reads older lines is not moved by new ones
            self._target += total - self._total
            self.offset += total - self._total
        self._total = total
        most = max(0, total - box.height)
        self._target, self.offset = min(self._target, most), min(self.offset, most)
        before, kept = surface.get_clip(), {}
        surface.set_clip(box.inflate(round(40 * kind.scale), 0))
        y = box.bottom + round(self.offset)
        for n in range(len(shown) - 1, -1, -1):
            line, y = shown[n], y - heights[n]
            if y >= box.bottom:
                continue
            if y + heights[n] <= box.top:
                break
            above = self._above(shown, n, kind)
            bubble = self._bubble(line, box.width, kind)
            kept[id(line)] = self._drawn[id(line)]
            x = box.right - bubble.get_width() if line.kind == "player" else box.left
            fade = min(1.0, (y + heights[n] - box.top) / min(heights[n], 180 * kind.scale)) ** 2
            bubble.set_alpha(round(255 * fade * (0.78 if line.earlier else 1)))
            surface.blit(bubble, (x, y + above))
            if line.speaking and not (line.text or line.thinking):
                self._dots(surface, x + round(52 * kind.scale), y + above + bubble.get_height() // 2, kind.scale)
            if above:
                self._divider(surface, box, y, kind)
        self._drawn = kept
        surface.set_clip(before)
        if most and self.offset > 2:
            tall = max(30, round(box.height * box.height / total))
            top = box.top + round((box.height - tall) * (1 - self.offset / most))
            bar = pygame.Rect(box.right + round(8 * kind.scale), top, max(3, round(4 * kind.scale)), tall)
            panel(surface, bar, (236, 214, 190), 2)

    def _above(self, lines: list[Line], n: int, kind: Type) -> int:
        """Room for the mark between other evenings and this one."""
        return round(34 * kind.scale) if n and lines[n - 1].earlier and not lines[n].earlier else 0

    def _divider(self, surface: pygame.Surface, box: pygame.Rect, y: int, kind: Type) -> None:
        word = text(kind.note, "tonight", GOLD)
        middle, half = y + round(13 * kind.scale), word.get_width() // 2 + round(12 * kind.scale)
        surface.blit(word, word.get_rect(center=(box.centerx, middle)))
        for x0, x1 in ((box.left + 40, box.centerx - half), (box.centerx + half, box.right - 40)):
            pygame.draw.line(surface, (150, 112, 120), (x0, middle), (x1, middle))

    def _height(self, line: Line, width: int, kind: Type) -> int:
        key = (line.version, width, kind.scale)
        if self._heights.get(id(line), ((), 0))[0] != key:
            self._heights[id(line)] = key, self._measure(line, width, kind)[2]
        return self._heights[id(line)][1]

    def _measure(self, line: Line, width: int, kind: Type) -> tuple[list[str], pygame.font.Font, int]:
        s = kind.scale
        font = kind.body if line.kind in ("npc", "player") else kind.note
        most = round(width * (0.9 if line.kind == "npc" else 0.74)) - round((74 if line.kind == "npc" else 36) * s)
        wrapped = wrap(
            font,
            (line.text.strip() or (line.thinking if line.speaking else "")) + (" \N{EM DASH}" if line.cut else ""),
            most,
        )
        pad = round((22 if line.kind in ("npc", "player") else 12) * s)
        tag = kind.note.get_linesize() if line.model.startswith("local:") else 0
        return wrapped, font, leading(font) * len(wrapped) + pad + tag

    def _bubble(self, line: Line, width: int, kind: Type) -> pygame.Surface:
        key = (line.version, width, kind.scale)
        found = self._drawn.get(id(line))
        if found is None or found[0] != key:
            self._drawn[id(line)] = key, self._paint(line, width, kind)
        return self._drawn[id(line)][1]

    def _paint(self, line: Line, width: int, kind: Type) -> pygame.Surface:
        s, (wrapped, font, height) = kind.scale, self._measure(line, width, kind)
        gutter = round(36 * s) if line.kind != "player" else 0
        pad = round((18 if line.kind in ("npc", "player") else 12) * s)
        colours: dict[str, Colour] = {"npc": PAPER, "player": _PLAYER, "action": _NOTE, "news": _NEWS}
        colour = colours[line.kind]
        ink = {"npc": INK, "player": CREAM, "action": GOLD, "news": CREAM}[line.kind]
        if line.kind == "npc" and not line.text:
            ink = _THOUGHT
        words = rows(font, wrapped, ink)
        mark = round(16 * s) if line.kind == "action" else 0
        wide = max(words.get_width() + 2 * pad + mark, round(64 * s))
        surface = pygame.Surface((gutter + wide, height), pygame.SRCALPHA)
        tag = height - leading(font) * len(wrapped) - round((22 if line.kind in ("npc", "player") else 12) * s)
        box = pygame.Rect(gutter, 0, wide, height - tag)
        panel(surface, box, colour, round((16 if line.kind in ("npc", "player") else 11) * s))
        if line.kind == "npc":  # the tail, towards who speaks
            y = min(round(17 * s), box.height // 2)
            tail = _tail(round(10 * s), round(14 * s))
            surface.blit(tail, (gutter + 1 - tail.get_width(), y - tail.get_height() // 2))
            if line.mood:
                face = _mood_mark(line.mood, round(25 * s))
                surface.blit(face, (0, y - face.get_height() // 2))
        if line.kind == "action":
            x, y, r = gutter + pad + round(2 * s), box.centery, round(4 * s)
            pygame.draw.polygon(surface, GOLD, [(x - r, y), (x, y - r), (x + r, y), (x, y + r)])
        surface.blit(words, (gutter + pad + mark, (box.height - words.get_height()) // 2))
        if tag:
            surface.blit(text(kind.note, "offline model", DIM), (gutter + pad, box.bottom))
        return surface

    def _dots(self, surface: pygame.Surface, x: int, y: int, scale: float) -> None:
        for n in range(3):
            lift = max(0.0, math.sin(self._time * 6 - n * 0.9)) * 4 * scale
            pygame.draw.circle(surface, (140, 108, 112), (x + n * 14 * scale, y - lift), max(2, 3.4 * scale))


@lru_cache(maxsize=8)
def _tail(width: int, height: int) -> pygame.Surface:
    brush = Brush(width, height, 1)
    brush.poly([(width, 0), (0, height / 2), (width, height)], PAPER)
    return brush.done()


@lru_cache(maxsize=64)
def _mood_mark(mood: str, size: int) -> pygame.Surface:
    """A little face in the mood's colour."""
    look, brush = mood_of(mood), Brush(100, 100, size / 100)
    brush.ellipse(50, 50, 49, 49, look.colour)
    draw_face(brush, 50, 45, 21, look, skin=look.colour, brow=(52, 32, 44), iris=(60, 40, 54), heavy=1.5)
    return brush.done()
