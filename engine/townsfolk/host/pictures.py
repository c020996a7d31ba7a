"""Pictures on their way through the host: put together from pieces, and told in words to whoever cannot see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from townsfolk.errors import HINTS, ModelError, ProtocolError, UsageError
from townsfolk.events import Status
from townsfolk.models.describe import Describer
from townsfolk.npc import Keep, Npc
from townsfolk.pictures import CHUNK, MAX_PICTURE, Picture, look
from townsfolk.wire.codec import raw

__all__ = ["Uploads", "Words"]

_AT_ONCE: Final = 2
"""Pictures of one game that may be on their way: an older one that nobody asked for is dropped."""


class Uploads:
    """The pictures that one game is sending."""

    def __init__(self) -> None:
        self._parts: dict[str, bytearray] = {}
        self._sizes: dict[str, int] = {}

    def take(self, sent: Mapping[str, Any]) -> None:
        """The next piece of a picture.

        Raises:
            ProtocolError: It does not fit to what came before, or the picture would be too large; it is dropped.
        """
        id, at, size, data = sent["id"], sent["at"], sent["size"], raw(sent["data"])
        fits = len(id) <= 100 and 0 < size <= MAX_PICTURE and 0 < len(data) <= min(CHUNK, size - at)
        if fits and at == 0:
            self._drop(id)
            while len(self._parts) >= _AT_ONCE:
                self._drop(next(iter(self._parts)))
            self._parts[id], self._sizes[id] = bytearray(), int(size)
        if not fits or at != len(self._parts.get(id, b"")) or size != self._sizes.get(id):
            self._drop(id)
            raise ProtocolError(
                "bad_picture", f"picture: a piece of {len(data):,} bytes at {at} of {size} does not fit"
            )
        self._parts[id] += data

    def claim(self, id: str, about: str) -> Picture:
        """A picture, all of which has come. It is not kept any longer.

        Raises:
            ProtocolError: It is not there, not whole, or no picture that can be shown.
        """
        data, size = bytes(self._parts.get(id, b"")), self._sizes.get(id)
        self._drop(id)
        if size is None or len(data) != size:
            raise ProtocolError("bad_picture", f"observe: {len(data):,} of {size or 0:,} bytes of the picture came")
        try:
            return look(data, about)
        except UsageError as error:
            raise ProtocolError(error.code, f"observe: {error.message}") from None

    def _drop(self, id: str) -> None:
        self._parts.pop(id, None)
        self._sizes.pop(id, None)


class Words:
    """Tells characters that cannot see what a picture shows.

    Args:
        describer: What says it; None where the game chose none.
        keep: Puts memories on disk.
        tell: Told, once for each reason, why a picture stays unseen.
    """

    def __init__(self, describer: Describer | None, keep: Keep, tell: Callable[[Status], None]) -> None:
        self._describer = describer
        self._keep = keep
        self._tell = tell
        self._told: set[str] = set()

    async def show(self, picture: Picture, npcs: Sequence[Npc]) -> None:
        """A picture has come into view of these characters."""
        blind = [npc for npc in npcs if npc.sight.detail is None]
        if not blind:
            return
        if self._describer is None:
            return self._trouble("picture_unseen", f"{blind[0].model.name} sees no pictures; it knows the words alone")
        try:
            words = await self._describer.describe(picture, blind[0].persona)
        except ModelError as error:
            return self._trouble(error.code, f"a picture was not described: {error.message}", error.hint)
        self._keep([npc.describe(picture, words) for npc in blind])

    async def close(self) -> None:
        """Stops what is being described."""
        if self._describer is not None:
            await self._describer.close()

    def _trouble(self, code: str, message: str, hint: str = "") -> None:
        if code not in self._told:
            self._told.add(code)
            self._tell(Status(code, message, hint or HINTS[code]))
