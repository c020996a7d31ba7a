"""Whose a server is, and which model takes pictures."""

from __future__ import annotations

from typing import Any

import pytest

from townsfolk.host.config import Config
from townsfolk.host.vendors import can_see, vendor_of

AZURE = "https://res.openai.azure.com/openai/v1"


@pytest.mark.parametrize(
    ("url", "vendor"),
    [
        (None, "OpenAI"),
        ("wss://eu.api.openai.com/v1", "OpenAI"),
        (AZURE, "Azure"),
        ("https://RES.OpenAI.Azure.com/openai/v1", "Azure"),
        ("wss://res.services.ai.azure.com/openai/v1", "Azure"),
        ("https://azure.com.evil.example/v1", "compatible"),
        ("https://evil-openai.com/v1", "compatible"),
        ("ws://user:sk@127.0.0.1:8765/v1", "compatible"),
        ("nonsense", "compatible"),
    ],
)
def test_a_vendor_is_known_by_its_host(url: str | None, vendor: str) -> None:
    assert vendor_of(url) == vendor


@pytest.mark.parametrize(
    ("settings", "rung", "sees"),
    [
        ({}, "realtime", True),
        ({"realtime_model": "gpt-4o-mini-realtime-preview-2024-12-17"}, "realtime", True),  # its successor does
        ({"realtime_model": "gpt-realtime-9"}, "realtime", False),
        ({"realtime_url": "ws://127.0.0.1:9/v1"}, "realtime", False),
        ({"realtime_url": "ws://127.0.0.1:9/v1", "realtime_sees": True}, "realtime", True),
        ({"realtime_sees": False}, "realtime", False),
        ({"realtime_url": AZURE, "realtime_model": "gpt-realtime-2.1"}, "realtime", True),
        ({"realtime_url": AZURE, "realtime_model": "dep"}, "realtime", False),
        ({}, "text", True),
        ({"text_url": "http://127.0.0.1:9/v1"}, "text", False),
        ({"text_url": "http://127.0.0.1:9/v1", "text_sees": True}, "text", True),
        ({}, "simulator", True),
        ({}, "local", False),
        ({}, "topics", False),
    ],
)
def test_a_model_sees_if_it_is_known_to_or_said_to(settings: dict[str, Any], rung: str, sees: bool) -> None:
    assert can_see(Config("characters", **settings), rung) is sees
