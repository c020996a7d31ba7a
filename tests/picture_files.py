"""Pictures for tests, sound and hostile ones, as bytes."""

from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int = 64, height: int = 48, *, extra: bytes = b"", tail: bytes = b"", pixels: int | None = None
) -> bytes:
    """A grey PNG. ``extra`` are chunks before its pixels, ``tail`` comes behind its end."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((width + 1) * height if pixels is None else pixels))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"") + tail


def saved(folder: Path, name: str, width: int = 64, height: int = 48) -> bytes:
    """A picture of noise, as SDL's own encoder writes it."""
    import pygame

    noise = random.Random(width).randbytes(width * height * 3)
    pygame.image.save(pygame.image.frombytes(noise, (width, height), "RGB"), str(folder / name))
    return (folder / name).read_bytes()
