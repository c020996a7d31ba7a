"""Which models speak, in which order. Pure: builds none of them."""

from __future__ import annotations

from typing import Final

from townsfolk.errors import UsageError

__all__ = ["CHOICES", "ladder"]

CHOICES: Final = ("auto", "realtime", "text", "local", "authored", "scripted", "simulator")
"""What ``model`` may be. ``topics`` and ``deflect`` are the two halves of ``authored``."""


def ladder(model: str, *, key: bool, second: bool, local: bool) -> tuple[str, ...]:
    """The models to try for a line, first to last.

    ``auto`` is the realtime model where there is a key, then the text model where there is one for it, with the rest
    behind them. Without a key the authored topics come first: a small local model invents and confesses, so it speaks
    only where no author has written an answer, and an authored deflection is the last word.

    Args:
        model: One of ``CHOICES``; ``scripted`` may carry a file, as in ``scripted:lines.yaml``.
        key: Whether there is an API key for the realtime model.
        second: Whether there is one for the text model.
        local: Whether there is a local model.

    Raises:
        UsageError: It is none of them.
    """
    kind = model.partition(":")[0]
    if kind not in CHOICES:
        raise UsageError("no_such_model", f"{model!r} is no model", hint=f"Choose one of {', '.join(CHOICES)}.")
    if kind == "auto":
        behind = ("topics", "local", "deflect") if local else ("topics", "deflect")
        return ("realtime", *(("text",) if second else ()), *behind) if key else behind
    if kind == "authored":
        return ("topics", "deflect")
    return (model,)
