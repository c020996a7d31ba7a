"""How each of the people of Ashwick is drawn, and a plain stranger for anybody else. No faces: see `faces.py`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from demo_game.brush import Brush, Colour, Points, mix, pairs

__all__ = ["HEIGHT", "WIDTH", "Look", "look_of"]

WIDTH, HEIGHT = 460, 480
RIM = (255, 186, 120, 190)
SHADE = (40, 18, 52, 80)


@dataclass(frozen=True)
class Look:
    """What the face of a bust needs: where it is, and its colours. ``paint`` draws all the rest."""

    paint: Callable[[Brush, Look], None]
    colour: Colour
    skin: Colour
    brow: Colour
    iris: Colour
    eyes: tuple[float, float] = (230, 176)
    unit: float = 30
    heavy: float = 1.0


def look_of(id: str) -> Look:
    if id in _LOOKS:
        return _LOOKS[id]
    n = zlib.crc32(id.encode())
    hues = ((120, 92, 150), (88, 128, 120), (160, 96, 84), (96, 112, 160), (150, 124, 76))
    hairs = ((70, 46, 50), (132, 82, 52), (186, 176, 170), (50, 42, 58))
    return Look(
        _stranger,
        hues[n % 5],
        ((226, 172, 138), (178, 122, 92), (238, 192, 160))[n // 5 % 3],
        hairs[n // 15 % 4],
        (70, 92, 96),
    )


def _head(b: Brush, look: Look, wide: float, top: float, chin: float, jaw: float = 0.78) -> None:
    """A neck and a head; ``wide`` is half its width, ``jaw`` how much of that the jaw keeps."""
    x, skin = look.eyes[0], look.skin
    neck = wide * 0.52
    throat = (x - neck, chin - 50), (x + neck, chin - 50), (x + neck * 1.2, chin + 26)
    b.lit([*throat, (x, chin + 44), (x - neck * 1.2, chin + 26)], mix(skin, (96, 40, 60), 0.3), rim=RIM)
    for side, y in ((-wide, look.eyes[1]), (wide, look.eyes[1])):
        ear = (x + side * 0.94, y - 8), (x + side * 1.16, y - 2), (x + side * 1.08, y + 28), (x + side * 0.9, y + 32)
        b.lit(ear, mix(skin, (120, 50, 60), 0.16))
    half = (0, top), (0.8, top + 26), (1, (top + chin) / 2 - 6), (jaw, chin - 34), (0.34, chin - 2)
    b.lit(_both(x, wide, half), skin, shade=SHADE, rim=RIM, by=16)


def _torso(b: Brush, colour: Colour, half: float, shoulder: float, slope: float = 34, *, x: float = 230) -> None:
    low = shoulder + slope
    side = (52 / half, shoulder - 8), (0.8, low), (1, low + 66), (1.04, 520)
    b.lit(_both(x, half, side), colour, shade=SHADE, rim=RIM, by=22, rim_by=5)


def _both(x: float, wide: float, half: Points) -> list[tuple[float, float]]:
    """A shape from its right half: ``half`` gives how far out, and how far down."""
    right = [(x + out * wide, y) for out, y in pairs(half)]
    return right + [(2 * x - px, y) for px, y in reversed(right) if px != x]


def _tamsin(b: Brush, look: Look) -> None:
    hair = (150, 72, 44)
    b.lit("168,60 230,34 296,62 318,150 304,236 156,236 142,150", hair, shade=SHADE, rim=RIM)
    _torso(b, (128, 58, 66), 168, 292)
    b.lit("160,300 230,324 300,300 298,362 230,396 162,362", (238, 222, 196), shade=SHADE)  # the blouse
    b.lit("172,392 230,404 288,392 318,520 142,520", (214, 190, 152), shade=SHADE, rim=RIM)  # the apron
    b.line("176,398 150,350 166,326", (214, 190, 152), 13)
    b.line("284,398 310,350 294,326", (214, 190, 152), 13)
    _head(b, look, 76, 78, 282, 0.86)
    b.lit("148,158 158,98 206,74 252,92 214,108 176,130", hair, shade=SHADE)
    b.lit("312,158 304,98 262,76 240,92 276,112 298,134", hair, rim=RIM)
    scarf = (224, 158, 62)
    b.lit("148,108 176,52 230,32 288,52 314,106 274,74 230,66 186,76", scarf, shade=SHADE, rim=RIM)
    b.lit("278,46 322,18 330,50 298,64", scarf, rim=RIM)
    b.lit("290,58 340,68 322,92 296,74", mix(scarf, (120, 60, 50), 0.25))
    for x in (154, 307):
        b.ellipse(x, 232, 7, 9, (246, 210, 110))
    for side in (-1, 1):
        b.ellipse(230 + side * 46, 214, 17, 11, (222, 104, 92, 90))


def _aldous(b: Brush, look: Look) -> None:
    grey = (168, 160, 162)
    b.lit("150,150 160,90 300,90 312,150 304,230 156,230", mix(grey, (70, 60, 80), 0.3), shade=SHADE, rim=RIM)
    _torso(b, (96, 86, 96), 178, 306)
    b.lit("180,326 230,348 280,326 272,520 188,520", (206, 196, 182), shade=SHADE)
    b.lit("168,312 206,338 194,520 118,520 126,372", (120, 100, 92), shade=SHADE)
    b.lit("292,312 254,338 266,520 342,520 334,372", (120, 100, 92), rim=RIM)
    _head(b, look, 78, 84, 288, 0.94)
    b.lit(
        "152,200 168,232 200,222 230,228 260,222 292,232 308,200 304,270 274,326 230,342 186,326 156,270",
        grey,
        shade=SHADE,
        rim=RIM,
    )
    b.lit("184,234 208,218 230,224 252,218 276,234 252,240 230,235 208,240", mix(grey, (250, 246, 240), 0.4))
    cap = (110, 92, 84)
    b.lit("140,118 152,66 214,40 284,48 322,84 326,120 230,104", cap, shade=SHADE, rim=RIM)
    b.lit("132,124 180,98 262,96 322,116 262,122 186,128 140,142", mix(cap, (30, 20, 36), 0.35), rim=RIM)
    for x, y, r in (
        (150, 372, 5),
        (176, 420, 4),
        (306, 396, 5),
        (330, 440, 4),
        (196, 66, 4),
        (270, 70, 5),
        (138, 440, 3),
    ):  # flour
        b.ellipse(x, y, r * 1.6, r, (240, 234, 224, 120))


def _hesper(b: Brush, look: Look) -> None:
    hood, lining = (70, 100, 88), (44, 62, 60)
    b.lit(
        "230,14 300,42 334,130 330,250 372,350 392,520 68,520 88,350 130,250 126,130 160,42",
        hood,
        shade=SHADE,
        rim=RIM,
        by=20,
    )
    b.blob("230,40 284,68 306,150 296,262 230,330 164,262 154,150 176,68", lining)
    hair = (206, 204, 208)
    b.lit("230,62 276,84 294,150 284,230 176,230 166,150 184,84", hair, shade=SHADE)
    _head(b, look, 60, 84, 280, 0.74)
    b.lit("172,158 186,96 230,70 226,92 196,122", hair, shade=SHADE)
    b.lit("288,158 274,96 230,70 232,92 264,122", hair, rim=RIM)
    b.lit("156,296 230,330 304,296 326,360 282,520 178,520 134,360", mix(hood, (20, 30, 30), 0.25), shade=SHADE)
    b.line("176,306 230,338 284,306", (150, 168, 132), 7)
    b.lit("214,338 230,322 246,338 230,358", (214, 178, 96), rim=RIM)
    b.line("298,470 312,400 306,356", (104, 140, 84), 4)  # feverfew
    for x, y in ((306, 350), (326, 372), (290, 378), (322, 402)):
        b.line([(309, 410), (x, y)], (104, 140, 84), 3)
        b.ellipse(x, y, 11, 11, (246, 240, 226))
        b.ellipse(x, y, 5, 5, (240, 190, 80))


def _bram(b: Brush, look: Look) -> None:
    hair = (58, 38, 40)
    _torso(b, (146, 74, 56), 188, 290, 24)
    b.lit("178,316 230,336 282,316 300,520 160,520", mix((146, 74, 56), (40, 20, 30), 0.3))
    leather = (86, 58, 52)
    b.lit("160,380 230,392 300,380 334,520 126,520", leather, shade=SHADE, rim=RIM)
    b.line("166,384 146,330 156,300", leather, 17, smooth=False)
    b.line("294,384 314,330 304,300", leather, 17, smooth=False)
    for x in (168, 292):
        b.ellipse(x, 390, 6, 6, (214, 170, 100))
    b.lit("158,150 160,86 230,52 300,86 302,150", hair, shade=SHADE, rim=RIM)
    _head(b, look, 74, 72, 276, 0.98)
    b.lit(
        "156,186 170,220 200,214 230,222 260,214 290,220 304,186 302,256 266,300 230,308 194,300 158,256",
        hair,
        shade=SHADE,
        rim=RIM,
    )
    b.lit(
        "150,140 160,78 206,50 262,46 306,88 310,142 288,108 256,96 232,108 206,94 172,112", hair, shade=SHADE, rim=RIM
    )
    b.ellipse(276, 206, 13, 5, (50, 34, 42, 120))
    b.line([(176, 206), (192, 214)], (50, 34, 42, 255), 3)


def _corwin(b: Brush, look: Look) -> None:
    coat, hair = (50, 42, 68), (196, 190, 196)
    _torso(b, coat, 142, 318, 40)
    b.lit("178,288 230,320 282,288 268,420 230,450 192,420", (232, 226, 218), shade=SHADE)  # linen, very clean
    b.line([(230, 330), (230, 440)], (196, 184, 186), 3)
    # The fur collar of a man dressed for a colder day.
    b.lit("194,288 150,264 118,322 132,420 184,520 216,520 178,390", (104, 84, 92), shade=SHADE)
    b.lit("266,288 310,264 342,322 328,420 276,520 244,520 282,390", (104, 84, 92), shade=SHADE, rim=RIM)
    _head(b, look, 56, 74, 286, 0.8)
    b.lit(
        "170,178 168,100 198,66 236,58 278,78 294,130 290,180 280,132 262,104 214,98 186,124",
        hair,
        shade=SHADE,
        rim=RIM,
    )
    hat = (36, 30, 52)
    b.lit("168,118 174,44 230,30 288,44 292,118 230,128", hat, shade=SHADE, rim=RIM)
    b.line("170,110 230,121 290,110", (150, 116, 74), 9)
    b.lit("118,120 176,112 230,123 284,112 342,120 286,137 230,142 174,137", mix(hat, (10, 8, 20), 0.3), rim=RIM)
    b.line("186,354 196,408 230,436 264,408 274,354", (214, 186, 120), 5)  # the chain of his office
    b.lit("214,436 230,424 246,436 230,462", (236, 208, 130), rim=RIM)


def _pip(b: Brush, look: Look) -> None:
    hair, coat = (196, 142, 82), (86, 124, 138)
    coat_of_goat = (226, 216, 202)  # Abbess
    b.lit(
        "338,330 396,340 440,420 452,520 300,520 318,400", mix(coat_of_goat, (90, 70, 90), 0.25), shade=SHADE, rim=RIM
    )
    for points in ("352,318 338,262 306,240", "388,318 408,262 440,246"):
        b.line(points, (122, 100, 92), 12)
    b.lit("338,342 290,330 296,356 336,362", mix(coat_of_goat, (150, 90, 90), 0.3), shade=SHADE)
    b.lit("400,342 450,332 442,358 402,362", mix(coat_of_goat, (150, 90, 90), 0.3), rim=RIM)
    b.lit("342,316 370,306 400,316 404,372 388,428 370,440 352,428 336,372", coat_of_goat, shade=SHADE, rim=RIM)
    for x in (352, 390):
        b.ellipse(x, 356, 8, 6, (232, 190, 92))
        b.line([(x - 4, 356), (x + 4, 356)], (40, 26, 36), 4)
    b.line("361,418 370,424 379,418", (120, 72, 78), 4)
    b.lit("360,436 382,436 376,474 366,474", mix(coat_of_goat, (110, 90, 100), 0.2))
    b.lit("116,254 138,196 196,172 262,190 292,250 286,330 128,330", mix(hair, (90, 50, 50), 0.3), shade=SHADE)
    _torso(b, coat, 104, 396, 22, x=206)
    b.lit(
        "150,392 206,410 262,392 270,424 206,448 142,424", (190, 84, 70), shade=SHADE, rim=RIM
    )  # a scarf, several sizes too large
    b.lit("232,424 262,420 276,500 240,504", (170, 70, 62), rim=RIM)
    _head(b, look, 66, 200, 372, 0.84)
    b.lit(
        "136,290 128,226 166,188 222,176 272,206 280,292 262,240 240,252 222,230 200,250 178,232 160,256",
        hair,
        shade=SHADE,
        rim=RIM,
    )
    b.poly(
        "136,244 118,204 150,212 146,172 178,192 188,150 210,182 238,148 244,190 "
        "276,178 268,216 290,226 276,250 240,214 170,214",
        hair,
    )
    b.line([(252, 206), (306, 178)], (240, 212, 130), 3.4)  # straw
    b.line([(160, 196), (126, 184)], (240, 212, 130), 3)
    for x, y in ((168, 320), (178, 328), (160, 330), (236, 320), (246, 328), (230, 330)):
        b.ellipse(x, y, 2.6, 2.2, (176, 100, 72))


def _stranger(b: Brush, look: Look) -> None:
    hair = look.brow
    b.lit("160,70 230,44 300,70 316,160 300,250 160,250 144,160", hair, shade=SHADE, rim=RIM)
    _torso(b, look.colour, 158, 312)
    b.lit("186,316 230,366 274,316 262,304 198,304", mix(look.colour, (250, 240, 220), 0.6), shade=SHADE)
    _head(b, look, 68, 80, 284)
    b.lit("156,164 166,88 222,58 292,84 304,164 282,116 238,100 190,118", hair, shade=SHADE, rim=RIM)


_LOOKS = {
    "tamsin": Look(_tamsin, (224, 158, 62), (236, 178, 144), (128, 62, 42), (84, 108, 72), unit=29),
    "aldous": Look(_aldous, (176, 164, 152), (214, 164, 138), (196, 190, 190), (86, 100, 118), unit=30, heavy=1.6),
    "hesper": Look(
        _hesper, (116, 158, 128), (226, 182, 156), (168, 164, 170), (96, 120, 112), eyes=(230, 174), unit=25
    ),
    "bram": Look(
        _bram, (206, 104, 70), (206, 146, 112), (50, 32, 36), (92, 66, 46), eyes=(230, 164), unit=29, heavy=1.4
    ),
    "corwin": Look(
        _corwin, (142, 122, 186), (228, 194, 172), (150, 144, 154), (112, 128, 148), eyes=(230, 176), unit=23
    ),
    "pip": Look(_pip, (112, 172, 188), (232, 180, 140), (150, 100, 62), (70, 116, 96), eyes=(206, 290), unit=28),
}
