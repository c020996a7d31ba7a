"""Type, panels, speech bubbles and the text field. Our own: rich text boxes cost more than a frame for each word.

What is drawn once is kept: a row of text, a rounded panel. While a line streams, only its last row is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pygame

from demo_game.brush import Brush, Colour

__all__ = [
    "CREAM",
    "DIM",
    "GOLD",
    "INK",
    "PAPER",
    "Field",
    "Type",
    "framed",
    "leading",
    "panel",
    "rows",
    "shadowed",
    "text",
    "wrap",
]

INK, PAPER, CREAM, DIM, GOLD = (46, 32, 48), (246, 234, 210), (248, 236, 214), (196, 178, 188), (250, 196, 108)
_SERIFS = (
    "georgia,palatino,palatinolinotype,iowanoldstyle,charter,ebgaramond,crimsonpro,libertinusserif,gentiumplus,"
    "notoserif,dejavuserif,liberationserif"
)


class Type:
    """The fonts of one window size. A system serif where there is one, pygame's own font elsewhere."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        plain = _face(False, False)
        small = 1.0 if plain else 1.06
        self.body = pygame.font.Font(plain, max(14, round(18 * scale * small)))
        self.small = pygame.font.Font(plain, max(11, round(13 * scale * small)))
        self.name = pygame.font.Font(_face(True, False), max(20, round(34 * scale)))
        self.title = pygame.font.Font(_face(True, False), max(30, round(54 * scale)))
        self.label = pygame.font.Font(_face(True, False), max(11, round(13 * scale)))
        self.italic = pygame.font.Font(_face(False, True), max(12, round(16 * scale * small)))
        self.note = pygame.font.Font(_face(False, True), max(11, round(14 * scale * small)))


@lru_cache(maxsize=8)
def _face(bold: bool, italic: bool) -> str | None:
    found = pygame.font.match_font(_SERIFS, bold=bold, italic=italic)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=1500)
def text(font: pygame.font.Font, words: str, colour: Colour) -> pygame.Surface:
    """A row of text; kept, so that the same row is drawn once."""
    return font.render(words, True, colour)


def shadowed(
    surface: pygame.Surface, font: pygame.font.Font, words: str, colour: Colour, at: tuple[float, float]
) -> int:
    """Text on a picture, with a shadow that keeps it readable; returns its width."""
    dark = text(font, words, (16, 10, 26))
    dark.set_alpha(170)
    for dx, dy in ((1, 2), (0, 1)):
        surface.blit(dark, (at[0] + dx, at[1] + dy))
    surface.blit(text(font, words, colour), at)
    return dark.get_width()


def leading(font: pygame.font.Font) -> int:
    """From one row of text to the next."""
    return round(font.get_linesize() * 1.13)


def wrap(font: pygame.font.Font, words: str, width: int) -> list[str]:
    """The text in rows no wider than ``width``; a word that is wider by itself is broken."""
    rows: list[str] = []
    for paragraph in words.split("\n"):
        row = ""
        for word in paragraph.split():
            joined = f"{row} {word}" if row else word
            if font.size(joined)[0] <= width:
                row = joined
                continue
            if row:
                rows.append(row)
            while font.size(word)[0] > width and len(word) > 1:
                fits = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or font.size(word[:n])[0] <= width)
                rows.append(word[:fits])
                word = word[fits:]
            row = word
        rows.append(row)
    return rows


@lru_cache(maxsize=64)
def _corner(radius: int, colour: Colour) -> pygame.Surface:
    brush = Brush(radius * 2, radius * 2, 1)
    brush.ellipse(radius, radius, radius, radius, colour[:3])
    disc = brush.done()
    disc.set_alpha(colour[3] if len(colour) == 4 else 255)
    return disc


