"""A key as it is now: fixed, or asked of a command that gives short-lived ones. Reads no settings."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
import time
from typing import Any, Final

from townsfolk.errors import ModelError

__all__ = ["Secret"]

_WITHIN: Final = 10.0
_LASTS: Final = 300.0
"""Seconds that a key is used for when nobody says how long it is good."""
_MARGIN: Final = 60.0
_MOST: Final = 16_384


class Secret:
    """A key for a model's server.

    Args:
        key: The key, empty where there is none.
        command: A command line that prints a key, or JSON that holds one (``value`` or ``accessToken``, and maybe
            ``expires_at`` or ``expires_on`` in seconds since 1970). It is run without a shell, when a key is needed and
            the last one is old. Such keys may be Entra tokens or OpenAI's client secrets.

    Attributes:
        key: The key that was used last, so that no message repeats it.
    """

    def __init__(self, key: str = "", command: str = "") -> None:
        self.key = key.strip()
        self._command = command
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    def __bool__(self) -> bool:
        return bool(self.key or self._command)

    @property
    def short_lived(self) -> bool:
        """Whether it is a client secret: good for minutes, and for the realtime protocol alone."""
        return self.key.startswith("ek_")

    async def fetch(self) -> str:
        """The key to use now.

        Raises:
            ModelError: The command gives none (``key_command``), or the key cannot be sent (``bad_key``).
        """
        if self._command:
            async with self._asking:
                if time.time() >= self._good_until:
                    self.key, self._good_until = await asyncio.to_thread(self._run)
        if not (self.key.isascii() and self.key.isprintable()):
            raise ModelError("bad_key", "The API key holds characters that no key has.", fatal=True)
        return self.key

    def refused(self) -> bool:
        """The server does not take the key. Whether another may be had."""
        self._good_until = 0.0
        return bool(self._command)

    def _run(self) -> tuple[str, float]:
        try:
            words = shlex.split(self._command)
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=_WITHIN, check=True,
            )  # fmt: skip
        except (OSError, ValueError, IndexError) as error:
            raise ModelError("key_command", f"The command for the key cannot be run: {error}") from None
        except subprocess.TimeoutExpired:
            raise ModelError("key_command", f"The command for the key took over {_WITHIN:g} s.") from None
        except subprocess.CalledProcessError as error:
            raise ModelError("key_command", f"The command for the key failed with status {error.returncode}.") from None
        key, good_until = _key_in(done.stdout[:_MOST].decode("utf-8", "replace").strip())
        if not key:
            raise ModelError("key_command", "The command for the key printed none.")
        return key, good_until


def _key_in(printed: str) -> tuple[str, float]:
    """The key, and until when to use it."""
    now = time.time()
    if not printed.startswith("{"):
        return printed.partition("\n")[0].strip(), now + _LASTS
    try:
        said: dict[str, Any] = json.loads(printed)
    except ValueError:
        return "", 0.0
    key, ends = said.get("value") or said.get("accessToken"), said.get("expires_at") or said.get("expires_on")
    if not isinstance(key, str):
        return "", 0.0
    good_until = ends - _MARGIN if isinstance(ends, int | float) else now + _LASTS
    return key.strip(), max(good_until, now + 1.0)
