"""Ashwick at dusk, painted by code. One painting, kept for each window size; nothing here knows who talks."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import pygame

from demo_game.brush import Brush, Colour, Points, curve, mix, ring

__all__ = ["NIGHT", "Scenery", "veil"]

W, H = 1600, 990
INN = (640.0, 585.0)
"""The inn's warm window."""

HIGH, PLUM, ROSE, CORAL, GOLD = (27, 25, 58), (74, 46, 96), (168, 78, 106), (232, 128, 92), (250, 198, 116)
NIGHT = (22, 15, 34)
"""What the picture is darkened with."""
_CLOUDS = (
    (250, 240, 330, ROSE),
    (292, 520, 260, CORAL),
    (214, 980, 420, PLUM),
    (330, 1150, 380, ROSE),
    (372, 700, 300, GOLD),
    (396, 130, 250, CORAL),
    (268, 1420, 260, ROSE),
)
WINDOW, LAMP = (255, 205, 110), (255, 176, 84)


class Scenery:
    """The painting, cut to any window, and the little that moves in it."""

    def __init__(self) -> None:
        self._bare = self._veiled = pygame.Surface((1, 1))
        self._scale, self._left, self._top = 1.0, 0.0, 0.0
        self._time = 0.0
        self._puff = _disc(24, (206, 170, 190))
        self._light = _halo(90, LAMP)

    def update(self, dt: float) -> None:
        self._time += dt

    def fit(self, size: tuple[int, int], veil: pygame.Surface) -> None:
        """Cuts the painting to a window, once with the veil that keeps words readable and once without."""
        painting = paint()
        self._scale = max(size[0] / W, size[1] / H)
        whole = pygame.transform.smoothscale(painting, (round(W * self._scale), round(H * self._scale)))
        self._left, self._top = (whole.get_width() - size[0]) * 0.3, whole.get_height() - size[1]
        self._bare = whole.subsurface((round(self._left), round(self._top), *size)).convert()
        self._veiled = self._bare.copy()
        self._veiled.blit(veil, (0, 0))

    def draw(self, surface: pygame.Surface, bare: float = 0.0) -> None:
        """``bare`` is how much of the veil is lifted, 0 to 1."""
        surface.blit(self._veiled, (0, 0))
        if bare > 0:
            self._bare.set_alpha(round(255 * bare))
            surface.blit(self._bare, (0, 0))
        self._smoke(surface)
        flicker = 0.75 + 0.17 * math.sin(self._time * 2.1) + 0.08 * math.sin(self._time * 7.3)
        light = pygame.transform.smoothscale_by(self._light, max(0.1, self._scale * (0.9 + 0.1 * flicker)))
        surface.blit(light, light.get_rect(center=self._at(*INN)), special_flags=pygame.BLEND_RGB_ADD)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self._scale - self._left, y * self._scale - self._top

    def _smoke(self, surface: pygame.Surface) -> None:
        for chimney, (x, y) in enumerate(((596, 476), (985, 560), (838, 556))):
            for n in range(6):
                age = (self._time * 0.16 + n / 6 + chimney * 0.37) % 1
                puff = pygame.transform.smoothscale_by(self._puff, self._scale * (0.25 + age * 0.9))
                puff.set_alpha(round(64 * math.sin(age * math.pi)))
                sway = math.sin(age * 5 + n + chimney) * 7 + age * 46
                surface.blit(puff, puff.get_rect(center=self._at(x + sway, y - age * 110)))


def veil(size: tuple[int, int], left: int, top: int, scale: float) -> pygame.Surface:
    """Darkens the picture where words stand: gently right of ``left``, more below ``top``."""
    whole = pygame.Surface(size, pygame.SRCALPHA)
    across = pygame.Surface((size[0], 1), pygame.SRCALPHA)
    for x in range(size[0]):
        across.set_at((x, 0), (*NIGHT, round(84 * _ease((x - left + 130 * scale) / (260 * scale)))))
    whole.blit(pygame.transform.scale(across, size), (0, 0))
    start = max(0, top - round(90 * scale))
    down = pygame.Surface((1, size[1] - start), pygame.SRCALPHA)
    for y in range(down.get_height()):
        down.set_at((0, y), (*NIGHT, round(206 * _ease(y / (200 * scale)))))
    whole.blit(pygame.transform.scale(down, (size[0], down.get_height())), (0, start))
    return whole


