"""Cuts a line that streams in into pieces to be said, the first one early. Pure."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Cutter"]

_END: Final = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*\s+|[\u3002\uff01\uff1f]|[;:]\s+|\n")
_CLAUSE: Final = re.compile(r"[,\u2014\u2013\u3001]\s*|\s-\s")
_CLAUSE_FROM: Final = 24
"""Characters after which the first piece may end at a comma: its sound can start while the rest is still coming."""
_SHORT: Final = 12
"""A sentence shorter than this waits for the next one: "No." alone sounds clipped."""
_LONG: Final = 220
"""Characters after which a piece ends at a space, if nothing better has come."""


class Cutter:
    """Takes text as it comes and gives pieces that are whole enough to be said; nothing is lost or changed."""

    def __init__(self) -> None:
        self._rest = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """The pieces that are whole now."""
        self._rest += text
        pieces = []
        while (at := self._cut()) is not None:
            pieces.append(self._rest[:at])
            self._rest = self._rest[at:]
            self._first = False
        return pieces

    def end(self) -> list[str]:
        """What is left when no more comes."""
        rest, self._rest = self._rest, ""
        return [rest] if rest.strip() else []

    def _cut(self) -> int | None:
        for found in _END.finditer(self._rest):
            if found.end() >= _SHORT or (self._first and found.end() < len(self._rest)):
                return found.end()
        if self._first:
            for found in _CLAUSE.finditer(self._rest):
                if found.end() >= _CLAUSE_FROM and found.end() < len(self._rest):
                    return found.end()
        if len(self._rest) > _LONG and (space := self._rest.rfind(" ", 0, _LONG)) > 0:
            return space + 1
        return None
