"""One response as it is generated: events in OpenAI's order, its faults, its end. Decides no timing; pacer.py does."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from townsfolk.simulator.frames import Deltas, tokens, tone
from townsfolk.simulator.script import Brain, Fault, Piece, Reply, ToolCall, split

if TYPE_CHECKING:
    from townsfolk.simulator.session import Session

__all__ = ["Stream"]

SAMPLES_PER_CHARACTER = 1500
"""Speech of 16 characters a second."""
ARGUMENTS = 12
"""Characters of a function call's arguments in one delta."""
_log = logging.getLogger(__name__)


class Stream:
    """A response in progress. ``params`` is the response.create, filled in from the session."""

    def __init__(self, session: Session, id: str, params: dict[str, Any], *, fault: Fault | None) -> None:
        self.session = session
        self.id = id
        self.params = params
        self.in_band = params["conversation"] != "none"
        self.interval = 1 / session.sim.pace.rate if session.sim.pace.rate else 0.0
        self.ended = False
        self.scheduled = False
        self.output: list[dict[str, Any]] = []
        self._audio = params["output_modalities"] == ["audio"]
        self._fault = fault
        self._said = 0
        self._left = params["max_output_tokens"]
        self._spoken = {"text": 0, "audio": 0}
        self._pieces: deque[Piece] = deque()
        self._complete = False
        self._steps = self._play()
        self._task: asyncio.Task[None] | None = None
        self._item: dict[str, Any] | None = None
        self._text: list[str] = []
        self._delta: Deltas | None = None
        self._sound: Deltas | None = None
        self._samples = 0

    # what the session asks of it

    def begin(self, answer: Reply | Brain) -> None:
        """Announces the response and starts to say what ``answer`` gives."""
        session = self.session
        session.send("response.created", response=self._resource("in_progress", None, None))
        session.rate_limits()
        if isinstance(answer, Reply):
            self._feed(answer)
        else:
            given = answer(self.params)
            if isinstance(given, Reply | str):
                self._feed(given)
            else:
                self._task = asyncio.create_task(self._ask(given))
        self.wake(session.sim.pace.ttft)

    def cancel(self) -> None:
        """The client has heard enough."""
        self._end("cancelled", reason="client_cancelled")

    def stop(self) -> None:
        """Ends without a word: the connection is gone, or a fault wants it so."""
        self.ended = True
        self.session.streams.pop(self.id, None)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def wake(self, delay: float = 0.0) -> None:
        if not self.scheduled and not self.ended:
            self.scheduled = True
            self.session.sim.pacer.wake(self, delay)

    # what the pacer asks of it

    def advance(self, count: int) -> int:
        said = 0
        link = self.session.link
        while said < count and not self.ended and not link.paused:
            if not next(self._steps, False):
                break
            said += 1
        self.scheduled = said == count and not self.ended
        return said if self.scheduled else -1

    def flush(self) -> None:
        self.session.link.flush()

    # where the pieces come from

    def _feed(self, answer: Reply | str) -> None:
        if isinstance(answer, str):
            self._pieces.extend(split(answer))
        else:
            self._pieces.extend(answer.all())
            self._fault = self._fault or answer.fault
        self._complete = True

    async def _ask(self, given: Any) -> None:
        try:
            answer = await given if inspect.isawaitable(given) else given
            if isinstance(answer, Reply | str):
                self._feed(answer)
            else:
                await self._gather(answer)
            self.wake()
        except Exception:
            _log.exception("the simulator's brain failed")
            self._end("failed", error={"type": "server_error", "code": None, "message": "The brain failed."})
            self.flush()

    async def _gather(self, pieces: AsyncIterator[Piece]) -> None:
        async for piece in pieces:
            if piece:
                self._pieces.append(piece)
                self.wake()
        self._complete = True

    # the order of events

    def _play(self) -> Iterator[bool]:
        """Says one delta a step: yields True after it, False where the brain has given no more yet."""
        while True:
            while not self._pieces:
                if self._complete:
                    if not self._trips(at_end=True):
                        self._end("completed")
                    return
                yield False
            piece = self._pieces.popleft()
            if isinstance(piece, str):
                if self._item is None:
                    self._open_message()
                if self._trips() or not self._affords(piece):
                    return
                self._say(piece)
                yield True
            else:
                self._close("completed")
                call = self._open_call(piece)
                arguments = piece.arguments
                for start in range(0, len(arguments), ARGUMENTS):
                    part = arguments[start : start + ARGUMENTS]
                    if self._trips() or not self._affords(part):
                        return
                    call(part)
                    yield True
                self._close("completed")

    def _say(self, piece: str) -> None:
        link = self.session.link
        self._said += 1
        self._text.append(piece)
        assert self._delta is not None
        link.write(self._delta(piece))
        if self._sound is not None:
            samples = len(piece) * SAMPLES_PER_CHARACTER
            link.write(self._sound(tone(self._samples, samples)))
            self._samples += samples
            self._spoken["audio"] += samples * 20 // 24_000

    def _affords(self, piece: str) -> bool:
        cost = tokens(piece)
        if self._left != "inf":
            if self._left < cost:
                self._end("incomplete", reason="max_output_tokens")
                return False
            self._left -= cost
        self._spoken["text"] += cost
        return True

    def _open_message(self) -> None:
        session = self.session
        self._item = {
            "id": session.new_id("item"),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        self._announce(self._item)
        place = self._place()
        part = {"type": "audio", "transcript": ""} if self._audio else {"type": "text", "text": ""}
        session.send("response.content_part.added", **place, part=part)
        frames = session.sim.frames
        if self._audio:
            self._delta = frames.deltas("response.output_audio_transcript.delta", **place)
            self._sound = frames.deltas("response.output_audio.delta", **place)
        else:
            self._delta = frames.deltas("response.output_text.delta", **place)

    def _open_call(self, piece: ToolCall) -> Deltas:
        session = self.session
        self._item = {
            "id": session.new_id("item"),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "name": piece.name,
            "call_id": session.new_id("call"),
            "arguments": "",
        }
        self._announce(self._item)
        place = {**self._place(content=False), "call_id": self._item["call_id"]}
        make = session.sim.frames.deltas("response.function_call_arguments.delta", **place)

        def say(part: str) -> bytes:
            self._said += 1
            self._text.append(part)
            data = make(part)
            session.link.write(data)
            return data

        return say

    def _announce(self, item: dict[str, Any]) -> None:
        self.session.send("response.output_item.added", response_id=self.id, output_index=len(self.output), item=item)
        if self.in_band:
            self.session.item_added(item)

    def _close(self, status: str) -> None:
        """Ends the open item, whole (``completed``) or not (``incomplete``)."""
        item, session, send = self._item, self.session, self.session.send
        if item is None:
            return
        said = "".join(self._text)
        place = self._place()
        if item["type"] == "function_call":
            item["arguments"] = said
            place = self._place(content=False)
            send(
                "response.function_call_arguments.done",
                **place,
                call_id=item["call_id"],
                name=item["name"],
                arguments=said,
            )
        elif self._audio:
            item["content"] = [{"type": "output_audio", "transcript": said}]
            send("response.output_audio.done", **place)
            send("response.output_audio_transcript.done", **place, transcript=said)
            send("response.content_part.done", **place, part={"type": "audio", "transcript": said})
            session.heard[item["id"]] = self._samples * 1000 // 24_000
        else:
            item["content"] = [{"type": "output_text", "text": said}]
            send("response.output_text.done", **place, text=said)
            send("response.content_part.done", **place, part={"type": "text", "text": said})
        item["status"] = status
        send("response.output_item.done", response_id=self.id, output_index=len(self.output), item=item)
        if self.in_band:
            session.item_done(item)
        self.output.append(item)
        self._item, self._text, self._samples, self._delta, self._sound = None, [], 0, None, None

    def _end(self, status: str, *, reason: str | None = None, error: dict[str, Any] | None = None) -> None:
        if self.ended:
            return
        self._close("completed" if status == "completed" else "incomplete")
        details: dict[str, Any] | None = {"type": status}
        if status == "completed":
            details = None
        elif details is not None:
            details |= {"reason": reason} if reason else {}
            details |= {"error": error} if error else {}
        usage = self.session.usage(self.params, self._spoken)
        self.session.send("response.done", response=self._resource(status, details, usage))
        self.stop()

    def _resource(self, status: str, details: Any, usage: Any) -> dict[str, Any]:
        params, session = self.params, self.session
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": self.output,
            "conversation_id": session.conversation_id if self.in_band else None,
            "output_modalities": params["output_modalities"],
            "max_output_tokens": params["max_output_tokens"],
            "audio": params["audio"],
            "usage": usage,
            "metadata": params.get("metadata") if session.sim.quirks.metadata else None,
        }

    def _place(self, *, content: bool = True) -> dict[str, Any]:
        assert self._item is not None
        place = {"response_id": self.id, "item_id": self._item["id"], "output_index": len(self.output)}
        return place | {"content_index": 0} if content else place

    # faults

    def _trips(self, *, at_end: bool = False) -> bool:
        """Whether the fault is due and ends the response here."""
        fault = self._fault
        if fault is None or not (at_end or self._said == fault.after):
            return False
        self._fault = None
        link, session = self.session.link, self.session
        match fault.do:
            case "send":
                link.write_text(fault.data)
                return False
            case "fail":
                self._end("failed", error={"type": fault.kind, "code": fault.code, "message": fault.message})
            case "incomplete":
                self._end("incomplete", reason=fault.code or "max_output_tokens")
            case "error":
                session.error(fault.code, fault.message, kind=fault.kind)
            case "expire":
                session.expire()
            case "close":
                link.close(fault.number, fault.message)
            case "tear":
                link.tear(self._delta("torn") if self._delta is not None else b"\x81\x7e\x01\x00{")
            case "drop":
                link.abort()
            case "stall":
                link.stall()
            case "refuse" | "ignore" | "silence":
                pass
        self.stop()
        return True
