"""One warm realtime socket: lines go out as responses, frames come in and reach their lines. Decides no retries."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from townsfolk.errors import ModelError
from townsfolk.models.base import Emit, Spoken
from townsfolk.models.decode import TEXT_DELTA, decode, is_busy
from townsfolk.models.line import Line, Took
from townsfolk.models.refusals import refusal

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    from townsfolk.models.direct import DirectConnection

__all__ = ["Busy", "Lost", "Settings", "Socket"]

_log = logging.getLogger(__name__)
_GRACE: Final = 5.0
"""How long a line that nobody listens to holds its place, if the server does not end it."""
_CLOSE: Final = 1.0
_EXPIRED: Final = "session_expired"
_TO_LINE: Final[Mapping[str, Callable[[Line, Mapping[str, Any]], None]]] = {
    "response.output_audio.delta": Line.sound,
    "response.output_audio_transcript.delta": Line.hear,
    "response.text.delta": Line.hear,  # the names before GA; some compatible servers kept them
    "response.audio_transcript.delta": Line.hear,
    "response.audio.delta": Line.sound,
    "response.output_text.done": Line.whole,
    "response.output_audio_transcript.done": Line.whole,
    "response.text.done": Line.whole,
    "response.audio_transcript.done": Line.whole,
    "response.function_call_arguments.done": Line.call,
    "response.output_item.added": lambda line, event: line.item(event, done=False),
    "response.output_item.done": lambda line, event: line.item(event, done=True),
}


class Busy(Exception):
    """The server speaks only one response at a time; the line was not begun."""


class Lost(ModelError):
    """The socket was lost before the line began: another socket may be asked."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all sockets of a model share. ``who`` is the model and its server, in messages; ``secret`` is never told."""

    model: str
    who: str
    secret: str
    in_flight: int
    created_s: float
    stall_s: float


