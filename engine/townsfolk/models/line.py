"""One line that a realtime server is speaking: what has come of it, and how it ends. Knows no sockets and no clock."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from townsfolk.errors import ModelError
from townsfolk.models.base import Audio, Call, Emit, ModelEvent, Outcome, Spoken, Text, Usage
from townsfolk.models.decode import arguments, ending, usage_of

__all__ = ["RATE", "Line", "Took"]

RATE: Final = 24_000
"""Samples a second of what realtime servers speak as ``audio/pcm``; they know no other rate."""

Took: TypeAlias = Callable[[Usage, Outcome], None]
"""Told what a response took, and how it ended."""


class Line:
    """A line in flight.

    Attributes:
        rid: Our name for it, in the metadata of its response.
        response: The server's name for it, once the response is created.
        events: How many of its events have come, for the watch on silence.
        said: Whether words have come.
        dropped: Nobody listens any more; the server may still be speaking.
        settled: The server has ended it.
        done: How it ended.
    """

    __slots__ = (
        "_aside", "_calls", "_emit", "_took", "acted", "done", "dropped", "events", "notes", "response", "rid", "said",
        "settled",
    )  # fmt: skip

    def __init__(self, rid: str, emit: Emit, done: asyncio.Future[Spoken], took: Took) -> None:
        self.rid = rid
        self.response: str | None = None
        self.events = 0
        self.said = False
        self.acted = False
        self.dropped = False
        self.settled = False
        self.notes: list[str] = []
        self.done = done
        self._emit = emit
        self._took: Took | None = took
        self._calls: set[str] = set()
        self._aside: str | None = None

    def hear(self, event: Mapping[str, Any]) -> None:
        """More text. The hot path: it runs for every delta."""
        text = event["delta"]
        self.events += 1
        if self._aside is not None and event.get("item_id") == self._aside:
            return
        if text.__class__ is not str:
            return
        if not self.said:
            text = text.lstrip()
        if text:
            self.said = True
            try:
                self._emit(Text(text))
            except Exception as error:
                self._broken(error)

    def sound(self, event: Mapping[str, Any]) -> None:
        """More of its sound, base64 of pcm16 at 24 kHz."""
        self.events += 1
        if self._aside is not None and event.get("item_id") == self._aside:
            return
        try:
            pcm = b64decode(event["delta"], validate=True)
        except (TypeError, ValueError):
            return  # a piece is lost, and not the line
        if pcm:
            try:
                self._emit(Audio(pcm[: len(pcm) & ~1], RATE))
            except Exception as error:
                self._broken(error)

    def item(self, event: Mapping[str, Any], *, done: bool) -> None:
        """An item of the response begins or ends."""
        item = event.get("item")
        if not isinstance(item, dict):
            return
        if item.get("phase") == "commentary":  # the model thinks aloud: not a part of the line
            self._aside = item.get("id")
        elif done and item.get("type") == "function_call":
            self.call(item)

    def whole(self, event: Mapping[str, Any]) -> None:
        """The text is whole. Servers that send no deltas send it only here."""
        if not self.said:
            self.hear({**event, "delta": event.get("text") or event.get("transcript")})

    def call(self, event: Mapping[str, Any]) -> None:
        """A function call is whole. It may be told twice: by its own event, and as an item."""
        id, name = event.get("call_id") or event.get("id"), event.get("name")
        if not isinstance(id, str) or not isinstance(name, str) or not name or id in self._calls:
            return
        self._calls.add(id)
        args = arguments(event.get("arguments"))
        if args is None:
            self.notes.append(f"the action {name} was left out: its arguments are no JSON object")
            return
        self.acted = True
        try:
            self._emit(Call(id, name, args))
        except Exception as error:
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        """The listener failed: its own defect ends this line, not the others on the socket."""
        self.drop()
        self.fail(error)

    def end(self, response: Mapping[str, Any], who: str, model: str) -> None:
        """The server has ended it."""
        self.took(response)
        result = ending(response, who, model, said=self.said, acted=self.acted, notes=tuple(self.notes))
        if isinstance(result, ModelError):
            self.fail(result)
        elif not self.done.done():
            self.done.set_result(result)

    def took(self, response: Mapping[str, Any]) -> None:
        """Tells once what the response took: as the server says, or nothing that is known if it was lost."""
        if self._took is None:
            return
        told, self._took = self._took, None
        status = response.get("status")
        lost: Outcome = "cancelled" if self.dropped else "failed"
        if self.response is None:  # none was created: it took nothing
            return told(Usage(0, 0, 0), lost)
        told(usage_of(response), status if status in ("completed", "cancelled", "failed", "incomplete") else lost)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def drop(self) -> None:
        """Nobody listens any more: what still comes goes nowhere."""
        self.dropped = True
        self._emit = _nowhere


def _nowhere(event: ModelEvent) -> None:
    pass
