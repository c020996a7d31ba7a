"""The openai SDK's clients, confined: a key and the environment's settings go to the server they are for. Asks nothing.

The SDK reads the environment: ``OPENAI_BASE_URL`` would send OpenAI's key elsewhere, and ``OPENAI_ORG_ID``,
``OPENAI_PROJECT_ID`` and ``OPENAI_CUSTOM_HEADERS`` would go to any server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OPENAI", "confined"]

OPENAI: Final = "https://api.openai.com/v1"


def confined(key: str, base_url: str | None, *, websocket: bool = False, **more: Any) -> AsyncOpenAI:
    """A client for one server.

    Args:
        key: May be empty for a server that wants none.
        base_url: The server, up to ``/v1``; OpenAI's own without it.
        websocket: Whether ``base_url`` is for WebSockets; nothing else may be asked of such a client.
        more: For the SDK.
    """
    from openai import AsyncOpenAI

    where = {"base_url": OPENAI, "websocket_base_url": base_url} if websocket else {"base_url": base_url or OPENAI}
    client = AsyncOpenAI(api_key=key or "none", max_retries=0, **where, **more)
    if base_url is not None:
        client.organization = client.project = None
        client._custom_headers = {}
    return client