def _ease(t: float) -> float:
    t = max(0.0, min(1.0, t))
    return t * t * (3 - 2 * t)


def _disc(radius: int, colour: Colour) -> pygame.Surface:
    brush = Brush(radius * 2, radius * 2, 1)
    brush.ellipse(radius, radius, radius - 1, radius - 1, colour)
    return brush.done()


def _halo(radius: int, colour: Colour) -> pygame.Surface:
    brush = Brush(radius * 2, radius * 2, 1, fill=(0, 0, 0))
    brush.glow(radius, radius, radius, colour, 120)
    return brush.done()


@lru_cache(maxsize=1)
def paint() -> pygame.Surface:
    """The whole painting; takes a tenth of a second, once."""
    brush, rng = Brush(W, H, 1.0, fill=HIGH), random.Random(7)
    _sky(brush, rng)
    _hills(brush, rng)
    _village(brush)
    _river(brush, rng)
    _foreground(brush, rng)
    return brush.done()


def _sky(b: Brush, rng: random.Random) -> None:
    b.gradient(0, 560, [HIGH, (44, 34, 78), PLUM, (128, 62, 104), ROSE, CORAL, GOLD])
    for _ in range(90):
        x, y = rng.uniform(0, W), rng.uniform(0, 320)
        b.ellipse(x, y, r := rng.choice((0.8, 1.0, 1.5)), r, (255, 236, 214, round(210 * (1 - y / 330))))
    half = [math.radians(degrees) for degrees in range(-90, 91, 6)]  # a young moon, leaning after the sun
    moon = [(27 * math.cos(t), 27 * math.sin(t)) for t in half] + [
        (13 * math.cos(t), 27 * math.sin(t)) for t in half[::-1]
    ]
    b.poly([(1150 + 0.87 * x - 0.5 * y, 196 + 0.5 * x + 0.87 * y) for x, y in moon], (250, 232, 200))
    b.glow(560, 545, 420, GOLD, 120)
    for y, x, wide, tint in _CLOUDS:
        b.blob(
            [(x - wide, y), (x - wide * 0.4, y - 9), (x + wide * 0.1, y - 15), (x + wide, y), (x, y + 8)], (*tint, 120)
        )


def _ridge(points: Points) -> list[tuple[float, float]]:
    return [*curve(points, closed=False), (W, H), (0, H)]


def _hills(b: Brush, rng: random.Random) -> None:
    b.poly(_ridge("0,452 170,405 330,446 520,462 720,432 930,392 1130,430 1330,386 1600,440"), (150, 82, 112))
    b.poly(
        _ridge("0,500 150,470 420,498 640,484 800,428 960,330 1070,292 1180,322 1340,430 1480,452 1600,476"),
        (104, 62, 104),
    )
    hill = (88, 54, 98)  # the hill that was emptied of its silver, and the road up to its mouth
    b.poly([*curve("760,520 860,440 960,345 1070,304 1110,330 1040,400 980,470 930,540", closed=False)], hill)
    b.line("1000,545 1090,506 1010,462 1100,424 1068,396", (158, 104, 116), 5)
    b.blob("1046,396 1052,376 1066,368 1080,376 1086,396", (34, 24, 48))
    b.line("1044,397 1050,372 1082,372 1088,397", (66, 42, 62), 4, smooth=False)
    b.poly(_ridge("0,556 200,520 430,530 700,556 900,548 1150,500 1400,524 1600,506"), (72, 46, 84))
    for _ in range(120):  # woods on the north shoulder
        x = rng.uniform(1130, 1600)
        y = 520 - 16 * math.sin((x - 1130) / 150) + rng.uniform(-4, 34)
        _pine(b, x, y, rng.uniform(24, 46), mix((66, 42, 82), (44, 30, 62), rng.random()))
    b.poly(_ridge("0,598 260,566 520,604 820,622 1120,590 1370,570 1600,590"), (58, 40, 70))


