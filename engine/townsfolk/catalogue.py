"""Which models there are: names, kinds, successors, context, prices and shutdown dates, as dated data. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

__all__ = ["AS_OF", "CATALOGUE", "REALTIME", "TEXT", "Entry", "Price", "find", "sees"]

AS_OF: Final = date(2026, 11, 1)
"""When these facts were looked up. What a provider changed since is not here."""
REALTIME: Final = "gpt-realtime-2.1-mini"
"""The realtime model that is taken when nobody names one."""
TEXT: Final = "gpt-6-luna"
"""The same for chat completions."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    Attributes:
        name: As the provider calls it.
        kind: How it is spoken to: the realtime protocol, or chat completions and responses.
        context: Tokens that it can take in and give out together, where known.
        text: The price of text; None means unknown, never free.
        audio: The price of audio; None means unknown, or no audio.
        shutdown: From this day on the provider does not serve it.
        successor: What to use instead of it; its own name no longer works.
    """

    name: str
    kind: Literal["realtime", "text"]
    context: int | None = None
    text: Price | None = None
    audio: Price | None = None
    shutdown: date | None = None
    successor: str | None = None


_MINI: Final = Price(0.60, 0.06, 2.40)
_MINI_AUDIO: Final = Price(10, 0.30, 20)
_FULL: Final = Price(4, 0.40, 24)
_FULL_AUDIO: Final = Price(32, 0.40, 64)
_FIRST: Final = Price(4, 0.40, 16)
_END_OF_FIRST: Final = date(2027, 1, 20)

CATALOGUE: Final[tuple[Entry, ...]] = (
    Entry("gpt-realtime-2.1-mini", "realtime", 128_000, _MINI, _MINI_AUDIO),
    Entry("gpt-realtime-2.1", "realtime", 128_000, _FULL, _FULL_AUDIO),
    Entry("gpt-realtime-2", "realtime", 128_000, _FULL, _FULL_AUDIO),
    Entry("gpt-realtime-1.5", "realtime", 32_768, _FIRST, _FULL_AUDIO),
    Entry("gpt-realtime", "realtime", 32_768, _FIRST, _FULL_AUDIO, _END_OF_FIRST),
    Entry("gpt-realtime-2025-08-28", "realtime", 32_768, _FIRST, _FULL_AUDIO, _END_OF_FIRST),
    Entry("gpt-realtime-mini", "realtime", 32_768, _MINI, _MINI_AUDIO, _END_OF_FIRST),
    Entry("gpt-realtime-mini-2025-10-06", "realtime", 32_768, _MINI, _MINI_AUDIO, _END_OF_FIRST),
    Entry("gpt-realtime-mini-2025-12-15", "realtime", 32_768, _MINI, _MINI_AUDIO, _END_OF_FIRST),
    # The preview models spoke a protocol that is switched off.
    Entry("gpt-4o-mini-realtime-preview", "realtime", 16_000, successor=REALTIME),
    Entry("gpt-4o-mini-realtime-preview-2024-12-17", "realtime", 16_000, successor=REALTIME),
    Entry("gpt-4o-realtime-preview", "realtime", 32_768, successor="gpt-realtime-2.1"),
    Entry("gpt-4o-realtime-preview-2024-10-01", "realtime", 32_768, successor="gpt-realtime-2.1"),
    Entry("gpt-4o-realtime-preview-2024-12-17", "realtime", 32_768, successor="gpt-realtime-2.1"),
    Entry("gpt-4o-realtime-preview-2025-06-03", "realtime", 32_768, successor="gpt-realtime-2.1"),
    Entry("gpt-6-luna", "text", None, Price(0.10, 0.01, 0.50)),
    Entry("gpt-5.6-luna", "text", None, Price(0.20, 0.02, 1.20)),
    Entry("gpt-6.1-terra", "text", None, Price(1, 0.05, 5)),
    Entry("gpt-6.1-sol", "text", None, Price(2, 0.10, 10)),
    Entry("gpt-4o-mini", "text", 128_000, Price(0.15, 0.075, 0.60), shutdown=date(2027, 1, 14)),
    Entry("gpt-4.1-mini", "text", 1_047_576, Price(0.40, 0.10, 1.60), shutdown=date(2027, 1, 14)),
    Entry("gpt-5-nano", "text", 400_000, Price(0.05, 0.005, 0.40), shutdown=date(2026, 12, 11)),
    Entry("gpt-5-mini", "text", 400_000, Price(0.25, 0.025, 2), shutdown=date(2026, 12, 11)),
)

_BY_NAME: Final[Mapping[str, Entry]] = {entry.name: entry for entry in CATALOGUE}


def find(name: str) -> Entry:
    """The entry of a model. One that is not listed gets an entry in which all is unknown."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith("gpt-4o-mini-realtime-preview"):
        return Entry(name, "realtime", successor=REALTIME)
    return Entry(name, "realtime" if "realtime" in name else "text")


_SEEING: Final = frozenset(
    "gpt-realtime-2.1-mini gpt-realtime-2.1 gpt-realtime-2 gpt-realtime-1.5 gpt-realtime gpt-realtime-2025-08-28"
    " gpt-realtime-mini gpt-realtime-mini-2025-10-06 gpt-realtime-mini-2025-12-15 gpt-6-luna gpt-5.6-luna gpt-6.1-terra"
    " gpt-6.1-sol gpt-4o-mini gpt-4.1-mini gpt-5-nano gpt-5-mini".split()
)


def sees(name: str) -> bool:
    """Whether a model is known to take pictures. One that is not listed may do so too: a setting says it."""
    return name in _SEEING
