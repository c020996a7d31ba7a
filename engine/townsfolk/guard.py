"""What may go in and what may be shown: strips what no reader can see. Decides no topics and blocks no words."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["clean_player", "clean_shown"]

# Control characters, bidirectional overrides and the invisible "tag" letters that can smuggle text past a reader
# (OWASP LLM01:2026, control 5). Zero-width joiners stay: emoji and several scripts need them.
_UNSEEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_BLANK: Final = re.compile(r"\s+")


def clean_player(text: str) -> str:
    """A player's words on one line, without what cannot be seen. Empty when nothing is left."""
    return _BLANK.sub(" ", _UNSEEN.sub(" ", text)).strip()


def clean_shown(text: str) -> str:
    """A piece of a character's line as it may be shown. Line breaks become spaces: a line is one paragraph."""
    if text.isprintable() and text.isascii():  # nearly always; 0.1 us
        return text
    return _UNSEEN.sub("", text.replace("\n", " "))
