"""Whose a model's server is, and what follows from that. Asks no server."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from townsfolk.catalogue import find, sees
from townsfolk.errors import UsageError
from townsfolk.host.config import Config
from townsfolk.pictures import Detail

__all__ = ["Vendor", "can_see", "check_pictures", "detail_of", "host_of", "vendor_of"]

Vendor: TypeAlias = Literal["OpenAI", "Azure", "compatible"]

_OPENAI: Final = ("openai.com",)
_AZURE: Final = ("openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com")


def host_of(url: str | None) -> str:
    """The host that a model's server is on."""
    return (urlsplit(url).hostname or "") if url else "api.openai.com"


def vendor_of(url: str | None) -> Vendor:
    """Whose server it is. Anybody's that speaks the same protocol is ``compatible``."""
    host = host_of(url)
    if _within(host, _OPENAI):
        return "OpenAI"
    return "Azure" if _within(host, _AZURE) else "compatible"


def can_see(config: Config, rung: str) -> bool:
    """Whether a model of the ladder takes pictures: what the settings say, else what is known of its name."""
    match rung:
        case "realtime":
            told, url, name = config.realtime_sees, config.realtime_url, config.realtime_model
        case "text":
            told, url, name = config.text_sees, config.text_url, config.text_model
        case _:
            return rung == "simulator"
    if told is not None:
        return told
    return vendor_of(url) != "compatible" and sees(find(name).successor or name)


def detail_of(config: Config) -> Detail:
    """How closely pictures are looked at."""
    return "high" if config.picture_detail == "high" else "low"


def check_pictures(config: Config) -> None:
    """Whether the settings for pictures make sense.

    Raises:
        UsageError: They do not.
    """
    if config.picture_detail not in ("low", "high"):
        raise UsageError("bad_argument", f"picture_detail is 'low' or 'high', not {config.picture_detail!r}")
    model = config.picture_model
    if model not in (None, "realtime", "text"):
        raise UsageError("bad_argument", f"picture_model is 'realtime' or 'text', not {model!r}")
    if model is not None and not can_see(config, model):
        hint = f"Choose another model, or set {model}_sees=true if it does."
        raise UsageError("bad_argument", f"picture_model is {model!r}, which is not known to see", hint=hint)


def _within(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
