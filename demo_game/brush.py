"""Flat shapes with soft outlines, for pictures drawn by code. Knows no picture.

Points are pairs, or text as in SVG: ``"10,20 30,40"``. All is drawn twice as large and scaled down: smooth edges.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import pygame

__all__ = ["Brush", "Colour", "Points", "curve", "mix", "pairs", "ring"]

Colour: TypeAlias = tuple[int, int, int] | tuple[int, int, int, int]
Pairs: TypeAlias = Sequence[tuple[float, float]]
Points: TypeAlias = str | Pairs


def mix(a: Colour, b: Colour, t: float) -> tuple[int, int, int]:
    """The colour that lies ``t`` of the way from ``a`` to ``b``."""
    return round(a[0] + (b[0] - a[0]) * t), round(a[1] + (b[1] - a[1]) * t), round(a[2] + (b[2] - a[2]) * t)


def pairs(points: Points) -> Pairs:
    """Points as pairs of numbers."""
    return _read(points) if isinstance(points, str) else points


@lru_cache(maxsize=500)
def _read(points: str) -> tuple[tuple[float, float], ...]:
    numbers = (point.split(",") for point in points.split())
    return tuple((float(x), float(y)) for x, y in numbers)


def curve(points: Points, *, closed: bool = True, steps: int = 10) -> list[tuple[float, float]]:
    """A smooth line through all ``points`` (Catmull-Rom)."""
    given = pairs(points)
    n = len(given)
    out: list[tuple[float, float]] = []
    for i in range(n if closed else n - 1):
        ids = (i - 1, i, i + 1, i + 2)
        p0, p1, p2, p3 = (given[k % n] if closed else given[min(max(k, 0), n - 1)] for k in ids)
        for step in range(steps):
            t = step / steps
            a, b = -t + 2 * t * t - t**3, 2 - 5 * t * t + 3 * t**3
            c, d = t + 4 * t * t - 3 * t**3, t**3 - t * t
            x = (a * p0[0] + b * p1[0] + c * p2[0] + d * p3[0]) / 2
            out.append((x, (a * p0[1] + b * p1[1] + c * p2[1] + d * p3[1]) / 2))
    return out if closed else [*out, given[-1]]


def ring(x: float, y: float, r: float, steps: int = 40) -> list[tuple[float, float]]:
    """A circle as a closed line."""
    return [(x + r * math.cos(n * math.tau / steps), y + r * math.sin(n * math.tau / steps)) for n in range(steps + 1)]


class Brush:
    """Draws in the units of the picture, whatever its size on the screen.

    Args:
        width, height: Of the picture, in its own units.
        scale: Pixels of the finished picture for each unit.
        fill: What it is drawn on; see-through when None.
    """

    def __init__(self, width: float, height: float, scale: float, fill: Colour | None = None) -> None:
        self.size = max(1, round(width * scale)), max(1, round(height * scale))
        self._k = scale * 2
        self._surface = pygame.Surface((self.size[0] * 2, self.size[1] * 2), 0 if fill else pygame.SRCALPHA)
        self._surface.fill(fill or (60, 40, 60, 0))

    def done(self) -> pygame.Surface:
        """The picture at its size."""
        small = pygame.transform.smoothscale(self._surface, self.size)
        if not small.get_flags() & pygame.SRCALPHA:
            return small
        # Along an edge, scaling mixes in the colour of the see-through side: give that side its neighbours' colours.
        spread = pygame.Surface(self._surface.get_size())
        for dx, dy in ((-2, -2), (2, -2), (-2, 2), (2, 2), (-2, 0), (2, 0), (0, -2), (0, 2), (0, 0)):
            spread.blit(self._surface, (dx, dy))
        whole = pygame.Surface(self.size, pygame.SRCALPHA)
        whole.blit(pygame.transform.smoothscale(spread, self.size), (0, 0))
        small.fill((255, 255, 255, 0), special_flags=pygame.BLEND_RGBA_MAX)
        whole.blit(small, (0, 0), special_flags=pygame.BLEND_RGBA_MIN)
        return whole

    def poly(self, points: Points, colour: Colour) -> None:
        k = self._k
        self._put([(x * k, y * k) for x, y in pairs(points)], colour)

    def blob(self, points: Points, colour: Colour) -> None:
        """A rounded shape through the points."""
        self.poly(curve(points), colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Around the middle (x, y)."""
        turns = (n * math.tau / 48 for n in range(48))
        self.poly([(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns], colour)

    def line(self, points: Points, colour: Colour, width: float, *, smooth: bool = True) -> None:
        """A line with round ends and joints."""
        drawn = curve(points, closed=False) if smooth and len(pairs(points)) > 2 else pairs(points)
        k, r = self._k, width * self._k / 2
        for (x0, y0), (x1, y1) in itertools.pairwise(drawn):
            a, b = pygame.Vector2(x0 * k, y0 * k), pygame.Vector2(x1 * k, y1 * k)
            if (along := b - a).length() > 0:
                side = along.rotate(90).normalize() * r
                pygame.draw.polygon(self._surface, colour, [a + side, b + side, b - side, a - side])
        for x, y in drawn:
            pygame.draw.circle(self._surface, colour, (x * k, y * k), r)

    def lit(
        self,
        points: Points,
        colour: Colour,
        *,
        shade: Colour | None = None,
        rim: Colour | None = None,
        by: float = 10,
        rim_by: float = 4,
    ) -> None:
        """A rounded shape with shade on its left and the last of the sun on its right edge."""
        k, outline = self._k, curve(points)
        self.poly(outline, colour)
        left, top = min(x for x, _ in outline), min(y for _, y in outline)
        box = (max(x for x, _ in outline) - left + 2) * k, (max(y for _, y in outline) - top + 2) * k
        for tint, dx, dy in ((shade, by, -by * 0.35), (rim, -rim_by, rim_by * 0.6)):
            if tint is None:
                continue
            # The shape, less the shape moved aside, is a crescent along one edge.
            layer = pygame.Surface(box, pygame.SRCALPHA)
            pygame.draw.polygon(layer, tint, [((x - left) * k, (y - top) * k) for x, y in outline])
            moved = [((x - left + dx) * k, (y - top + dy) * k) for x, y in outline]
            pygame.draw.polygon(layer, (0, 0, 0, 0), moved)
            self._surface.blit(layer, (left * k, top * k))

    def gradient(self, top: float, bottom: float, colours: Sequence[Colour]) -> None:
        """Bands from ``top`` to ``bottom`` that run smoothly through the colours."""
        y0, y1 = round(top * self._k), round(bottom * self._k)
        for y in range(y0, y1):
            at = (y - y0) / max(1, y1 - y0) * (len(colours) - 1)
            n = min(int(at), len(colours) - 2)
            self._surface.fill(mix(colours[n], colours[n + 1], at - n), (0, y, self._surface.get_width(), 1))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: int = 90) -> None:
        """Light in the air, strongest in the middle."""
        r = round(radius * self._k)
        small = pygame.Surface((64, 64))
        for ring in range(32, 0, -1):
            f = (1 - ring / 32) ** 2 * strength / 255
            pygame.draw.circle(small, tuple(round(c * f) for c in colour[:3]), (32, 32), ring)
        light = pygame.transform.smoothscale(small, (r * 2, r * 2))
        self._surface.blit(light, (x * self._k - r, y * self._k - r), special_flags=pygame.BLEND_RGB_ADD)

    def _put(self, points: Pairs, colour: Colour) -> None:
        if len(colour) == 4 and colour[3] < 255:  # pygame's polygons overwrite; what is see-through must be blended
            left, top = min(x for x, _ in points), min(y for _, y in points)
            box = max(x for x, _ in points) - left + 2, max(y for _, y in points) - top + 2
            layer = pygame.Surface(box, pygame.SRCALPHA)
            pygame.draw.polygon(layer, colour, [(x - left, y - top) for x, y in points])
            self._surface.blit(layer, (left, top))
        else:
            pygame.draw.polygon(self._surface, colour, points)
