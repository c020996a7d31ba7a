"""Sound at another rate, piece by piece. The arithmetic is libsoxr's (extra ``voice``); equal rates need nothing."""

from __future__ import annotations

import importlib
from typing import Any, Final, Protocol

from townsfolk.errors import ModelError

__all__ = ["Resampler", "resampler"]


class Resampler(Protocol):
    """Keeps what it needs of one piece for the next, so that pieces join without a click."""

    def feed(self, pcm: bytes) -> bytes:
        """More sound, one channel of signed 16-bit little-endian samples; what can be given of it by now."""
        ...

    def end(self) -> bytes:
        """What was kept back."""
        ...


def resampler(rate: int, to: int) -> Resampler:
    """A resampler from one rate to another, samples a second.

    Raises:
        ModelError: ``missing_extra``: libsoxr is not installed, and the rates differ.
    """
    if rate == to:
        return _Same()
    try:
        return _Soxr(rate, to)
    except ImportError:
        raise ModelError("missing_extra", f"Sound at {rate} samples a second needs `townsfolk[voice]`.") from None


class _Same:
    def feed(self, pcm: bytes) -> bytes:
        return pcm

    def end(self) -> bytes:
        return b""


class _Soxr:
    """See https://github.com/dofuuz/python-soxr: streams keep their filter's state."""

    _QUALITY: Final = "HQ"

    def __init__(self, rate: int, to: int) -> None:
        self._np: Any = importlib.import_module("numpy")
        self._stream: Any = importlib.import_module("soxr").ResampleStream(
            rate, to, 1, dtype="int16", quality=self._QUALITY
        )
        self._rest = b""

    def feed(self, pcm: bytes) -> bytes:
        whole = self._rest + pcm
        cut = len(whole) & ~1
        self._rest = whole[cut:]
        made: bytes = self._stream.resample_chunk(self._np.frombuffer(whole[:cut], dtype="<i2")).tobytes()
        return made

    def end(self) -> bytes:
        empty = self._np.zeros(0, dtype="<i2")
        made: bytes = self._stream.resample_chunk(empty, last=True).tobytes()
        return made
