"""Which key goes to which server."""

import pytest

from townsfolk.host.keys import key_for


@pytest.mark.parametrize(
    ("kind", "url", "key"),
    [
        ("realtime", None, "openai"),
        ("text", None, "openai"),
        ("text", "https://api.openai.com/v1", "openai"),
        ("realtime", "wss://eu.api.openai.com/v1", "openai"),
        ("text", "https://openai.com.evil.example/v1", ""),
        ("text", "https://notopenai.com/v1", ""),
        ("text", "http://127.0.0.1:11434/v1", ""),
        ("realtime", "ws://127.0.0.1:8765/v1", ""),
        ("text", "nonsense", ""),
    ],
)
def test_the_key_for_openai_goes_to_openai_alone(monkeypatch, kind, url, key):
    monkeypatch.setenv("OPENAI_API_KEY", " openai ")
    assert key_for(kind, url) == key


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("wss://res.openai.azure.com/openai/v1", "azure"),
        ("https://res.services.ai.azure.com/openai/v1", "azure"),
        ("https://openai.azure.com.evil.example/openai/v1", ""),
        ("https://evilopenai.azure.com/openai/v1", ""),
        ("https://api.openai.com/v1", "openai"),
        ("http://127.0.0.1:8080/v1", ""),
    ],
)
def test_the_key_for_azure_goes_to_azure_alone(monkeypatch, url, key):
    monkeypatch.setenv("OPENAI_API_KEY", "openai")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure")
    assert key_for("realtime", url) == key == key_for("text", url)


def test_another_servers_key_has_a_name_of_its_own(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "openai")
    monkeypatch.setenv("TOWNSFOLK_TEXT_KEY", "mine")
    assert key_for("text", "http://10.0.0.9/v1") == "mine" == key_for("text", None)
    assert key_for("realtime", None) == "openai"
    monkeypatch.delenv("TOWNSFOLK_TEXT_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert key_for("text", None) == ""
