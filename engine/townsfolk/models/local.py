"""Speaks with a GGUF model on this machine, in a process of its own. Nothing that is said leaves the machine.

It is `text.py` on a server that we start ourselves (`local_worker.py`), with what a small model needs besides: short
answers that `local_line.py` has looked at, no actions, and a prompt whose beginning stays the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import townsfolk
from townsfolk.errors import ModelError
from townsfolk.models.base import Emit, Health, Request, Spoken
from townsfolk.models.chat import folded_messages
from townsfolk.models.local_files import LocalModel, find_local_model, local_model
from townsfolk.models.local_line import SmallLine
from townsfolk.models.local_reader import PromptReader
from townsfolk.models.text import TextModel
from townsfolk.persona import Persona
from townsfolk.prompt import Message, Prompt

__all__ = ["Local", "find_local_model"]

_MAX_TOKENS: Final = 72
"""Two sentences of a small model; more of it is seldom better."""
_TEMPERATURE: Final = 0.7
_START_S: Final = 2.0
"""About how long a worker takes to start."""
_BACKOFF_S: Final = (0.0, 1.0, 4.0, 15.0, 60.0)
_ROOT: Final = str(Path(townsfolk.__file__).resolve().parents[1])
_LOST: Final = {"connect_failed", "server_error", "interrupted", "bad_response"}


class _Chat(TextModel):
    """The worker's server, asked the way a small model wants it."""

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        return folded_messages(prompt)

    def _body(self, request: Request, messages: list[dict[str, Any]], *, actions: bool) -> dict[str, Any]:
        return {
            "temperature": _TEMPERATURE,
            **super()._body(request, messages, actions=False),
            "stop": ["\n"],
            "seed": request.seed % (1 << 31),
            "cache_prompt": True,
            "repeat_penalty": 1.0,  # none: it makes small models avoid the names that matter
            "chat_template_kwargs": {"enable_thinking": False},
        }


