"""The window and its loop: events, update, draw, sixty times a second. What is shown is the scene's business."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections import deque
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
import pygame

from demo_game.scenes.talk import Talk
from demo_game.script import Script
from demo_game.village import Village

__all__ = ["App", "NoWindowError", "play"]

FPS = 60
SMALLEST = (640, 480)


class NoWindowError(Exception):
    """The display could not be opened."""


class App:
    """One window with one scene. ``step()`` is one frame, so that a test can play frame by frame."""

    def __init__(self, village: Village, save: str, size: tuple[int, int] = (1280, 720)) -> None:
        try:
            pygame.display.init()
            pygame.font.init()
            pygame.display.set_caption("An evening in Ashwick")
            self.screen = pygame.display.set_mode(size, pygame.RESIZABLE)
        except pygame.error as error:
            raise NoWindowError(str(error)) from None
        pygame.key.set_repeat(380, 34)
        pygame.key.start_text_input()
        self.frame_ms: deque[float] = deque(maxlen=240)
        self.scene = Talk(village, save, self.frame_ms)
        self.running = True

    def step(self, dt: float) -> None:
        """One frame of ``dt`` seconds."""
        before = time.perf_counter()
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.running = False
            else:
                self.scene.handle(event)
        self.scene.update(dt)
        surface = pygame.display.get_surface()
        if surface is not None:
            self.screen = surface
        if self.screen.get_width() >= 320 and self.screen.get_height() >= 240:  # not while it is being minimised
            self.scene.draw(self.screen)
        self.frame_ms.append((time.perf_counter() - before) * 1000)
        pygame.display.flip()
        self.running = self.running and not self.scene.left

    def close(self) -> None:
        pygame.key.stop_text_input()
        pygame.display.quit()


def play(args: argparse.Namespace) -> int:
    """Opens the village and a window on it, and plays until the player leaves.

    Raises:
        NoWindowError: The display cannot be opened.
        TownsfolkError: The characters or an argument make no sense.
    """
    script = Script.read(args.headless) if args.headless is not None else None
    village = Village(args.characters, save=args.save, model=args.model, player=args.name, first=args.npc)
    try:
        app = App(village, args.save, _size(args.size))
        clock = pygame.time.Clock()
        while app.running:
            dt = min(clock.tick(FPS) / 1000, 0.1)
            if script is not None and not script.update(app, dt):
                break
            app.step(dt)
        app.close()
    finally:
        village.close()
    return 1 if village.fatal else 0


def _size(asked: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", asked)
    return (max(SMALLEST[0], int(found[1])), max(SMALLEST[1], int(found[2]))) if found else (1280, 720)


def shot(app: App, path: str | Path) -> None:
    """The picture on the screen, as a file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # Without the lowest bit of each colour, which nobody sees, the file is a third smaller.
    data = pygame.image.tobytes(app.screen, "RGB").translate(bytes(value & 0xFE for value in range(256)))
    pygame.image.save(pygame.image.frombytes(data, app.screen.get_size(), "RGB"), str(path))
