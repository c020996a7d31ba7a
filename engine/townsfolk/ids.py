"""Names of things: what a character's id may look like, and ids for lines. Holds no registry of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

__all__ = ["is_id", "line_ids"]

_ID = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")


def is_id(text: str) -> bool:
    """Whether ``text`` can name a character, topic, fact or action: ``[a-z][a-z0-9_]*``, at most 48 characters."""
    return _ID.match(text) is not None


def line_ids(session: str) -> Iterator[str]:
    """Ids that are unique as long as ``session`` is: ``SESSION-1``, ``SESSION-2`` and so on."""
    return (f"{session}-{n}" for n in itertools.count(1))
