"""A picture that a game shows, as messages: reads and checks the file at the call. Sends nothing."""

from __future__ import annotations

from pathlib import Path

from townsfolk.errors import UsageError
from townsfolk.pictures import MAX_PICTURE, chunks, look
from townsfolk.wire.codec import Message

__all__ = ["pieces_of"]


def pieces_of(image: bytes | str | Path, about: str, id: str) -> list[Message]:
    """The messages that carry a picture, in order.

    Args:
        image: The file, or its bytes.
        about: What the game says it shows.
        id: What to call it.

    Raises:
        UsageError: It is neither a path nor bytes, or no picture that can be shown (``bad_picture``).
    """
    if not about.strip():
        raise UsageError("bad_argument", "a picture comes with words that say what it shows")
    data, name = _read(image)
    look(data, name=name)
    return [{"t": "picture", "id": id, "at": at, "size": len(data), "data": piece} for at, piece in chunks(data)]


def _read(image: bytes | str | Path) -> tuple[bytes, str]:
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image), "the picture"
    if not isinstance(image, str | Path):
        raise UsageError("bad_argument", f"a picture is a file's path or its bytes, not a {type(image).__name__}")
    path = Path(image)
    try:
        if not path.is_file():  # a pipe would hold up the frame
            raise UsageError("bad_picture", f"there is no file {str(path)!r}")
        with path.open("rb") as file:
            return file.read(MAX_PICTURE + 1), path.name
    except (OSError, ValueError) as error:
        raise UsageError("bad_picture", f"{str(path)!r} cannot be read: {error}") from None
