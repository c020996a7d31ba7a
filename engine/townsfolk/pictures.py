"""What a picture is: its kind and size, read from its bytes without decoding one pixel, and what it costs to look at.

A picture comes from a game, and a game may have it from anywhere. So everything is checked here before a byte of it is
kept or sent on: that it is whole, that nothing hangs on to it, and that it does not grow into gigabytes.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

from townsfolk.errors import UsageError

__all__ = [
    "CHUNK",
    "MAX_PICTURE",
    "MAX_SIDE",
    "Detail",
    "Mime",
    "Picture",
    "Sight",
    "View",
    "chunks",
    "look",
    "tokens_of",
]

MAX_PICTURE: Final = 1024 * 1024
"""Bytes of one picture: it goes to the model with every line that is said while it is in view."""
MAX_SIDE: Final = 2048
"""Pixels of a side. Models scale down what is larger, and no server has to unpack more than 4 million of them."""
CHUNK: Final = 24 * 1024
"""Bytes of a picture in one message: as base64 they fit into one string of the wire."""

Mime: TypeAlias = Literal["image/png", "image/jpeg"]
Detail: TypeAlias = Literal["low", "high"]

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_OTHERS: Final = {b"GIF8": "a GIF", b"RIFF": "a WebP", b"BM": "a BMP", b"<svg": "an SVG", b"<?xml": "an SVG"}
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits of a sample that PNG allows, by colour type."""
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""JPEG's baseline, extended and progressive frames: what every reader knows."""
_PARTS: Final = 4096
"""Chunks or segments of one file; real ones have a few dozen. More would only cost time."""
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""What ends the pixels of a scan: among them, 0xFF is followed by a zero or a restart mark."""
_FILLED: Final = re.compile(rb"\xff+")
_SAVE: Final = "Save it as a PNG or JPEG of at most 1 MiB and 2,048 pixels a side; 768 pixels are plenty to see by."


@dataclass(frozen=True)
class Picture:
    """A picture that was checked. ``about`` is what the game says it shows."""

    mime: Mime
    width: int
    height: int
    data: bytes = field(repr=False)
    about: str = ""

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of its SHA-256: what memories know it by."""
        import hashlib

        return hashlib.sha256(self.data).hexdigest()[:16]


@dataclass(slots=True)
class View:
    """A picture in front of a character: for how long, and what was said of it.

    Attributes:
        until: Seconds of the character's clock; from then on it is out of view.
        lines: So many more of the character's lines are said with it in view.
        detail: How closely it is looked at; None by a character that cannot see.
        words: What it shows, for a character that cannot see; empty while nobody has said.
    """

    picture: Picture
    until: float
    lines: int
    detail: Detail | None = None
    words: str = ""

    def holds(self, now: float) -> bool:
        """Whether the picture is still in view."""
        return self.lines > 0 and now < self.until

    @property
    def tokens(self) -> int:
        """About how many tokens looking at it takes."""
        return tokens_of(self.picture.width, self.picture.height, self.detail) if self.detail else 0


@dataclass(frozen=True, slots=True)
class Sight:
    """How a character sees, and how long something is in view.

    Attributes:
        detail: How closely pictures are looked at; None for a model that cannot see.
        lines: So many lines of the character are said with a picture in view.
        seconds: And for so long.
    """

    detail: Detail | None = None
    lines: int = 3
    seconds: float = 120.0

    def view(self, picture: Picture, now: float) -> View:
        """A picture that comes into view."""
        return View(picture, now + self.seconds, self.lines, self.detail)


