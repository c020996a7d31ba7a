"""Takes what a player says apart into sentences, and knows "why?" and "go on" when it hears them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

__all__ = ["Sentence", "is_follow_up", "plain", "sentences"]

_MOST: Final = 8
_WHOLE: Final = 3
_ENDS: Final = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)]*\s+|\n+")
_STAGED: Final = re.compile(r"\*[^*\n]+\*")
_EDGES: Final = " \t\n,.;:!?\u2026-\u2013\u2014*\"'\u201c\u201d\u2018\u2019()"
_QUESTION: Final = re.compile(
    r"\W*(?:(?:and|so|but|well|please|now)\W+)*(?:who|whom|whose|what|where|when|why|how|which|is|are|was|were|am|do|does|did"
    r"|has|have|had|can|could|will|would|should|shall|may|might|tell|show|give|describe|any)\b",
    re.IGNORECASE,
)
_AND: Final = frozenset("and but so oh well ok okay please yes no hm hmm really".split())
_FOLLOW_UPS: Final = frozenset(
    (
        "and|and then|then what|what then|what next|what happened next|what happened then|and after that|go on"
        "|continue|carry on|why|why not|why so|why is that|why's that|how|how so|how come|really|is that so"
        "|is that all|is that it|are you sure|what else|anything else|is there more|more|tell me more|say more"
        "|tell me more about it|tell me more about that|tell me more about him|tell me more about her"
        "|can you tell me more|could you tell me more|do you know more|do you know anything more"
        "|do you know anything else|what more can you tell me|what do you mean|what do you mean by that"
        "|how do you mean|what does that mean|meaning|such as|like what|like who|for example|explain|explain that"
        "|elaborate|what about it|i'm listening|says who|who says"
    ).split("|")
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that a player said.

    Attributes:
        text: The words, without the listener's name called in them.
        asks: Whether it asks for something.
    """

    text: str
    asks: bool


def sentences(text: str, names: Collection[str] = ()) -> list[Sentence]:
    """The sentences of a line, and a line of few sentences also as a whole: two halves may make sense only together.

    Of very many sentences the first and the last ones; those without a letter or digit are left out.

    Args:
        names: What the listener is called; calling somebody by name asks nothing.
    """
    spoken = _STAGED.sub("\n", text)  # what a player plays, *leaning on the counter*, says little of what he asks
    parts = [part.strip() for part in _ENDS.split(spoken if any(map(str.isalnum, spoken)) else text)]
    parts = [part for part in parts if any(char.isalnum() for char in part)]
    if len(parts) > _MOST:
        parts = parts[:2] + parts[2 - _MOST :]
    found = [Sentence(plain(part, names), "?" in part or _QUESTION.match(part) is not None) for part in parts]
    if 1 < len(parts) <= _WHOLE:
        found.append(Sentence(" ".join(parts), any(sentence.asks for sentence in found)))
    return found


def plain(text: str, names: Collection[str] = ()) -> str:
    """The text without the listener's name called at its beginning or end; whole if nothing else is left."""
    if names:
        called = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        for pattern in (rf"\A\W*(?:{called})\s*[,!:.-]+\s*", rf"\s*,\s*(?:{called})(?=\W*\Z)"):
            shorter = re.sub(pattern, "", text, flags=re.IGNORECASE)
            if shorter.strip(_EDGES):
                text = shorter
    return text.strip()


def is_follow_up(text: str) -> bool:
    """Whether a line asks for more of what was just said, such as ``why?`` or ``And then?``."""
    words = re.sub(rf"[{re.escape(_EDGES)}]*\s[{re.escape(_EDGES)}]*", " ", text.strip(_EDGES)).replace("\u2019", "'")
    said = words.lower().split()
    while len(said) > 1 and said[0] in _AND and " ".join(said) not in _FOLLOW_UPS:
        said = said[1:]
    return bool(said) and " ".join(said) in _FOLLOW_UPS