def panel(surface: pygame.Surface, box: pygame.Rect, colour: Colour, radius: int) -> None:
    """A rounded rectangle with smooth corners, see-through where the colour is."""
    r = max(1, min(radius, box.width // 2, box.height // 2))
    disc, x1, y1 = _corner(r, colour), box.right - r, box.bottom - r
    for dest, part in (((box.x, box.y), (0, 0)), ((x1, box.y), (r, 0)), ((box.x, y1), (0, r)), ((x1, y1), (r, r))):
        surface.blit(disc, dest, (*part, r, r))
    tall = box.height - 2 * r
    for x, y, w, h in (
        (box.x + r, box.y, box.width - 2 * r, box.height),
        (box.x, box.y + r, r, tall),
        (x1, box.y + r, r, tall),
    ):
        if w > 0 and h > 0:
            if len(colour) == 4 and colour[3] < 255:
                surface.blit(_sheet(w, h, colour), (x, y))
            else:
                surface.fill(colour, (x, y, w, h))


def framed(surface: pygame.Surface, box: pygame.Rect, colour: Colour, radius: int) -> None:
    """A rounded rectangle with a thin edge."""
    panel(surface, box, (122, 92, 120), radius)
    panel(surface, box.inflate(-2, -2), colour, radius - 1)


@lru_cache(maxsize=64)
def _sheet(width: int, height: int, colour: Colour) -> pygame.Surface:
    sheet = pygame.Surface((width, height), pygame.SRCALPHA)
    sheet.fill(colour)
    return sheet


class Field:
    """Where the player types. Takes TEXTINPUT, so that every keyboard layout and input method works."""

    LIMIT = 1000

    def __init__(self) -> None:
        self.text = ""
        self.composing = ""  # what an input method has not committed yet
        self._caret = 0
        self._past: list[str] = []
        self._turned = 0  # how far back in the past
        self._kept = ""
        self._left = 0
        self._blink = 0.0
        self._area = pygame.Rect(0, 0, 0, 0)

    def handle(self, event: pygame.event.Event) -> str | None:
        """Takes an event; returns the text when the player sends it."""
        if event.type == pygame.TEXTEDITING:
            self.composing = event.text
        elif event.type == pygame.TEXTINPUT:
            self.composing = ""
            self.insert(event.text)
        elif event.type == pygame.KEYDOWN and not self.composing:  # otherwise the key is the input method's
            return self._key(event.key, event.mod)
        return None

    def insert(self, more: str) -> None:
        clean = "".join(c for c in more.replace("\n", " ") if c.isprintable())[: self.LIMIT - len(self.text)]
        self._put(self.text[: self._caret] + clean + self.text[self._caret :], self._caret + len(clean))

    def update(self, dt: float) -> None:
        self._blink = (self._blink + dt) % 1.1

    def draw(self, surface: pygame.Surface, box: pygame.Rect, kind: Type, hint: str) -> None:
        pad, font = round(16 * kind.scale), kind.body
        framed(surface, box, (26, 18, 40), round(14 * kind.scale))
        inner = box.inflate(-2 * pad, 0)
        y = box.centery - font.get_height() // 2
        shown = self.text[: self._caret] + self.composing + self.text[self._caret :]
        x = font.size(shown[: self._caret + len(self.composing)])[0]
        self._left = max(min(self._left, x), x - inner.width + 2, 0)  # the caret stays in sight
        if shown:
            row = font.render(shown, True, CREAM)
            surface.blit(row, (inner.x, y), (self._left, 0, inner.width, row.get_height()))
        else:
            surface.blit(text(font, wrap(font, hint, inner.width)[0], (150, 130, 148)), (inner.x + 7, y))
        if self.composing:
            start = inner.x + font.size(shown[: self._caret])[0] - self._left
            surface.fill(GOLD, (start, y + font.get_height(), inner.x + x - self._left - start, 1))
        if self._blink < 0.6:
            surface.fill(GOLD, (inner.x + x - self._left, y, 2, font.get_height()))
        area = pygame.Rect(inner.x + x - self._left, box.y, 2, box.height)
        if area != self._area:  # where an input method shows its choices
            self._area = area
            pygame.key.set_text_input_rect(area)

    def _put(self, words: str, caret: int) -> None:
        self.text, self._caret, self._blink = words, max(0, min(caret, len(words))), 0.0

    def _key(self, key: int, mod: int) -> str | None:
        before, after = self.text[: self._caret], self.text[self._caret :]
        word = mod & (pygame.KMOD_CTRL | pygame.KMOD_ALT)
        last_word = len(before.rstrip().rpartition(" ")[0]) + (1 if " " in before.rstrip() else 0)
        if key in (pygame.K_RETURN, pygame.K_KP_ENTER):
            sent = self.text.strip()
            if sent:
                self._past.append(sent)
                self._put("", 0)
            self._turned = 0
            return sent or None
        if key == pygame.K_BACKSPACE:
            kept = before[:last_word] if word else before[:-1]
            self._put(kept + after, len(kept))
        elif key == pygame.K_DELETE:
            self._put(before + after[1:], self._caret)
        elif key == pygame.K_LEFT:
            self._put(self.text, last_word if word else self._caret - 1)
        elif key == pygame.K_RIGHT:
            self._put(self.text, self._caret + (len(after.partition(" ")[0]) + 1 if word else 1))
        elif key in (pygame.K_HOME, pygame.K_END):
            self._put(self.text, 0 if key == pygame.K_HOME else len(self.text))
        elif key in (pygame.K_UP, pygame.K_DOWN):
            self._turn(1 if key == pygame.K_UP else -1)
        elif key == pygame.K_u and mod & pygame.KMOD_CTRL:
            self._put(after, 0)
        elif key == pygame.K_v and mod & (pygame.KMOD_CTRL | pygame.KMOD_META):
            self.insert(_pasted())
        return None

    def _turn(self, by: int) -> None:
        """Through what was said before, newest first, back to what was being typed."""
        turned = max(0, min(self._turned + by, len(self._past)))
        if self._turned == 0 and turned:
            self._kept = self.text
        if turned != self._turned:
            self._turned = turned
            shown = self._past[-turned] if turned else self._kept
            self._put(shown, len(shown))


def _pasted() -> str:
    try:
        if hasattr(pygame.scrap, "get_text"):  # pygame-ce
            return str(pygame.scrap.get_text())
        if not pygame.scrap.get_init():
            pygame.scrap.init()
        data: bytes = pygame.scrap.get(pygame.SCRAP_TEXT) or b""
        return data.decode("utf-8", "replace").rstrip("\0")
    except (pygame.error, NotImplementedError):
        return ""


def rows(font: pygame.font.Font, lines: Sequence[str], colour: Colour) -> pygame.Surface:
    """Rows of text under one another, each kept for the next time."""
    drawn = [text(font, line, colour) for line in lines]
    height = leading(font)
    surface = pygame.Surface((max(row.get_width() for row in drawn), height * len(drawn)), pygame.SRCALPHA)
    for n, row in enumerate(drawn):
        surface.blit(row, (0, n * height))
    return surface
