"""Which key goes to which server. Reads the environment; writes and logs nothing."""

from __future__ import annotations

import os
from typing import Final, Literal

from townsfolk.host.vendors import vendor_of
from townsfolk.models.secret import Secret

__all__ = ["key_for", "key_source", "secret_for"]

_USUAL: Final = {"OpenAI": "OPENAI_API_KEY", "Azure": "AZURE_OPENAI_API_KEY", "compatible": ""}


def key_for(kind: Literal["realtime", "text"], url: str | None) -> str:
    """The key for a model's server, empty where there is none.

    ``OPENAI_API_KEY`` goes to OpenAI alone, ``AZURE_OPENAI_API_KEY`` to Azure: a server that somebody named in a
    setting must not get them. Another server's key is in ``TOWNSFOLK_REALTIME_KEY`` or ``TOWNSFOLK_TEXT_KEY``, which
    also come first for these two.
    """
    return _said(f"TOWNSFOLK_{kind.upper()}_KEY") or _said(_USUAL[vendor_of(url)])


def secret_for(kind: Literal["realtime", "text"], url: str | None) -> Secret:
    """The same, or what gives a short-lived one: the command in ``TOWNSFOLK_REALTIME_KEY_COMMAND`` or ``..._TEXT_...``.

    A key in the server's own variable comes first, then its command, then the vendor's usual variable.
    """
    source = key_source(kind, url)
    return Secret(command=_said(source)) if source.endswith("_COMMAND") else Secret(key_for(kind, url))


def key_source(kind: Literal["realtime", "text"], url: str | None) -> str:
    """The environment variable that the key for a server comes from, empty where there is none."""
    own = f"TOWNSFOLK_{kind.upper()}_KEY"
    return next((name for name in (own, f"{own}_COMMAND", _USUAL[vendor_of(url)]) if _said(name)), "")


def _said(variable: str) -> str:
    return os.environ.get(variable, "").strip() if variable else ""
