"""What a server's or the SDK's errors mean: a code, one clean sentence, and whether asking again helps. Asks nothing.

The SDK's errors are told by their shape (``status_code``, ``code``, ``type``, ``body``), so that this loads no SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from townsfolk.errors import ModelError

__all__ = ["complaint_of", "model_error_of", "refusal", "status_of"]

_BAD_KEY: Final = {"invalid_api_key", "account_deactivated", "invalid_authentication", "authentication_error"}
_QUOTA: Final = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "billing_not_active",
    "quota_exceeded",
}
_NO_MODEL: Final = {"model_not_found", "model_not_available", "deployment_not_found", "deploymentnotfound"}
_FILTER: Final = {"content_filter", "content_policy_violation", "moderation_blocked"}
_SLOWER: Final = {"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"}
_TRANSPORTS: Final = {"openai", "httpx", "httpx2", "httpcore", "httpcore2", "h11", "anyio", "websockets"}


def status_of(error: BaseException) -> int | None:
    """The HTTP status of a refused request, or ``None`` if it never got that far."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def complaint_of(error: BaseException) -> str:
    """What the server had to say, on one line."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        return _one_line(body.get("message") or body.get("detail") or body)
    return _one_line(body or getattr(error, "message", None) or error)


def model_error_of(error: BaseException, who: str, *, said: bool, secret: str = "") -> ModelError:
    """What went wrong, as our error.

    Args:
        error: The SDK's, or one of the HTTP library's that it let through.
        who: The model and its server, for the message.
        said: Whether words of the line have been shown: it then is an interrupted line, whatever the cause.
        secret: Is not repeated, whatever the server says.
    """
    status = status_of(error)
    if status is not None:
        body = getattr(error, "body", None)
        details = body if isinstance(body, dict) else {"message": complaint_of(error)}
        return refusal(details, who, status=status, said=said, secret=secret)
    body = getattr(error, "body", None)
    if isinstance(body, dict):  # an error in mid-stream
        return refusal({**body, "message": complaint_of(error)}, who, said=said, secret=secret)
    cause = error.__cause__ or error
    kind = type(cause).__name__
    reason = _one_line(cause).replace(secret, "***") if secret else _one_line(cause)
    if said:
        return ModelError("interrupted", f"The connection to {who} ended in mid-line ({reason or kind}).")
    if "Connect" in kind or isinstance(cause, OSError):
        return ModelError("connect_failed", f"{who} cannot be reached ({reason or kind}).")
    if isinstance(cause, TimeoutError) or "Timeout" in kind:
        return ModelError("timeout", f"{who} did not answer in time.")
    if isinstance(cause, ValueError) or "Decod" in kind or "Validation" in kind or kind == "BadStream":
        return ModelError("bad_response", f"{who} sent what is not the protocol ({reason or kind}).")
    if type(cause).__module__.partition(".")[0] in _TRANSPORTS:
        return ModelError("server_error", f"{who} ended the connection without an answer ({reason or kind}).")
    return ModelError("internal", f"{who}: {kind}: {reason}")


def refusal(
    error: Mapping[str, Any], who: str, *, status: int | None = None, said: bool = False, secret: str = ""
) -> ModelError:
    """A server's error object as our error. Compatible servers put the same word in ``code`` or in ``type``."""
    words = {str(error.get(key) or "").lower() for key in ("code", "type")}
    if status is None and str(error.get("code") or "").isdigit():
        status = int(str(error["code"]))
    message = _one_line(error.get("message") or error.get("detail") or "no reason given")
    if secret:
        message = message.replace(secret, "***")
    code, fatal = _meaning(words, status, message.lower())
    if said and not fatal:
        code = "interrupted"
    number = f"{status}: " if status else ""
    return ModelError(code, f"{who} refused: {number}{message}", fatal=fatal)


def _meaning(words: set[str], status: int | None, message: str) -> tuple[str, bool]:
    if words & _QUOTA or status == 402:
        return "quota", True
    if words & _BAD_KEY or status in (401, 403):
        return ("no_such_model", True) if words & _NO_MODEL else ("bad_key", True)
    if words & _NO_MODEL or status == 404:
        return "no_such_model", True
    if words & _FILTER:
        return "content_filter", False
    if status == 429 or words & _SLOWER:
        return "rate_limited", False
    if status in (408, 504):
        return "timeout", False
    if status is None or status >= 500:
        return "server_error", False
    if "content management policy" in message or "safety system" in message:
        return "content_filter", False
    return "bad_response", False


def _one_line(text: object) -> str:
    flat = " ".join(str(text).split())
    return flat if len(flat) <= 200 else flat[:199] + "…"
