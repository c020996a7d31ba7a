"""Which key goes to which server. Reads the environment; writes and logs nothing."""

from __future__ import annotations

import os
from typing import Literal

from townsfolk.host.vendors import vendor_of

__all__ = ["key_for"]


def key_for(kind: Literal["realtime", "text"], url: str | None) -> str:
    """The key for a model's server, empty where there is none.

    ``OPENAI_API_KEY`` goes to OpenAI alone, ``AZURE_OPENAI_API_KEY`` to Azure: a server that somebody named in a
    setting must not get them. Another server's key is in ``TOWNSFOLK_REALTIME_KEY`` or ``TOWNSFOLK_TEXT_KEY``, which
    also come first for these two.
    """
    own = os.environ.get(f"TOWNSFOLK_{kind.upper()}_KEY", "").strip()
    if own:
        return own
    names = {"OpenAI": "OPENAI_API_KEY", "Azure": "AZURE_OPENAI_API_KEY", "compatible": ""}
    return os.environ.get(names[vendor_of(url)], "").strip()
