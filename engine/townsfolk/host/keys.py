"""Which key goes to which server. Reads the environment; writes and logs nothing."""

from __future__ import annotations

import os
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["key_for"]


def key_for(kind: Literal["realtime", "text"], url: str | None) -> str:
    """The key for a model's server, empty where there is none.

    ``OPENAI_API_KEY`` goes to OpenAI alone: a server that somebody named in a setting must not get it. Another server's
    key is in ``TOWNSFOLK_REALTIME_KEY`` or ``TOWNSFOLK_TEXT_KEY``, which also come first for OpenAI.
    """
    own = os.environ.get(f"TOWNSFOLK_{kind.upper()}_KEY", "").strip()
    if own:
        return own
    host = urlsplit(url).hostname if url else "api.openai.com"
    openai = host is not None and (host == "openai.com" or host.endswith(".openai.com"))
    return os.environ.get("OPENAI_API_KEY", "").strip() if openai else ""
