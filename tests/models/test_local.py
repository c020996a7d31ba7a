"""Local with real weights: SmolLM2-135M, for the mechanics; nothing here is about wit."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from townsfolk.errors import ModelError
from townsfolk.models.base import Request, Spoken, Text
from townsfolk.models.local import Local
from townsfolk.models.local_files import LocalModel

Use = Callable[[Local], Awaitable[Any]]


def using(model: LocalModel | Path | None, use: Use, **options: Any) -> Any:
    """Runs something with an open model, and closes it."""

    async def run() -> Any:
        local = Local(model, threads=1, **options)
        try:
            return await use(local)
        finally:
            await local.close()

    return asyncio.run(run())


async def some_line(local: Local, request: Request) -> tuple[Spoken, str, Request]:
    """A line that a model of this size gets through: on another processor the same seed may say what is not shown."""
    for seed in range(3, 20):
        heard: list[str] = []
        asked = replace(request, seed=seed)
        try:
            spoken = await local.speak(asked, lambda event, heard=heard: heard.append(event.text))  # type: ignore[misc]
        except ModelError as error:
            assert error.code == "empty_reply" and not heard, error
        else:
            return spoken, "".join(heard), asked
    raise AssertionError("17 lines, and none that may be shown")


async def ended(local: Local) -> None:
    """Kills the worker, and waits until it is known to be dead."""
    assert local._worker is not None
    os.kill(local._worker.process.pid, signal.SIGKILL)
    await local._worker.process.wait()


def test_it_speaks_streams_warms_stops_and_comes_back(smollm: LocalModel, ask: Any, persona: Any) -> None:
    async def use(local: Local) -> None:
        request = ask("Tell me about the road.", max_tokens=48, seed=3)
        assert local.name == "local:SmolLM2-135M-Instruct.Q4_1.gguf"
        assert "starts when it is needed" in (await local.health()).detail

        # Warm: the character's prompt has been read when the first line comes.
        await local.warm(persona)
        spoken, text, request = await some_line(local, request)
        assert spoken.model == local.name and text.strip() == text != "" and "\n" not in text
        if spoken.usage.cached is not None:
            assert spoken.usage.cached > 20, "the persona's part of the prompt was not read again"
        assert (await local.health()).detail.endswith("running")

        # The same seed, the same line.
        _, once, again = await some_line(local, request)
        assert (once, again) == ((await some_line(local, request))[1], request)

        # Cancelling frees it for the next line at once.
        line = asyncio.create_task(local.speak(request, lambda event: None))
        await asyncio.sleep(0.15)
        began = time.monotonic()
        line.cancel()
        with pytest.raises(asyncio.CancelledError):
            await line
        assert time.monotonic() - began < 1

        # A worker that dies is started again, at first at once; two that die in a row are waited for.
        await ended(local)
        await some_line(local, request)
        line = asyncio.create_task(local.speak(ask("And the mine?"), lambda event: None))
        await asyncio.sleep(0.05)
        await ended(local)
        with pytest.raises(ModelError) as caught:
            await line
        assert caught.value.code == "worker_lost", caught.value

    using(smollm, use, prefix=lambda _: ask().prompt.instructions)


def test_a_worker_that_keeps_dying_is_left_alone_for_longer_and_longer(smollm: LocalModel, ask: Any) -> None:
    now = 0.0

    async def use(local: Local) -> None:
        nonlocal now
        await local.warm(ask().persona)
        await ended(local)
        local._falls = 2  # as after two that died without a line
        with pytest.raises(ModelError, match="started again in 4 s") as caught:
            await local.speak(ask(), lambda event: None)
        assert caught.value.code == "worker_lost" and not caught.value.fatal
        now = 4.0
        await some_line(local, ask("Hello."))
        assert local._falls == 0

    using(smollm, use, clock=lambda: now)


def test_the_worker_ends_with_its_parent(smollm: LocalModel, persona: Any) -> None:
    async def use(local: Local) -> None:
        await local.warm(persona)
        assert local._worker is not None and local._worker.process.stdin is not None
        local._worker.process.stdin.close()
        assert await asyncio.wait_for(local._worker.process.wait(), 2) == 0

    using(smollm, use)


def test_nobody_without_the_key_may_use_the_worker(smollm: LocalModel, ask: Any) -> None:
    from townsfolk.models.text import TextModel

    async def use(local: Local) -> None:
        await local.warm(ask().persona)
        assert local._worker is not None
        url = local._worker.chat._base_url
        assert url is not None and url.startswith("http://127.0.0.1:")
        other = TextModel("m", base_url=url, api_key="guess")
        with pytest.raises(ModelError) as caught:
            await other.speak(ask(), lambda event: None)
        await other.close()
        assert caught.value.code == "bad_key"

    using(smollm, use)


def test_a_line_comes_before_reading_and_the_reading_goes_on_after_it(
    smollm: LocalModel, ask: Any, persona: Any
) -> None:
    long = "You are Mara Venn. " + "The river rose and the river fell. " * 70

    async def use(local: Local) -> None:
        await local._ready()
        warming = asyncio.create_task(local.warm(persona))
        await asyncio.sleep(0.3)
        assert not warming.done()
        began = time.monotonic()
        await some_line(local, ask("Hello."))
        assert warming.done() and time.monotonic() - began < 6
        # A line for which the prompt would have to be read first is refused at once where nobody would wait for it.
        request = ask("Hello.", patience_s=0.01)
        request = replace(request, prompt=replace(request.prompt, instructions=long))
        began = time.monotonic()
        with pytest.raises(ModelError) as caught:
            await local.speak(request, lambda event: None)
        assert caught.value.code == "not_ready" and time.monotonic() - began < 0.3
        await local.warm(persona)  # waits for what goes on anyway
        spoken, _, _ = await some_line(local, replace(request, patience_s=60.0))
        assert spoken.usage.cached is None or spoken.usage.cached > 400

    using(smollm, use, prefix=lambda _: long)


@pytest.mark.parametrize("make", [lambda folder: folder / "none.gguf", lambda folder: folder / "broken.gguf"])
def test_a_file_that_cannot_be_loaded(
    make: Callable[[Path], Path], tmp_path: Path, ask: Any, persona: Any, smollm: LocalModel
) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 1000)

    async def use(local: Local) -> None:
        await local.warm(persona)
        with pytest.raises(ModelError) as caught:
            await local.speak(ask(), lambda event: None)
        assert (caught.value.code, caught.value.fatal) == ("no_local_model", True), caught.value
        assert local.name == f"local:{make(tmp_path).name}"

    using(make(tmp_path), use)


def test_nothing_to_speak_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ask: Any, persona: Any) -> None:
    monkeypatch.delenv("TOWNSFOLK_GGUF", raising=False)
    monkeypatch.setenv("TOWNSFOLK_CACHE", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    async def use(local: Local) -> None:
        assert local.name == "local"
        health = await local.health()
        assert not health.ok and "townsfolk[local]" in health.detail
        await local.warm(persona)
        with pytest.raises(ModelError) as caught:
            await local.speak(ask(), lambda event: None)
        assert caught.value.code == "missing_extra" and caught.value.fatal

    using(None, use)


def test_what_would_break_the_character_is_swapped(smollm: LocalModel, ask: Any, heard: Any) -> None:
    async def use(local: Local) -> None:
        await local.warm(ask().persona)
        assert local._worker is not None

        async def refuses(request: Any, emit: Any, enough: Any) -> Any:
            for word in "I'm sorry, but I cannot assist with that. Next.".split():
                if not enough():
                    emit(Text(word + " "))
            return None

        class Spoken:
            reason = "stop"

        async def tell(request: Any, emit: Any, enough: Any) -> Any:
            assert request.actions == {} and request.max_tokens <= 72
            await refuses(request, emit, enough)
            return Spoken()

        local._worker.chat.tell = tell  # type: ignore[assignment]
        with pytest.raises(ModelError) as caught:
            await local.speak(ask(actions={"x": {}}, max_tokens=500), heard)
        assert caught.value.code == "empty_reply" and "machine" in caught.value.message and heard == []

    using(smollm, use)