class Socket:
    """A session that has begun. Lines run beside each other on it.

    Attributes:
        busy: Lines that hold a place: reserved, spoken, or cancelled and not yet ended by the server.
        limit: At most so many at once; drops to 1 when the server turns out to take only one.
        lost: The connection is gone.
        usable_until: The loop's time after which it takes no new line.
        idle_since: The loop's time when its last line ended.
    """

    def __init__(
        self,
        connection: AsyncRealtimeConnection,
        settings: Settings,
        usable_until: float,
        changed: Callable[[Socket], None],
        direct: DirectConnection | None = None,
    ) -> None:
        self.busy = 0
        self.limit = settings.in_flight
        self.lost = False
        self._connection = connection
        self._settings = settings
        self.usable_until = usable_until
        self.idle_since = asyncio.get_running_loop().time()
        self._changed = changed
        self._lines: dict[str, Line] = {}
        self._by_response: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        # Messages come directly where they can; the reader has those that came before, and learns of the end.
        self._reader = self._loop.create_task(self._read(), name="realtime reader")
        if direct is not None:
            direct.hear = self._take

    @property
    def usable(self) -> bool:
        """Whether it takes new lines, now or when one has ended."""
        return not self.lost and self._loop.time() < self.usable_until

    @property
    def has_room(self) -> bool:
        return self.busy < self.limit and self.usable

    def retire(self) -> None:
        """Takes no new lines; those that are spoken go on."""
        self.usable_until = 0.0

    def release(self) -> None:
        """Gives back a place."""
        self.busy -= 1
        self.idle_since = self._loop.time()
        self._changed(self)

    async def speak(self, rid: str, payload: str, emit: Emit, took: Took = lambda usage, status: None) -> Spoken:
        """Speaks a line in a place that was reserved by raising ``busy``; gives the place back when the server is done.

        Args:
            took: Told once what the response took: when it has ended at the server, was refused, or is lost.

        Raises:
            Busy: The server takes only one response at a time.
            Lost: The connection went before anything came.
            ModelError: Anything else.
        """
        line = Line(rid, emit, self._loop.create_future(), took)
        self._lines[rid] = line
        watch = self._loop.create_task(self._watch(line), name="realtime watch")
        try:
            if self.lost:
                raise Lost("connect_failed", f"The connection to {self._settings.who} was lost.")
            await self._send(payload)
            return await line.done
        finally:
            watch.cancel()
            if not line.done.cancel() and not line.done.cancelled():
                line.done.exception()  # it may have failed while the request was being sent: that has been told
            if not line.settled:
                self._abandon(line)

    async def close(self) -> None:
        """Closes the connection; lines on it fail."""
        self._lose(ModelError("closed", "The model was closed."))
        self._reader.cancel()
        for task in list(self._tasks):
            task.cancel()
        with suppress(Exception):  # it is gone, one way or the other
            async with asyncio.timeout(_CLOSE):
                await self._connection.close()
        await asyncio.gather(self._reader, *self._tasks, return_exceptions=True)

    # the server speaks

    async def _read(self) -> None:
        try:
            while not self.lost:
                self._take(await self._connection.recv_bytes())
        except Exception as error:
            self._lose(self._reason(error))

    def _take(self, data: bytes) -> None:
        """One frame. The hot path: nearly all are text deltas."""
        try:
            event = decode(data)
            if event.__class__ is dict and event.get("type") == TEXT_DELTA and "delta" in event:
                line = self._by_response.get(event.get("response_id", ""))
                if line is not None:
                    line.hear(event)
            else:
                self._handle(event)
        except Exception as error:
            # A frame that cannot be read may have been a part of any line: none of them can be trusted now.
            if not isinstance(error, ValueError | TypeError):
                _log.exception("an event of %s could not be handled", self._settings.who)
            self._lose(Lost("bad_response", f"{self._settings.who} sent what is not the realtime protocol."))

    def _handle(self, event: Any) -> None:
        if not isinstance(event, dict):
            return
        kind = event.get("type")
        match kind:
            case "response.created":
                self._created(_mapping(event.get("response")))
            case "response.done":
                self._done(_mapping(event.get("response")))
            case "error":
                self._error(_mapping(event.get("error")) or event)
            case _:
                line = self._by_response.get(str(event.get("response_id")))
                if line is not None:
                    line.events += 1
                    if (act := _TO_LINE.get(str(kind))) is not None:
                        act(line, {"delta": None, **event})

    def _created(self, response: Mapping[str, Any]) -> None:
        id, line = response.get("id"), self._line_of(response)
        if line is None or not isinstance(id, str):
            return
        line.response = id
        line.events += 1
        self._by_response[id] = line
        if line.dropped:
            self._cancel(line)

    def _done(self, response: Mapping[str, Any]) -> None:
        line = self._by_response.get(str(response.get("id"))) or self._line_of(response)
        if line is not None:
            line.end(response, self._settings.who, f"realtime:{self._settings.model}")
            self._settle(line)

    def _line_of(self, response: Mapping[str, Any]) -> Line | None:
        """The line of a response that is new to us: by our own name, or the one that has waited longest."""
        metadata = response.get("metadata")
        if isinstance(metadata, dict) and "rid" in metadata:
            return self._lines.get(str(metadata["rid"]))
        return next((line for line in self._lines.values() if line.response is None), None)

    def _error(self, error: Mapping[str, Any]) -> None:
        about = str(error.get("event_id") or "")
        if about.startswith("cancel/") or error.get("code") == "response_cancel_not_active":
            return
        line = self._lines.get(about)
        if error.get("code") == _EXPIRED or error.get("type") == _EXPIRED:
            self._lose(Lost("connect_failed", f"{self._settings.who} ended the session: it had lasted too long."))
            return
        if is_busy(error):
            self.limit = 1
            line = line or next((each for each in self._lines.values() if each.response is None), None)
            if line is not None:
                line.fail(Busy())
                self._settle(line)
            return
        problem = refusal(error, self._settings.who, said=line.said if line else False, secret=self._settings.secret)
        if line is not None:
            line.fail(problem)
            if line.response is None:  # refused: no response will come
                self._settle(line)
        elif problem.fatal:
            self._lose(problem)
        elif not about and len(self._lines) == 1:
            (line,) = self._lines.values()
            line.fail(refusal(error, self._settings.who, said=line.said, secret=self._settings.secret))

    # we speak

    async def _send(self, payload: str) -> None:
        try:
            async with asyncio.timeout(self._settings.created_s):
                await self._connection.send_raw(payload)
        except TimeoutError:
            self.retire()
            raise ModelError("timeout", f"{self._settings.who} does not take what is sent to it.") from None
        except Exception as error:
            self._lose(self._reason(error))
            raise self._reason(error) from None

    def _abandon(self, line: Line) -> None:
        """Nobody waits for the line any more: tell the server, and leave it some time to say that it has stopped."""
        line.drop()
        if self.lost:
            self._settle(line)
            return
        if line.response is not None:
            self._cancel(line)
        self._loop.call_later(_GRACE, self._settle, line)

    def _cancel(self, line: Line) -> None:
        event = {"type": "response.cancel", "event_id": f"cancel/{line.rid}", "response_id": line.response}
        task = self._loop.create_task(self._send_quietly(json.dumps(event)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_quietly(self, payload: str) -> None:
        with suppress(ModelError):  # the reader tells it to those who wait
            await self._send(payload)

    # how lines end

    async def _watch(self, line: Line) -> None:
        """Fails the line when the server is silent: before the response is created, or for too long in it."""
        settings = self._settings
        await asyncio.sleep(settings.created_s)
        if not line.events:
            self.retire()  # it may be half-open: other lines may go on, new ones shall not trust it
            line.fail(ModelError("timeout", f"{settings.who} did not begin to answer in {settings.created_s:g} s."))
            return
        quarters, seen = 0, -1
        while quarters < 4:
            quarters, seen = (quarters + 1, seen) if line.events == seen else (0, line.events)
            await asyncio.sleep(settings.stall_s / 4)
        self.retire()
        code = "interrupted" if line.said else "timeout"
        line.fail(ModelError(code, f"{settings.who} fell silent for {settings.stall_s:g} s."))

    def _settle(self, line: Line) -> None:
        """The line gives its place back, once."""
        if line.settled:
            return
        line.settled = True
        line.took({})  # if the server has not told before, it never will
        self._lines.pop(line.rid, None)
        if line.response is not None:
            self._by_response.pop(line.response, None)
        self.release()

    def _lose(self, reason: ModelError) -> None:
        """The connection is of no more use: every line on it ends."""
        if self.lost:
            return
        self.lost = True
        for line in list(self._lines.values()):
            begun = (line.said or line.acted) and not reason.fatal
            kind, code = (ModelError, "interrupted") if begun else (type(reason), reason.code)
            line.fail(kind(code, reason.message, fatal=reason.fatal))
            self._settle(line)
        self._changed(self)

    def _reason(self, error: Exception) -> ModelError:
        """Why the connection ended. A close frame may name a cause as ``type.code``."""
        received = getattr(error, "rcvd", None)
        if received is None:
            return Lost("connect_failed", f"The connection to {self._settings.who} was lost.")
        reason = str(received.reason)
        said = refusal({"code": reason.rpartition(".")[2], "message": reason}, self._settings.who)
        if said.fatal:
            return said
        return Lost("connect_failed", f"{self._settings.who} closed the connection ({received.code} {reason}).")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
