"""Has a realtime server make a short-lived client secret, and prints it. Keeps none, and starts no session with it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from townsfolk.cast import load_cast
from townsfolk.catalogue import find
from townsfolk.errors import ModelError, UsageError
from townsfolk.host.config import Config
from townsfolk.host.keys import secret_for
from townsfolk.host.vendors import host_of
from townsfolk.models.refusals import model_error_of
from townsfolk.models.sdk import confined
from townsfolk.prompt import instructions, stable_parts

__all__ = ["secret"]

_WITHIN: Final = 30.0


async def secret(settings: Mapping[str, Any], *, minutes: float, npc: str | None, as_json: bool) -> int:
    """Makes one, with the key in the environment.

    Args:
        settings: Of the host; those of the realtime model count.
        minutes: How long sessions can be begun with it.
        npc: The character that a session begun with it is, unless the client says otherwise.
        as_json: Print ``value``, ``expires_at`` and ``model``: what a key command may print.

    Raises:
        TownsfolkError: There is none to be had.
    """
    if not 1 / 6 <= minutes <= 120:
        raise UsageError("bad_argument", f"{minutes:g} minutes is not between 10 seconds and 2 hours")
    config = Config.read(settings)
    key = await secret_for("realtime", config.realtime_url).fetch()
    if not key:
        raise ModelError("missing_key", "A client secret is made with a key, and there is none.")
    if key.startswith("ek_"):
        raise ModelError("bad_key", "A client secret makes no others; the key itself is needed.")
    model = config.realtime_model
    if config.realtime_url is None:
        model = find(model).successor or model
    session: dict[str, Any] = {"type": "realtime", "model": model, "output_modalities": ["text"]}
    if npc is not None:
        cast = await asyncio.to_thread(load_cast, Path(config.characters))
        if npc not in cast.personas:
            raise UsageError("unknown_npc", f"there is no character {npc!r}")
        persona = cast.personas[npc]
        session["instructions"] = instructions(stable_parts(persona, cast.world, config.budget))
        session["max_output_tokens"] = persona.model.max_tokens
    made = await _make(config.realtime_url, key, session, round(minutes * 60))
    if as_json:
        print(json.dumps({"value": made.value, "expires_at": made.expires_at, "model": model}))
    else:
        print(made.value)
        until = datetime.fromtimestamp(made.expires_at).strftime("%H:%M:%S")
        left = (made.expires_at - time.time()) / 60
        print(
            f"Good until {until} ({left:.0f} minutes) for {model} on {host_of(config.realtime_url)}. Whoever has it can"
            " begin as many sessions as they like until then, each on your account and for up to an hour.",
            file=sys.stderr,
        )
    return 0


async def _make(url: str | None, key: str, session: dict[str, Any], seconds: int) -> Any:
    client = confined(key, _http(url) if url else None)
    try:
        async with asyncio.timeout(_WITHIN):
            made = await client.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": seconds},
                session=session,  # type: ignore[arg-type]
            )
    except Exception as error:
        raise model_error_of(error, host_of(url), said=False, secret=key) from None
    finally:
        await client.close()
    if not isinstance(made.value, str) or not made.value or not isinstance(made.expires_at, int):
        raise ModelError("bad_response", f"{host_of(url)} sent no client secret.")
    return made


def _http(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme={"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)))
