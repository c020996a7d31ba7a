"""What responses took and cost: one entry each, and their sums. Pure: time is passed in; keeps nothing on disk.

Tokens are exact: the sums of what servers said. Money is a whole number of picodollars (trillionths of a US dollar), so
that a million small sums add up to what they should; it is None where a price is not known, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from townsfolk.catalogue import Entry as Model
from townsfolk.catalogue import Price

__all__ = ["BY", "PICO", "Ledger", "Spent", "Sum", "Tokens", "cost", "day_of", "dollars", "start_of_day"]

PICO: Final = 10**12
By = Literal["npc", "player", "session", "day", "model", "status"]
BY: Final[tuple[By, ...]] = ("npc", "player", "session", "day", "model", "status")
_PER_TOKEN: Final = 10**6  # dollars a million tokens are millionths of a dollar a token: this many picodollars


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one response by kind. ``cached_*`` are part of ``input_*``."""

    input_text: int = 0
    input_audio: int = 0
    input_image: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    cached_image: int = 0
    output_text: int = 0
    output_audio: int = 0

    @property
    def input(self) -> int:
        return self.input_text + self.input_audio + self.input_image

    @property
    def cached(self) -> int:
        return self.cached_text + self.cached_audio + self.cached_image

    @property
    def output(self) -> int:
        return self.output_text + self.output_audio


@dataclass(frozen=True, slots=True)
class Spent:
    """One response.

    Attributes:
        at: Seconds since 1970.
        money: Picodollars; None where the price is not known.
        estimated: The server did not say all: what is missing was estimated.
    """

    at: float
    session: str
    npc: str
    player: str
    model: str
    status: str
    line: str
    tokens: Tokens
    money: int | None
    estimated: bool = False


@dataclass(slots=True)
class Sum:
    """What several responses took. ``unpriced``: so many of them have no known price, and are not in ``money``."""

    responses: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    audio: int = 0
    money: int = 0
    unpriced: int = 0
    estimated: int = 0
    lines: set[str] = field(default_factory=set)

    def add(self, spent: Spent) -> None:
        self.responses += 1
        self.input += spent.tokens.input
        self.cached += spent.tokens.cached
        self.output += spent.tokens.output
        self.audio += spent.tokens.input_audio + spent.tokens.output_audio
        self.money += spent.money or 0
        self.unpriced += spent.money is None
        self.estimated += spent.estimated
        self.lines.add(spent.line)


def day_of(at: float) -> str:
    """The day in UTC, such as ``2026-11-23``."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def start_of_day(at: float) -> float:
    """When the day (UTC) began, in seconds since 1970."""
    return at - at % 86_400


def dollars(pico: int) -> float:
    """Picodollars as dollars, for people."""
    return pico / PICO


def cost(tokens: Tokens, model: Model) -> int | None:
    """What a response cost: of each kind, what was not cached, what was, and what came out, times its price.

    See "Managing costs" in OpenAI's realtime documentation: cached tokens are a part of the input tokens.

    Returns:
        Picodollars, or None when a kind of token that it took has no known price.
    """
    kinds = (
        (model.text, tokens.input_text, tokens.cached_text, tokens.output_text),
        (model.audio, tokens.input_audio, tokens.cached_audio, tokens.output_audio),
        (model.image, tokens.input_image, tokens.cached_image, 0),
    )
    total = 0
    for price, came, cached, went in kinds:
        if not (came or cached or went):
            continue
        if price is None:
            return None
        total += _times(price.input, max(0, came - cached)) + _times(price.cached, cached) + _times(price.output, went)
    return total if model.text is not None or total else None


def _times(price: float, tokens: int) -> int:
    return round(price * _PER_TOKEN) * tokens


def priced(input_tokens: int, output_tokens: int, price: Price) -> int:
    """Picodollars of a response of text, with nothing cached."""
    return _times(price.input, input_tokens) + _times(price.output, output_tokens)


class Ledger:
    """All entries, and sums of them that are kept up to date."""

    def __init__(self, entries: Iterable[Spent] = ()) -> None:
        self.entries: list[Spent] = []
        self.total = Sum()
        self._sums: dict[tuple[str, ...], Sum] = {}
        for entry in entries:
            self.add(entry)

    def add(self, spent: Spent) -> None:
        self.entries.append(spent)
        self.total.add(spent)
        day = day_of(spent.at)
        keys = [("day", day), ("session", spent.session), ("player day", spent.player, day)]
        keys += [("npc", spent.npc), ("player", spent.player), ("model", spent.model), ("status", spent.status)]
        for key in keys:
            self._sums.setdefault(key, Sum()).add(spent)

    def sum(self, *key: str) -> Sum:
        """The sum of, for instance, ``"day", "2026-11-23"`` or ``"player day", "ana", "2026-11-23"``."""
        return self._sums.get(key, Sum())

    def by(self, what: By) -> dict[str, Sum]:
        """The sums of all npcs, players, sessions, days, models or endings; the dearest first."""
        found = {key[1]: total for key, total in self._sums.items() if key[0] == what}
        return dict(sorted(found.items(), key=lambda item: (-item[1].money, -item[1].input, item[0])))
