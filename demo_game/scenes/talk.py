"""The talk screen: a character at dusk, what was said, and the field to say more. Knows no engine, only the village."""

from __future__ import annotations

import math
from collections import deque

import pygame

from demo_game.brush import Colour
from demo_game.faces import mood_of
from demo_game.portraits import HEIGHT, WIDTH, medal, portrait
from demo_game.scenery import NIGHT, Scenery, veil
from demo_game.scenes.layout import Layout
from demo_game.scenes.numbers import draw_numbers
from demo_game.scenes.transcript import Transcript
from demo_game.ui import CREAM, DIM, GOLD, Field, Type, framed, panel, rows, shadowed, text, wrap
from demo_game.village import Village

__all__ = ["Talk"]

_OPENERS = ("Good evening.", "Who is Linnet?", "Is the mine road safe?")
_OPENERS_ELSEWHERE = ("Good evening.", "Who are you?")
_WITH = pygame.KMOD_CTRL | pygame.KMOD_ALT


class Talk:
    """One conversation at a time. ``left`` is True when the player has had enough."""

    def __init__(self, village: Village, save: str, frame_ms: deque[float]) -> None:
        self.village = village
        self.left = False
        self.field = Field()
        self.transcript = Transcript()
        self.numbers = False
        self._save = save
        self._frame_ms = frame_ms
        self._scenery = Scenery()
        self._layout = Layout.of((1280, 720), 6)
        self._type = Type(1.0)
        self._size = (0, 0)
        self._time = 0.0
        self._title = 1.6  # seconds of the title card that are left
        self._since = 0.0  # seconds since somebody else was chosen
        self._seen = ""
        self._length, self._heard = 0, 9.0  # of the streaming line, and how long ago it grew
        self._chose_by = ""  # a number key whose text is still to come
        self._openers: list[tuple[pygame.Rect, str]] = []
        self._bust: tuple[object, pygame.Surface] = (None, pygame.Surface((1, 1)))

    # --- what the player does -----------------------------------------------------------------------------------

    def handle(self, event: pygame.event.Event) -> None:
        if event.type == pygame.MOUSEWHEEL:
            self.transcript.scroll(event.y * 70 * self._layout.scale)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._click(event.pos)
        elif event.type == pygame.KEYDOWN and not self.field.composing and self._key(event):
            pass
        elif event.type == pygame.TEXTINPUT and event.text == self._chose_by:
            self._chose_by = ""  # the number key has chosen somebody already
        elif (said := self.field.handle(event)) is not None:
            self._say(said)

    def _key(self, event: pygame.event.Event) -> bool:
        page, people = self._layout.talk.height * 0.8, list(self.village.people)
        self._chose_by = ""
        if event.key == pygame.K_ESCAPE:
            self.left = not self.village.cancel()
        elif event.key == pygame.K_F3:
            self.numbers = not self.numbers
        elif event.key == pygame.K_PAGEUP:
            self.transcript.scroll(page)
        elif event.key == pygame.K_PAGEDOWN:
            self.transcript.scroll(-page)
        elif event.key == pygame.K_TAB and people and not event.mod & pygame.KMOD_ALT:
            by = -1 if event.mod & pygame.KMOD_SHIFT else 1
            self.village.choose(people[(people.index(self.village.chosen) + by) % len(people)])
        elif event.unicode in self._digits() and (not self.field.text or event.mod & _WITH):
            self._chose_by = event.unicode
            self.village.choose(people[int(event.unicode) - 1])
        else:
            return False
        return True

    def _digits(self) -> list[str]:
        return [str(n + 1) for n in range(min(9, len(self.village.people)))]

    def _click(self, at: tuple[int, int]) -> None:
        for id, _, box in self._layout.medals(list(self.village.people), self.village.chosen):
            if box.inflate(8, 30).collidepoint(at):
                self.village.choose(id)
        for box, words in self._openers:
            if box.collidepoint(at):
                self._say(words)

    def _say(self, words: str) -> None:
        self.village.say(words)
        self.transcript.to_newest()

    # --- time -----------------------------------------------------------------------------------------------------

    def update(self, dt: float) -> None:
        self.village.update()
        self._time += dt
        self._since += dt
        if self.village.people:
            self._title = max(0.0, self._title - dt)
        for part in (self._scenery, self.field, self.transcript):
            part.update(dt)
        if self.village.chosen != self._seen:
            self._seen, self._since = self.village.chosen, 0.0
            self.transcript.forget()
        person = self.village.person
        length = sum(len(line.text) for line in person.lines if line.speaking) if person else 0
        self._heard = 0.0 if length > self._length else self._heard + dt
        self._length = length

    # --- the picture ----------------------------------------------------------------------------------------------

    def draw(self, surface: pygame.Surface) -> None:
        self._fit(surface.get_size())
        self._scenery.draw(surface, bare=min(1.0, self._title / 0.6))
        if self.village.person is not None and self._title < 0.6:
            self._draw_person(surface)
            self._draw_cast(surface)
            self.transcript.draw(surface, self._layout.talk, self._type, self.village.person.lines)
            self._draw_openers(surface)
            self.field.draw(surface, self._layout.field, self._type, f"Say something to {self.village.person.name} ...")
        self._draw_status(surface)
        if self._title > 0:
            self._draw_title(surface)
        if self.numbers:
            draw_numbers(surface, self._type, self._frame_ms, self.village.poll_ms, self.village.first_word_ms)

    def _fit(self, size: tuple[int, int]) -> None:
        layout = Layout.of(size, len(self.village.people) or 6)
        if layout.scale != self._layout.scale or size != self._size:
            self._type = Type(layout.scale)
        if size != self._size:
            self._size = size
            self._scenery.fit(size, veil(size, layout.talk.left, layout.name[1], layout.scale))
        self._layout = layout

    def _draw_person(self, surface: pygame.Surface) -> None:
        person, lay = self.village.person, self._layout
        assert person is not None
        speaking = self._heard < 0.3 and math.sin(self._time * 21) > -0.2
        key = (person.id, lay.portrait_height, person.mood, speaking, self._time % 4.3 < 0.13)
        if self._bust[0] != key:
            self._bust = key, portrait(*key[:3], speaking=key[3], blink=key[4])
        bust, come = self._bust[1], min(1.0, self._since / 0.25)
        bust.set_alpha(round(255 * come))
        x = (
            lay.portrait_middle
            - round(lay.portrait_height * WIDTH / HEIGHT / 2)
            - round((1 - come) ** 2 * 26 * lay.scale)
        )
        bottom = lay.name[1] + round(22 * lay.scale)
        surface.blit(bust, (x, bottom - bust.get_height()))
        wide = shadowed(surface, self._type.name, person.name, CREAM, lay.name)
        role = wrap(self._type.italic, person.role, lay.talk.left - lay.margin * 2)[0]
        shadowed(
            surface, self._type.italic, role, (226, 200, 190), (lay.name[0] + 2, lay.name[1] + round(42 * lay.scale))
        )
        if person.mood:
            self._draw_mood(
                surface, person.mood, lay.name[0] + wide + round(14 * lay.scale), lay.name[1] + round(13 * lay.scale)
            )

    def _draw_mood(self, surface: pygame.Surface, mood: str, x: int, y: int) -> None:
        word, s = text(self._type.note, mood, (40, 26, 44)), self._layout.scale
        box = pygame.Rect(x, y, word.get_width() + round(20 * s), word.get_height() + round(6 * s))
        if box.right < self._layout.talk.left:
            panel(surface, box, mood_of(mood).colour, box.height // 2)
            surface.blit(word, word.get_rect(center=box.center))

    def _draw_cast(self, surface: pygame.Surface) -> None:
        s = self._layout.scale
        for id, number, box in self._layout.medals(list(self.village.people), self.village.chosen):
            chosen = id == self.village.chosen
            surface.blit(medal(id, box.width, chosen), box)
            label = text(self._type.label, self.village.people[id].name.split()[0], GOLD if chosen else DIM)
            surface.blit(label, label.get_rect(midtop=(box.centerx, box.bottom + round(4 * s))))
            if number < 10:
                digit = text(self._type.label, str(number), GOLD if chosen else DIM)
                badge = pygame.Rect(0, 0, digit.get_height(), digit.get_height())
                badge.center = round(box.left + 7 * s), round(box.top + 8 * s)
                panel(surface, badge, (34, 24, 46), badge.height // 2)
                surface.blit(digit, digit.get_rect(center=badge.center))

    def _draw_openers(self, surface: pygame.Surface) -> None:
        """Something to say for who does not know how to begin."""
        self._openers, s, person = [], self._layout.scale, self.village.person
        if person is None or person.lines or self.field.text:
            return
        y = self._layout.talk.bottom
        for words in reversed(_OPENERS if "tamsin" in self.village.people else _OPENERS_ELSEWHERE):
            row = text(self._type.body, words, CREAM)
            box = pygame.Rect(0, 0, row.get_width() + round(34 * s), row.get_height() + round(16 * s))
            box.bottomright = (self._layout.talk.right, y)
            hover = box.collidepoint(pygame.mouse.get_pos())
            framed(surface, box, (70, 92, 122) if hover else (38, 28, 54), box.height // 2)
            surface.blit(row, row.get_rect(center=box.center))
            self._openers.append((box, words))
            y = box.top - round(10 * s)
        shadowed(
            surface,
            self._type.note,
            "You might say",
            DIM,
            (box.right - self._type.note.size("You might say")[0] - 8, y - round(14 * s)),
        )

    def _draw_status(self, surface: pygame.Surface) -> None:
        lay, kind, village = self._layout, self._type, self.village
        surface.fill((16, 11, 26), lay.status)
        y = lay.status.centery - kind.small.get_height() // 2
        x = lay.margin
        for words, colour in self._told():
            row = text(kind.small, words, colour)
            surface.blit(row, (x, y))
            x += row.get_width() + round(18 * lay.scale)
        right, tint = "Tab: somebody else   Esc: cut in, leave   F3: numbers", (150, 132, 150)
        if village.trouble is not None:
            message = village.trouble.message
            right, tint = f"{message[:1].upper()}{message[1:]}. {village.trouble.hint}", (244, 168, 110)
        room = lay.status.width - lay.margin - x
        while right and kind.small.size(right)[0] > room:
            right = right[:-5].rstrip(" .") + "..." if len(right) > 8 else ""
        row = text(kind.small, right, tint)
        surface.blit(row, (lay.status.right - lay.margin - row.get_width(), y))

    def _told(self) -> list[tuple[str, Colour]]:
        """The left half of the status strip: what spoke last, and where all is kept."""
        model = self.village.model
        told: list[tuple[str, Colour]] = [
            (f"Voice: {model}" if model else "Voice: ready" if self.village.people else "Voice: ...", (206, 186, 190))
        ]
        if model.startswith("local:"):
            told.append(("offline model", GOLD))
        return [*told, (f"Kept in {self._save}", (150, 132, 150))]

    def _draw_title(self, surface: pygame.Surface) -> None:
        """The first seconds, while the engine starts; and what keeps it from starting."""
        gone, fade = self.village.trouble if self.village.fatal else None, min(1.0, self._title / 0.6)
        w, h = self._size
        cloth = pygame.Surface(self._size)
        cloth.fill(NIGHT)
        cloth.set_alpha(round((230 if gone else 50) * fade))
        surface.blit(cloth, (0, 0))
        big, words = text(self._type.title, "An evening in Ashwick", CREAM), ["Lamps are being lit ..."]
        if gone:
            words = wrap(self._type.italic, f"{gone.message}. {gone.hint} ({gone.code})", round(w * 0.7))
        under = rows(self._type.italic, words, GOLD)
        for row, y in ((big, h * 0.3), (under, h * 0.3 + big.get_height() + under.get_height() / 2)):
            for tint, by in (((16, 10, 26), 2), (None, 0)):
                drawn = row.copy()
                if tint:
                    drawn.fill((*tint, 255), special_flags=pygame.BLEND_RGBA_MULT)
                drawn.set_alpha(round(255 * fade))
                surface.blit(drawn, drawn.get_rect(center=(w // 2 + by // 2, round(y) + by)))
