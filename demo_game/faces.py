"""What a face does: brows, eyes, mouth and blush for each mood. Draws features only; the head is in `portraits.py`."""

from __future__ import annotations

from dataclasses import dataclass

from demo_game.brush import Brush, Colour, mix

__all__ = ["MOODS", "Mood", "draw_face", "mood_of"]


@dataclass(frozen=True)
class Mood:
    """How a mood looks. ``tilt`` raises the inner ends of the brows (worry) or lowers them (anger)."""

    colour: Colour
    tilt: float = 0.0
    brow: float = 0.0  # higher is up
    lid: float = 0.0  # 0 open, 1 shut; below 0 wide
    smile: float = 0.0  # -1 to 1
    skew: float = 0.0  # one corner of the mouth, and one brow, go up
    blush: bool = False
    look: float = 0.0  # where the eyes go: 1 is down


CALM = Mood((206, 190, 178), brow=0.1, lid=0.12, smile=0.22)
MOODS: dict[str, Mood] = {
    "warm": Mood((246, 178, 92), brow=0.3, lid=0.15, smile=0.8, tilt=0.2),
    "amused": Mood((240, 200, 96), brow=0.5, lid=0.25, smile=0.9, skew=0.5),
    "eager": Mood((150, 206, 122), brow=0.9, lid=-0.25, smile=0.7),
    "sly": Mood((182, 144, 220), tilt=-0.4, lid=0.4, smile=0.4, skew=1.0),
    "stern": Mood((196, 108, 96), tilt=-0.7, brow=-0.4, lid=0.2, smile=-0.25),
    "angry": Mood((232, 92, 72), tilt=-1.1, brow=-0.7, lid=0.1, smile=-0.7),
    "sad": Mood((116, 156, 212), tilt=1.0, brow=0.2, lid=0.35, smile=-0.6, look=0.5),
    "ashamed": Mood((212, 122, 142), tilt=0.9, lid=0.4, smile=-0.4, blush=True, look=1.0),
    "afraid": Mood((148, 190, 206), tilt=1.1, brow=0.9, lid=-0.4, smile=-0.5),
    "tired": Mood((150, 146, 172), tilt=0.4, brow=-0.3, lid=0.6, smile=-0.2),
}


def mood_of(name: str) -> Mood:
    """The look of a cue; calm for one that the demo does not know."""
    return MOODS.get(name, CALM)


def draw_face(
    b: Brush,
    x: float,
    y: float,
    unit: float,
    mood: Mood,
    *,
    skin: Colour,
    brow: Colour,
    iris: Colour,
    heavy: float = 1.0,
    speaking: bool = False,
    blink: bool = False,
) -> None:
    """Features around the point between the eyes; ``unit`` is the distance from it to an eye."""
    ink, u = (52, 32, 44), unit
    if mood.blush:
        for side in (-1, 1):
            b.ellipse(x + side * u * 1.25, y + u * 0.85, u * 0.55, u * 0.3, (214, 84, 84, 110))
    for side in (-1, 1):
        ex, open_ = x + side * u, max(0.04, 0.34 * (1 - mood.lid))
        if blink:
            b.line([(ex - u * 0.42, y + 1), (ex, y + u * 0.13), (ex + u * 0.42, y + 1)], ink, u * 0.11)
        else:
            down = mood.look * u * 0.14
            b.ellipse(ex, y, u * 0.46, u * open_, (250, 240, 226))
            r = min(u * 0.27, u * open_)
            b.ellipse(ex + u * 0.06, y + down, u * 0.26, r, iris)
            b.ellipse(ex + u * 0.06, y + down, u * 0.14, r * 0.6, (30, 20, 30))
            b.ellipse(ex + u * 0.13, y - r * 0.4 + down, u * 0.06, u * 0.06, (255, 250, 240))
            top = u * open_
            lid = (-0.48, 0), (-0.2, -top), (0.2, -top), (0.48, 0)
            b.line([(ex + u * out, y + down) for out, down in lid], ink, u * 0.12)
        lift = -u * (0.66 + mood.brow * 0.22 + (mood.skew * 0.25 if side > 0 else 0))
        inner, outer = ex - side * u * 0.52, ex + side * u * 0.58
        slope = mood.tilt * u * 0.24
        arch = (inner, y + lift - slope), (ex, y + lift - u * 0.1), (outer, y + lift + slope * 0.7 + u * 0.06)
        b.line(arch, brow, u * 0.2 * heavy)
    nose = mix(skin, (120, 52, 56), 0.34)
    b.line([(x + u * 0.1, y + u * 0.25), (x + u * 0.3, y + u * 0.98), (x - u * 0.14, y + u * 1.06)], nose, u * 0.13)
    my, wide, bend = y + u * 1.78, u * 0.66, mood.smile * u * 0.3
    left, right = (x - wide, my - bend * 0.6), (x + wide, my - bend * 0.6 - mood.skew * u * 0.2)
    if speaking:
        b.blob([left, (x, my - bend * 0.2 - u * 0.08), right, (x, my + bend * 0.5 + u * 0.5)], (92, 34, 44))
        b.ellipse(x, my + u * 0.27 + bend * 0.4, wide * 0.42, u * 0.13, (196, 92, 92))
    else:
        low = my + bend * 0.55
        b.line([left, (x - wide * 0.3, low), (x + wide * 0.3, low), right], (112, 48, 56), u * 0.14)