def _pine(b: Brush, x: float, y: float, tall: float, colour: Colour) -> None:
    b.poly([(x, y - tall), (x + tall * 0.22, y), (x - tall * 0.22, y)], colour)


def _house(b: Brush, x: float, y: float, w: float, h: float, roof: Colour, wall: Colour, windows: str = "") -> None:
    """Stands on y. ``windows`` from left to right: ``*`` lit, ``.`` dark."""
    b.poly([(x, y), (x, y - h), (x + w, y - h), (x + w, y)], wall)
    b.poly([(x + w * 0.82, y), (x + w * 0.82, y - h), (x + w, y - h), (x + w, y)], mix(wall, CORAL, 0.28))
    left, right, top = (x - w * 0.09, y - h + 2), (x + w * 1.09, y - h + 2), y - h * 1.85
    b.poly([left, (x + w * 0.16, top), (x + w * 0.84, top), right], roof)
    b.poly([(x + w * 0.76, top), (x + w * 0.84, top), right, (x + w * 0.95, y - h + 2)], mix(roof, CORAL, 0.34))
    for n, lit in enumerate(windows):
        wx = x + w * (n + 0.7) / (len(windows) + 0.4) - 6
        low, high = y - h * 0.36, y - h * 0.76
        b.poly([(wx, low), (wx, high), (wx + 12, high), (wx + 12, low)], WINDOW if lit == "*" else (44, 32, 56))
        if lit == "*":
            b.glow(wx + 6, y - h * 0.56, 34, LAMP, 70)
            b.line([(wx + 6, low), (wx + 6, high)], (126, 78, 62), 1.4)


def _village(b: Brush) -> None:
    houses: list[tuple[float, float, float, float, Colour, str]] = [
        (300, 612, 58, 30, (62, 40, 66), "."),
        (372, 604, 64, 32, (70, 44, 66), "*."),
        (748, 622, 62, 32, (72, 44, 62), ".*"),
        (962, 616, 74, 34, (58, 48, 82), "*.*"),
        (1066, 606, 56, 28, (66, 42, 66), "."),
        (1140, 598, 62, 30, (64, 42, 68), ".*"),
    ]
    for x, y, w, h, roof, windows in houses:
        _house(b, x, y, w, h, roof, (86, 58, 80), windows)
    b.poly("838,616 838,566 852,566 852,616", (70, 48, 70))
    _house(b, 818, 622, 84, 34, (64, 42, 58), (82, 54, 70), ".")  # the smithy, fire within
    b.poly("866,622 866,598 890,598 890,622", (255, 148, 70))
    b.glow(878, 610, 60, (255, 120, 60), 110)
    # The chapel, with a bell too small for its tower.
    stone = (94, 70, 96)
    _house(b, 486, 604, 96, 42, (56, 42, 74), stone, "..*")
    b.poly("452,606 452,496 492,496 492,606", stone)
    b.poly("482,606 482,496 492,496 492,606", mix(stone, CORAL, 0.4))
    b.poly("446,498 472,428 498,498", (54, 40, 72))
    b.poly("478,444 498,498 486,498 472,428", mix((54, 40, 72), CORAL, 0.4))
    b.line([(472, 430), (472, 408)], (54, 40, 72), 3)
    b.line([(465, 415), (479, 415)], (54, 40, 72), 3)
    b.poly("463,536 463,512 472,504 481,512 481,536", (250, 176, 110))
    b.ellipse(472, 524, 5, 6, (70, 46, 70))
    # The Drowned Bell: the largest roof, and every window lit.
    b.poly("588,560 588,482 606,482 606,560", (92, 58, 70))
    _house(b, 566, 640, 168, 62, (92, 50, 62), (112, 70, 78), "*.**")
    b.poly("684,640 684,600 706,600 706,640", (58, 36, 50))
    b.line([(734, 592), (764, 592)], (48, 32, 50), 3)
    b.blob("750,598 743,614 742,620 758,620 757,614", (240, 184, 96))
    b.glow(650, 600, 190, LAMP, 80)


