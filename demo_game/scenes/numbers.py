"""The F3 panel: how long frames, polls and first words took. Measures nothing itself."""

from __future__ import annotations

from collections import deque
from statistics import median

import pygame

from demo_game.ui import CREAM, DIM, GOLD, Type, panel, text

__all__ = ["draw_numbers"]

_BUDGET = 1000 / 60


def draw_numbers(
    surface: pygame.Surface, kind: Type, frames: deque[float], polls: deque[float], words: deque[float]
) -> None:
    """Work of the last frames as a graph, with the share of ``Engine.poll()`` in gold, and three rows of numbers."""
    s = kind.scale
    box = pygame.Rect(surface.get_width() - round(358 * s), round(18 * s), round(340 * s), round(160 * s))
    panel(surface, box, (18, 12, 28, 232), round(12 * s))
    graph = pygame.Rect(box.x + round(14 * s), box.y + round(14 * s), box.width - round(28 * s), round(66 * s))
    pygame.draw.line(surface, (150, 70, 70), (graph.x, graph.y), (graph.right, graph.y))
    bars = max(1, graph.width // 2)
    work, shares = list(frames)[-bars:], list(polls)[-bars:]
    for n, ms in enumerate(work):
        x, tall = graph.right - 2 * (len(work) - n), min(1.0, ms / _BUDGET) * graph.height
        surface.fill((92, 148, 132) if ms < _BUDGET else (226, 96, 72), (x, graph.bottom - tall, 2, tall + 1))
    for n, ms in enumerate(shares):
        tall = min(1.0, ms / _BUDGET) * graph.height
        surface.fill(GOLD, (graph.right - 2 * (len(shares) - n), graph.bottom - tall, 2, tall + 1))
    told = (
        ("frame work", f"{_mid(work):.1f} ms, worst {max(work, default=0):.1f} of {_BUDGET:.1f}"),
        ("engine.poll()", f"{_mid(shares):.3f} ms, worst {max(shares, default=0):.2f}"),
        ("first word", f"{words[-1]:.0f} ms, median {_mid(list(words)):.0f}" if words else "nobody has spoken yet"),
    )
    y = graph.bottom + round(10 * s)
    for name, value in told:
        surface.blit(text(kind.small, name, DIM), (graph.x, y))
        surface.blit(kind.small.render(value, True, CREAM), (graph.x + round(112 * s), y))
        y += kind.small.get_linesize() + round(3 * s)


def _mid(values: list[float]) -> float:
    return median(values) if values else 0.0
