"""Knows an API key by its shape, so that none ends up where it does not belong. Holds and fetches no key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from townsfolk.errors import UsageError

__all__ = ["no_keys"]

# OpenAI's keys and client secrets. Azure's are plain hexadecimal, and look like anything.
_KEY: Final = re.compile(r"\A\s*(?:sk-|ek_)|(?<![A-Za-z0-9])(?:sk-|ek_)[A-Za-z0-9_-]{16,}")


def no_keys(**given: object) -> None:
    """Whether none of the arguments holds an API key.

    Raises:
        UsageError: One does (``key_given``). The message does not repeat it.
    """
    for name, value in given.items():
        if _holds(value):
            raise UsageError("key_given", f"{name!r} holds an API key")


def _holds(value: object) -> bool:
    if isinstance(value, str):
        return _KEY.search(value) is not None
    if isinstance(value, Mapping):
        return any(_holds(each) for each in (*value.keys(), *value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds, value))
    return False