def _river(b: Brush, rng: random.Random) -> None:
    b.poly(_ridge("0,652 240,640 560,648 860,640 1180,622 1600,618"), (46, 34, 60))
    near = curve("0,700 180,694 420,676 660,686 900,716 1160,706 1380,682 1600,690", closed=False)
    far = curve("1600,838 1280,852 980,834 700,796 430,774 200,790 0,806", closed=False)
    b.poly([*near, *far], (112, 66, 104))
    for _ in range(150):
        x, t = rng.uniform(-40, W), rng.random()
        y = 704 + t * 96 + 10 * math.sin(x / 240)
        wide, near_sun = rng.uniform(16, 74) * (0.5 + t), abs(x - 600) / 700
        tint = mix(GOLD, (150, 88, 126), min(1, near_sun + rng.uniform(0, 0.35)))
        b.blob([(x - wide, y), (x, y - 1.7), (x + wide, y), (x, y + 1.7)], (*tint, 150))
    for n in range(11):  # the inn's lamp in the water
        y, wide = 700 + n * 8, 9 + 11 * rng.random()
        b.blob([(650 - wide, y), (650, y - 2.4), (650 + wide, y), (650, y + 2.4)], (255, 206, 120, 200 - n * 14))
    # The mill, its wheel chained.
    wall, dark = (104, 66, 74), (40, 28, 48)
    b.poly("150,706 150,578 274,578 274,706", wall)
    b.poly("254,706 254,578 274,578 274,706", mix(wall, CORAL, 0.35))
    b.poly("136,582 176,512 248,512 288,582", (60, 40, 62))
    b.poly("240,512 248,512 288,582 268,582", mix((60, 40, 62), CORAL, 0.42))
    for x, y in ((176, 606), (218, 606), (176, 652)):
        b.poly([(x, y), (x, y + 22), (x + 15, y + 22), (x + 15, y)], dark)
    b.poly("218,652 218,674 233,674 233,652", WINDOW)
    b.glow(225, 663, 50, LAMP, 80)
    for rim in ring(306, 674, 56, 12):
        b.line([(306, 674), rim], dark, 4)
        b.line([(rim[0] - (rim[1] - 674) * 0.16, rim[1] + (rim[0] - 306) * 0.16), rim], dark, 9)
    for r in (56, 40):
        b.line(ring(306, 674, r), dark, 4)
    b.poly("0,724 130,706 300,722 350,748 220,762 0,752", (40, 30, 54))
    for x in (1090, 1112, 1330, 1352):  # the ferry's posts and rope
        b.line([(x, 770), (x, 652)], dark, 7)
    b.line("1100,664 1220,690 1340,664", dark, 2.5)


def _foreground(b: Brush, rng: random.Random) -> None:
    b.poly(_ridge("0,812 240,796 520,790 820,812 1120,850 1600,846"), (30, 23, 46))
    for _ in range(420):
        x = rng.uniform(0, W)
        y = 816 + 26 * math.sin(x / 400 + 2.4) + rng.uniform(0, 70)
        lean, tall = rng.uniform(-7, 9), rng.uniform(10, 30)
        b.poly([(x - 2, y), (x + lean, y - tall), (x + 2, y)], mix((30, 23, 46), (58, 40, 62), rng.random()))
    b.line("1560,990 1532,700 1560,520 1540,360", (26, 19, 40), 34)  # an oak, losing its leaves
    b.line("1540,560 1450,450 1400,430", (26, 19, 40), 13)
    b.line([(1550, 470), (1600, 380)], (26, 19, 40), 14)
    for layer, tint in enumerate(((34, 24, 46), (62, 36, 54), (104, 52, 62), (150, 78, 70))):
        for _ in range((46, 26, 16, 8)[layer]):
            a, r = rng.uniform(0, math.tau), rng.random() ** 0.6
            x, y = 1560 - layer * 22 + 170 * r * math.cos(a), 340 - layer * 12 + (140 - layer * 14) * r * math.sin(a)
            s = rng.uniform(20, 40) - layer * 6
            leaf = ((-1, 0), (-0.3, -0.8), (0.8, -0.5), (1, 0.4), (0, 0.7))
            b.blob([(x + s * out, y + s * down) for out, down in leaf], tint)
