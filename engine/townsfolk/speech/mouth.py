"""Which shape a mouth has while a word sounds, guessed from its letters. Pure; hears nothing.

The shapes are the nine of Rhubarb Lip Sync (https://github.com/DanielSWolf/rhubarb-lip-sync#mouth-shapes), which game
artists know: A closed (m, b, p), B teeth (most consonants, ee), C open (e), D wide open (a), E rounded (o), F puckered
(u, w), G lip on teeth (f, v), H tongue up (l), X at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["shapes"]

_SHAPES: Final = {
    **dict.fromkeys("mbp", "A"),
    **dict.fromkeys("a\u00e1\u00e0\u00e2\u00e4", "D"),
    **dict.fromkeys("e\u00e9\u00e8\u00ea", "C"),
    **dict.fromkeys("o\u00f3\u00f2\u00f4\u00f6", "E"),
    **dict.fromkeys("uwq\u00fa\u00f9\u00fb\u00fc", "F"),
    **dict.fromkeys("fv", "G"),
    "l": "H",
}
_REST_MS: Final = 60
"""A pause as long as this closes the mouth."""


def shapes(text: str, words: Sequence[tuple[int, int, int, int]]) -> tuple[tuple[int, str], ...]:
    """The mouth's shapes while words sound, and rest between them.

    Args:
        text: The line, or the part of it that the words' places count in.
        words: ``(at, end, from_ms, to_ms)`` each, in order.

    Returns:
        ``(ms, shape)`` each, in order; a shape holds until the next.
    """
    made: list[tuple[int, str]] = []
    until = 0
    for at, end, start, stop in words:
        letters = [letter for letter in text[at:end].lower() if letter.isalnum()]
        if start - until >= _REST_MS or not made:
            _add(made, until, "X")
        for n, letter in enumerate(letters):
            _add(made, start + (stop - start) * n // len(letters), _SHAPES.get(letter, "B"))
        until = stop
    if made:
        _add(made, until, "X")
    return tuple(made)


def _add(made: list[tuple[int, str]], ms: int, shape: str) -> None:
    if not made or made[-1][1] != shape:
        made.append((ms, shape))