@dataclass(slots=True)
class _Worker:
    process: asyncio.subprocess.Process
    chat: _Chat
    errors: IO[bytes]
    last_words: str = ""

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def has_ended(self) -> bool:
        """Whether it has, or is just about to."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 0.5)
        return not self.alive

    async def end(self) -> None:
        await self.chat.close()
        await _end(self.process)
        self.errors.close()


class Local:
    """A GGUF model as a model.

    Args:
        model: The file, or what :func:`find_local_model` gave; without it, what that would find.
        threads: Cores to use; all but one by default, which is the game's.
        prefix: Gives the stable part of a character's prompt, so that :meth:`warm` can have it read beforehand. Without
            it, only the process is started.
        start_s: The longest time to load the file.
        first_word_s: The longest time to a first word; a cold prompt may take seconds on a small machine.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        model: LocalModel | str | Path | None = None,
        *,
        threads: int | None = None,
        prefix: Callable[[Persona], str] | None = None,
        start_s: float = 90.0,
        first_word_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._missing: ModelError | None = None
        self._model: LocalModel | None = None
        self._file = Path(model).name if isinstance(model, str | Path) else ""
        try:
            self._model = model if isinstance(model, LocalModel) else local_model(model)
            self._file = self._model.path.name
        except ModelError as error:
            self._missing = error
        self._threads = threads or max(1, _cores() - 1)
        self._prefix = prefix
        self._start_s = start_s
        self._first_word_s = first_word_s
        self._clock = clock
        self._worker: _Worker | None = None
        self._starting: asyncio.Task[_Worker] | None = None
        self._reader = PromptReader(self._read, self._threads, _size(self._model))
        self._falls = 0
        self._not_before = 0.0
        self._closed = False

    @property
    def name(self) -> str:
        return f"local:{self._file}" if self._file else "local"

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        self._reader.pause()  # whoever speaks comes first: it has one mind
        line = SmallLine(request, emit)
        try:
            spoken = await self._tell(request, line)
        except (ModelError, asyncio.CancelledError):
            if not line.said:
                self._reader.want(request.persona, request.prompt.instructions)  # so that it can answer the next time
            raise
        finally:
            self._reader.go_on()
        if not line.said:
            raise ModelError("empty_reply", f"{self.name}: {line.fault or 'it said nothing'}.")
        notes = (*spoken.notes, f"ended early: {line.fault}") if line.fault else spoken.notes
        return replace(spoken, model=self.name, notes=notes)

    async def warm(self, persona: Persona) -> None:
        """Starts the process and has it read the character's prompt, whenever nobody speaks."""
        with suppress(ModelError):  # the line that needs it will say so
            await self._ready()
            if self._prefix is not None:
                await self._reader.read(persona, self._prefix(persona))

    async def health(self) -> Health:
        if self._model is None:
            return Health(False, str(self._missing))
        try:
            size = await asyncio.to_thread(lambda model: model.size / 1e6, self._model)
        except OSError as error:
            return Health(False, f"{self._model.path}: {error.strerror}. Give another GGUF file: see docs/models.md.")
        state = "running" if self._worker is not None and self._worker.alive else "starts when it is needed"
        return Health(True, f"{self._file}, {size:.0f} MB, {self._threads} threads, {state}")

    async def close(self) -> None:
        self._closed = True
        await self._reader.close()
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.wait([starting])
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()

    async def _tell(self, request: Request, line: SmallLine) -> Spoken:
        if request.patience_s is not None and self._model is not None:
            prefix, *rest = (str(message["content"]) for message in folded_messages(request.prompt))
            wait = self._reader.seconds(request.persona, prefix, rest) + (0.0 if self._worker else _START_S)
            if wait > request.patience_s:
                raise ModelError("not_ready", f"{self.name} needs about {wait:.0f} s to read up on the character.")
        worker = await self._ready()
        asked = replace(request, max_tokens=min(request.max_tokens, _MAX_TOKENS), actions={})
        try:
            spoken = await worker.chat.tell(asked, line.hear, line.enough)
        except ModelError as error:
            if error.code in _LOST and await worker.has_ended():
                lost = await self._fell(worker)
                raise ModelError("interrupted" if line.said else lost.code, lost.message) from error
            raise
        self._falls = 0
        self._reader.has_read(request.persona, request.prompt.instructions)
        line.end(cut=spoken.reason == "length")
        return spoken

    async def _read(self, persona: Persona, prefix: str) -> float:
        """Has the worker read the stable part of a prompt, which its cache then keeps."""
        worker = await self._ready()
        request = Request("warm", persona, Prompt(prefix, (Message("user", "Hello."),), (), 0), "Hello.", max_tokens=1)
        began = self._clock()
        try:
            await worker.chat.tell(request, lambda event: None)
        except ModelError as error:
            if error.code != "empty_reply":  # its one token may be no word
                raise
        return self._clock() - began

    async def _ready(self) -> _Worker:
        """The running worker. Starting one outlives the line that asked for it: the next line will need it too."""
        if self._closed:
            raise ModelError("closed", f"{self.name} was closed.", fatal=True)
        if self._worker is not None and not self._worker.alive:
            await self._fell(self._worker)
        if self._worker is not None:
            return self._worker
        if self._starting is None:
            if (wait := self._not_before - self._clock()) > 0:
                raise ModelError("worker_lost", f"{self.name} is started again in {wait:.0f} s.")
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        return await asyncio.shield(self._starting)

    def _started(self, task: asyncio.Task[_Worker]) -> None:
        if self._starting is task:
            self._starting = None
        if task.cancelled():
            return
        if task.exception() is not None:
            self._back_off()
        else:
            self._worker = task.result()
            self._reader.forget()

    async def _start(self) -> _Worker:
        if self._model is None:
            assert self._missing is not None
            raise ModelError(self._missing.code, self._missing.message, fatal=True)
        path = await asyncio.to_thread(self._model.ready)
        key = secrets.token_urlsafe(16)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "townsfolk.models.local_worker", "--model", str(path)),
            *("--threads", str(self._threads)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={
                **os.environ,
                "OMP_WAIT_POLICY": "PASSIVE",
                "PYTHONPATH": os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")])),
            },
        )
        try:
            url = await self._address(process, key, errors)
        except BaseException:
            await _end(process)
            errors.close()
            raise
        chat = _Chat(self._file, base_url=url, api_key=key, first_word_s=self._first_word_s, stall_s=15.0)
        return _Worker(process, chat, errors)

    async def _address(self, process: asyncio.subprocess.Process, key: str, errors: IO[bytes]) -> str:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(key.encode() + b"\n")
        try:
            told = await asyncio.wait_for(process.stdout.readline(), self._start_s)
        except TimeoutError:
            raise ModelError("timeout", f"{self.name} took more than {self._start_s:g} s to load.") from None
        answer = json.loads(told) if told.startswith(b"{") else {}
        if url := answer.get("url"):
            return str(url)
        reason = _tail(errors) or answer.get("error") or "it ended without a word"
        raise ModelError("no_local_model", f"{self.name} cannot be loaded: {reason}.", fatal=True)

    async def _fell(self, worker: _Worker) -> ModelError:
        """Lets go of a worker that ended by itself."""
        if self._worker is worker:
            self._worker = None
            self._back_off()
            worker.last_words = _tail(worker.errors)
            await worker.end()
        reason = f": {worker.last_words}" if worker.last_words else ""
        return ModelError("worker_lost", f"The process of {self.name} ended{reason}.")

    def _back_off(self) -> None:
        self._not_before = self._clock() + _BACKOFF_S[min(self._falls, len(_BACKOFF_S) - 1)]
        self._falls += 1


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends a worker: it goes when its input does, and is killed if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 2.0)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _tail(errors: IO[bytes]) -> str:
    """The worker's last words, if it left any."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _size(model: LocalModel | None) -> int:
    with suppress(OSError):
        return model.size if model is not None else 0
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
