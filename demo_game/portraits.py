"""Busts and medals of the characters: puts body, face and mood together, and keeps what was drawn. Knows no engine."""

from __future__ import annotations

from functools import lru_cache

import pygame

from demo_game.brush import Brush, mix, ring
from demo_game.faces import draw_face, mood_of
from demo_game.people import HEIGHT, WIDTH, look_of

__all__ = ["HEIGHT", "WIDTH", "medal", "portrait"]


def portrait(id: str, height: int, mood: str = "", *, speaking: bool = False, blink: bool = False) -> pygame.Surface:
    """The bust of a character. Each piece is drawn once and kept; putting a face on it costs one small blit."""
    body = _body(id, height).copy()
    face, place = _face(id, height, mood, speaking, blink)
    body.blit(face, place)
    return body


@lru_cache(maxsize=32)
def _body(id: str, height: int) -> pygame.Surface:
    brush, look = Brush(WIDTH, HEIGHT, height / HEIGHT), look_of(id)
    look.paint(brush, look)
    body = brush.done()
    body.blit(_dusk(body.get_size()), (0, 0), special_flags=pygame.BLEND_RGBA_MULT)
    return body


def _dusk(size: tuple[int, int]) -> pygame.Surface:
    """Lets a bust sink into the dark at its lower end."""
    column = pygame.Surface((1, size[1]), pygame.SRCALPHA)
    for y in range(size[1]):
        t = min(1.0, (size[1] - y) / (0.27 * size[1]))
        column.set_at((0, y), (*mix((24, 15, 34), (255, 255, 255), t), round(255 * min(1.0, t * 6))))
    return pygame.transform.scale(column, size)


@lru_cache(maxsize=128)
def _face(id: str, height: int, mood: str, speaking: bool, blink: bool) -> tuple[pygame.Surface, tuple[int, int]]:
    look, k = look_of(id), height / HEIGHT
    wide, tall = look.unit * 4.6, look.unit * 4.6
    brush = Brush(wide, tall, k, fill=None)
    draw_face(
        brush,
        wide / 2,
        look.unit * 1.7,
        look.unit,
        mood_of(mood),
        skin=look.skin,
        brow=look.brow,
        iris=look.iris,
        heavy=look.heavy,
        speaking=speaking,
        blink=blink,
    )
    return brush.done(), (round((look.eyes[0] - wide / 2) * k), round((look.eyes[1] - look.unit * 1.7) * k))


@lru_cache(maxsize=64)
def medal(id: str, size: int, chosen: bool) -> pygame.Surface:
    """A small round picture of a character."""
    look, disc = look_of(id), Brush(100, 100, size / 100)
    disc.ellipse(50, 50, 46, 46, mix(look.colour, (40, 26, 52), 0.45))
    done, face = disc.done(), portrait(id, round(size * 1.9))
    k = face.get_height() / HEIGHT
    head = pygame.Surface((size, size), pygame.SRCALPHA)
    head.blit(face, (size / 2 - look.eyes[0] * k, size * 0.56 - look.eyes[1] * k))
    inside = Brush(100, 100, size / 100)
    inside.ellipse(50, 50, 46, 46, (255, 255, 255))
    head.blit(inside.done(), (0, 0), special_flags=pygame.BLEND_RGBA_MIN)
    done.blit(head, (0, 0))
    edge = Brush(100, 100, size / 100)
    edge.line(ring(50, 50, 46), (250, 196, 108) if chosen else (104, 84, 108), 7 if chosen else 4)
    done.blit(edge.done(), (0, 0))
    done.set_alpha(255 if chosen else 215)
    return done
