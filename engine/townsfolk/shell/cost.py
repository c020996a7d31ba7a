"""What was spent, and what it would cost at other prices: tables for people, or one JSON object. Asks no model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from townsfolk.catalogue import Price, as_of, catalogue
from townsfolk.errors import UsageError
from townsfolk.ledger import PICO, By, Ledger, Sum, dollars, priced

__all__ = ["cost", "models"]

WORKLOADS: Final[Mapping[str, tuple[int, int, int]]] = {
    "support talk, 10 turns": (10, 500, 500),
    "voice translation": (1, 150, 150),
    "code help": (1, 2000, 1500),
    "meeting summary": (1, 20_000, 1000),
    "moderation": (1, 100, 10),
}
"""Requests, and tokens in and out of each."""
_LINE: Final = (1000, 60)
"""Tokens in and out of one npc line, where no use says better: a prompt near its budget, and two sentences."""


def cost(save: str | None, *, by: By, prices: str, lines_per_hour: float, as_json: bool) -> None:
    """Prints the use of a save and the what-if tables.

    Raises:
        UsageError: The prices cannot be read, or there is no such save.
        StoreError: The save cannot.
    """
    from townsfolk.memory.sqlite import read_spent

    tiers = _tiers(prices)
    if save and not Path(save).is_file():
        raise UsageError(
            "bad_argument", f"there is no save {save}", hint="Give the save that the game was played with."
        )
    ledger = Ledger(read_spent(Path(save)) if save else ())
    lines = len(ledger.total.lines)
    each = (round(ledger.total.input / lines), round(ledger.total.output / lines)) if lines else _LINE
    table = [_row(name, price, each, lines_per_hour) for name, price in tiers.items()]
    if as_json:
        use = {name: _plain(total) for name, total in ledger.by(by).items()}
        told = {"tokens_in": each[0], "tokens_out": each[1], "lines_per_hour": lines_per_hour, "measured": bool(lines)}
        print(json.dumps({"by": by, "use": use, "total": _plain(ledger.total), "line": told, "what_if": table}))
        return
    if save:
        _print_use(ledger, by)
    where = f"measured over {lines} lines" if lines else "assumed: give a save to use its own"
    print(f"What if: a line of {each[0]:,} tokens in and {each[1]:,} out ({where}),")
    print(f"{lines_per_hour:g} lines a player hour, nothing cached; US dollars")
    names = ["line", "player hour", *WORKLOADS]
    print(_table([["at", *names], *([row["at"], *(_usd(row[name]) for name in names)] for row in table)]))


def models(*, as_json: bool) -> None:
    """Prints the catalogue."""
    entries = list(catalogue().values())
    if as_json:
        rows = [
            {
                "name": each.name, "kind": each.kind, "context": each.context, "successor": each.successor,
                "shutdown": each.shutdown.isoformat() if each.shutdown else None,
                **{kind: _prices(price) for kind, price in (("text", each.text), ("audio", each.audio))},
                "image": _prices(each.image), "minute": each.minute,
            }
            for each in entries
        ]  # fmt: skip
        print(json.dumps({"as_of": as_of().isoformat(), "models": rows}))
        return
    print(f"Models as of {as_of()}; US dollars a million tokens: in / cached / out")
    lines = [["name", "kind", "context", "text", "audio", "ends", "use instead"]]
    for each in entries:
        audio = f"{each.minute:g} a minute" if each.minute is not None else _slashed(each.audio)
        context, ends = f"{each.context:,}" if each.context else "", str(each.shutdown or "")
        lines.append([each.name, each.kind, context, _slashed(each.text), audio, ends, each.successor or ""])
    print(_table(lines))


def _tiers(prices: str) -> dict[str, Price]:
    """The prices to compare: those that were asked for, and the catalogue's current models."""
    tiers = {}
    for part in filter(None, (each.strip() for each in prices.split(","))):
        numbers = part.split("/")
        try:
            came, went = float(numbers[0]), float(numbers[-1])
            if len(numbers) > 2 or came < 0 or went < 0:
                raise ValueError
        except ValueError:
            hint = "Give prices such as 0.05,0.15 or 0.60/2.40."
            raise UsageError("bad_argument", f"{part!r} is no price", hint=hint) from None
        tiers[f"{part} USD/M"] = Price(came, came, went)
    for entry in catalogue().values():
        if entry.text is not None and entry.successor is None and entry.shutdown is None:
            tiers[entry.name] = entry.text
    return tiers


def _row(name: str, price: Price, line: tuple[int, int], lines_per_hour: float) -> dict[str, Any]:
    one = priced(*line, price)
    row: dict[str, Any] = {"at": name, "line": one / PICO, "player hour": one * lines_per_hour / PICO}
    for what, (times, came, went) in WORKLOADS.items():
        row[what] = times * priced(came, went, price) / PICO
    return row


def _print_use(ledger: Ledger, by: By) -> None:
    if not ledger.entries:
        print("No paid model was asked.\n")
        return
    rows = [[by, "responses", "lines", "tokens in", "cached", "out", "USD", ""]]
    for name, total in [*ledger.by(by).items(), ("all", ledger.total)]:
        notes = [f"{total.unpriced} without a price"] if total.unpriced else []
        notes += [f"{total.estimated} estimated"] if total.estimated else []
        counts = (total.responses, len(total.lines), total.input, total.cached, total.output)
        rows.append([name, *(f"{count:,}" for count in counts), _usd(dollars(total.money)), ", ".join(notes)])
    print(_table(rows) + "\n")


def _plain(total: Sum) -> dict[str, Any]:
    return {
        "responses": total.responses, "lines": len(total.lines), "tokens_in": total.input, "cached": total.cached,
        "tokens_out": total.output, "usd": dollars(total.money), "unpriced": total.unpriced,
        "estimated": total.estimated,
    }  # fmt: skip


def _prices(price: Price | None) -> list[float] | None:
    return None if price is None else [price.input, price.cached, price.output]


def _slashed(price: Price | None) -> str:
    return "" if price is None else " / ".join(f"{each:g}" for each in (price.input, price.cached, price.output))


def _usd(amount: float) -> str:
    """Enough digits to tell small sums apart."""
    return f"{amount:.2f}" if amount >= 1 else f"{amount:.4f}" if amount >= 0.001 else f"{amount:.6f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns that line up: names to the left, numbers to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    right = [n > 0 and any(row[n][:1].isdigit() for row in rows[1:]) for n in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(row, widths, right, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
