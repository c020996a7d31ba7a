"""A conversation as the JSON frames that put it to a realtime server, all of them at once. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

__all__ = ["burst"]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HEAD: Final = '{"type":"conversation.item.create","item":{"id":"'
_KINDS: Final = {
    "user": '","type":"message","role":"user","content":[{"type":"input_text","text":',
    "assistant": '","type":"message","role":"assistant","content":[{"type":"output_text","text":',
    "system": '","type":"message","role":"system","content":[{"type":"input_text","text":',
}


def burst(talk: Iterable[tuple[str, str]], *, prefix: str) -> list[str]:
    """A ``conversation.item.create`` for each line, in order, to be sent one after the other without waiting.

    What was spoken is replayed as text: a server takes no assistant sound from a client.

    Args:
        talk: ``(role, text)`` each; the role is ``user``, ``assistant`` or ``system``.
        prefix: Items are named ``<prefix>_<n>``, so that they can be deleted without asking for their names.
    """
    return [f"{_HEAD}{prefix}_{n}{_KINDS[role]}{_encode(text)}}}]}}}}" for n, (role, text) in enumerate(talk)]