def look(data: bytes, about: str = "", *, name: str = "the picture") -> Picture:
    """Checks a picture. Decodes nothing.

    Args:
        data: The whole file.
        about: What it shows, in words.
        name: What to call it in messages; the ending of a file's name must not lie about its kind.

    Raises:
        UsageError: It is no PNG or JPEG, or a broken, animated, overlong or too large one (``bad_picture``).
    """
    if len(data) > MAX_PICTURE:
        raise _bad(f"{name} has {len(data):,} bytes, over the limit of {MAX_PICTURE:,}")
    try:
        if data.startswith(_PNG):
            mime: Mime = "image/png"
            width, height = _png(data)
        elif data.startswith(_JPEG):
            mime = "image/jpeg"
            width, height = _jpeg(data)
        else:
            start = data[:64].lstrip()
            other = next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), "no picture")
            raise _Broken(f"is {other if data else 'empty'}")
    except (_Broken, IndexError) as error:
        raise _bad(f"{name} {error if isinstance(error, _Broken) else 'ends too soon'}") from None
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise _bad(f"{name} has {width:,} x {height:,} pixels, over the limit of {MAX_SIDE:,} a side")
    ending = name.lower().rpartition(".")[2]
    if ending in ("png", "jpg", "jpeg") and (ending == "png") != (mime == "image/png"):
        raise _bad(f"{name} is not what its name says: inside is {mime}")
    return Picture(mime, width, height, data, about)


def tokens_of(width: int, height: int, detail: Detail) -> int:
    """About how many input tokens a picture takes.

    OpenAI's documented rule for GPT-4o: 85 at low detail; at high detail 170 more for each tile of 512 pixels, once it
    is scaled into 2,048 x 2,048 and then to a shortest side of 768. For other models it is an estimate; what was really
    billed is in the usage of the response.
    """
    if detail == "low":
        return 85
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    across, down = (max(1, -(-int(side * scale) // 512)) for side in (width, height))
    return 85 + 170 * across * down


def chunks(data: bytes) -> list[tuple[int, bytes]]:
    """The picture in pieces that fit into messages, each with where it begins."""
    return [(at, data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)]


class _Broken(Exception):
    """The bytes are not what they begin as."""


def _bad(message: str) -> UsageError:
    return UsageError("bad_picture", message, hint=_SAVE)


def _png(data: bytes) -> tuple[int, int]:
    """The size of a PNG whose chunks are all whole, with nothing behind the last."""
    at, first, pixels = len(_PNG), True, False
    width = height = 0
    for _ in range(_PARTS):
        if at + 12 > len(data):
            raise _Broken("ends too soon")
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + size
        if end + 4 > len(data):
            raise _Broken("ends too soon")
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise _Broken("is damaged")
        if first != (kind == b"IHDR"):
            raise _Broken("is no PNG inside")
        if first:
            width, height = _header(data[at + 8 : end])
            first = False
        if kind == b"acTL":
            raise _Broken("is animated")
        pixels = pixels or kind == b"IDAT"
        at = end + 4
        if kind == b"IEND":
            if not pixels or at != len(data):
                raise _Broken("holds no pixels" if not pixels else "goes on behind its end")
            return width, height
    raise _Broken("has too many parts")


def _header(header: bytes) -> tuple[int, int]:
    if len(header) != 13 or header[8] not in _DEPTHS.get(header[9], ()) or header[10:12] != b"\0\0" or header[12] > 1:
        raise _Broken("is no PNG inside")
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")


def _jpeg(data: bytes) -> tuple[int, int]:
    """The size of a JPEG whose segments are all whole, with nothing behind the last."""
    at, size, scanned = 2, None, False
    for _ in range(_PARTS):
        filled = _FILLED.match(data, at)  # any number of them may fill the space before a marker
        if filled is None:
            raise _Broken("is damaged" if at < len(data) else "ends too soon")
        marker = data[filled.end()]
        at = filled.end() + 1
        if marker == 0xD9:
            if size is None or not scanned:
                raise _Broken("holds no pixels")
            if at != len(data):
                raise _Broken("goes on behind its end")
            return size
        if marker == 0xD8 or marker < 0xC0 or 0xD0 <= marker <= 0xD7:
            raise _Broken("is damaged")
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise _Broken("ends too soon")
        if marker in _FRAMES:
            if size is not None or length < 11 or data[at + 2] != 8 or data[at + 7] not in (1, 3, 4):
                raise _Broken("is no JPEG that every model can read")
            size = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 3 : at + 5], "big")
        elif 0xC3 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            raise _Broken("is no JPEG that every model can read")
        at += length
        if marker == 0xDA:
            scanned = True
            behind = _MARKER.search(data, at)
            if behind is None:
                raise _Broken("ends too soon")
            at = behind.start()
    raise _Broken("has too many parts")
