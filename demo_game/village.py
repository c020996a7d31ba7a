"""The engine, and what was said so far. The one file of the demo that speaks with townsfolk; knows no pygame.

Read this file to see how a game embeds the engine: open, say, poll once a frame, close. Nothing here ever waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from demo_game.conversation import Line, Person
from townsfolk import ActionRequested, Answer, Cue, Engine, LineDelta, LineDone, LineFailed, LineThinking, Status

_FATAL = {"persona_invalid", "no_characters", "host_failed", "bad_argument", "no_such_model", "proto_unsupported"}


class Village:
    """Who is here, whom the player faces, and what has been said."""

    def __init__(self, characters: str, *, save: str, model: str, player: str, first: str = "", **how: Any) -> None:
        self.engine = Engine.open(characters, save=save, model=model, player=player, **how)
        self.people: dict[str, Person] = {}
        self.chosen = ""
        self.model = ""  # what spoke last
        self.trouble: Status | None = None  # the latest thing that went wrong
        self.fatal = False
        self.poll_ms: deque[float] = deque([0.0], maxlen=240)
        self.first_word_ms: deque[float] = deque(maxlen=100)
        self._open: dict[str, Line] = {}  # lines that are being spoken, by the id that say() gave
        self._asked: dict[str, Person] = {}  # questions to the engine about memories
        self._first, self._began = first, time.time()

    @property
    def person(self) -> Person | None:
        """Whom the player faces; nobody until the engine is ready."""
        return self.people.get(self.chosen)

    @property
    def speaking(self) -> bool:
        """Whether anybody is."""
        return bool(self._open)

    def choose(self, id: str) -> None:
        """The player turns to somebody: that model is made ready, and what they said on other evenings comes back."""
        if id not in self.people:
            return
        self.chosen, person = id, self.people[id]
        self.engine.warm(id)
        if not person.read:
            person.read = True
            self._asked[self.engine.memory(id, limit=60)] = person

    def say(self, text: str) -> None:
        """The player says something to whom they face."""
        if (person := self.person) is not None and text.strip():
            answer = Line("npc", speaking=True, said_at=time.perf_counter())
            self._open[self.engine.say(person.id, text)] = answer
            person.lines += [Line("player", text.strip()), answer]

    def cancel(self) -> bool:
        """The player cuts in; returns whether there was anything to cut."""
        here = {id(line) for line in (self.person.lines if self.person else ())}
        mine = [line_id for line_id, line in self._open.items() if id(line) in here]
        for line_id in mine:
            self.engine.cancel(line_id)
        return bool(mine)

    def update(self) -> None:
        """Once a frame: takes what the engine has, and never waits for it."""
        before = time.perf_counter()
        events = self.engine.poll()
        self.poll_ms.append((time.perf_counter() - before) * 1000)
        for event in events:
            match event:
                case LineDelta(line=id, npc=npc, text=more):
                    if not (line := self._open[id]).text:
                        self.people[npc].mood = line.mood
                        self.first_word_ms.append((time.perf_counter() - line.said_at) * 1000)
                    line.text += more
                    line.version += 1
                case LineThinking(line=id, text=bark):
                    self._open[id].thinking = bark
                    self._open[id].version += 1
                case Cue(line=id, npc=npc, name=mood):
                    self.people[npc].mood = self._open[id].mood = mood
                    self._open[id].version += 1
                case ActionRequested(line=id, npc=npc, name=name, args=args):  # the game decides; this one only tells
                    what = ", ".join(str(value).replace("_", " ") for value in args.values())
                    told = name.replace("_", " ") + (f": {what}" if what else "")
                    who = self.people[npc].name.split()[0]
                    self._after(npc, self._open[id], Line("action", f"{who} wants to {told}"))
                case LineDone(line=id, text=text, reason=reason, model=model):
                    self._end(id, text, cut=reason == "interrupted", model=model)
                case LineFailed(line=id, npc=npc, text=bark, code=code, message=message):
                    self._after(npc, self._open[id], Line("news", f"{message[:1].upper()}{message[1:]} ({code})"))
                    self._end(id, bark, cut=False, model="")
                case Status():
                    self._status(event)
                case Answer(request=request, data=data) if request in self._asked:
                    self._recall(self._asked.pop(request), data)

    def close(self) -> None:
        """The evening is over; everything said is on disk when this returns."""
        self.engine.close()

    def _end(self, id: str, text: str, *, cut: bool, model: str) -> None:
        line = self._open.pop(id)
        line.text, line.cut, line.model, line.speaking = text, cut, model, False
        line.version += 1
        self.model = model or self.model

    def _after(self, npc: str, line: Line, note: Line) -> None:
        lines = self.people[npc].lines
        lines.insert(lines.index(line) + 1, note)

    def _status(self, status: Status) -> None:
        if status.code == "ready":
            if self.trouble is not None and self.trouble.code == "host_lost":
                self.trouble = None
            for id, npc in self.engine.npcs.items():
                self.people.setdefault(id, Person(id, npc["name"], npc["role"]))
            self.choose(self.chosen or (self._first if self._first in self.people else next(iter(self.people), "")))
        else:
            self.trouble = None if status.code == "save_ok" else status
            self.fatal = self.fatal or status.code in _FATAL

    def _recall(self, person: Person, data: Mapping[str, Any]) -> None:
        """What was said on other evenings, above what was said on this one."""
        kinds: dict[str, Literal["npc", "player"]] = {"said": "npc", "heard": "player"}
        person.lines[:0] = [
            Line(kinds[each["kind"]], each["text"], cut=each["ending"] == "interrupted", earlier=True)
            for each in data.get("memories", ())
            if each["kind"] in kinds and each["player"] == self.engine.player and each["at"] < self._began
        ]
