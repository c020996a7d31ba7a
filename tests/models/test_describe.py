"""Pictures in words: asked once for each, billed, bounded, cleaned; what fails is told and may be tried again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from picture_files import png

from townsfolk.errors import ModelError
from townsfolk.models.base import Billed, Request, Spoken, Text, Usage
from townsfolk.models.describe import Describer
from townsfolk.persona import Persona
from townsfolk.pictures import look

SIGN = look(png(), "A sign on the door.")


class Eye:
    """Says what it is told to; an exception is raised."""

    name = "eye"

    def __init__(self, *says: str | Exception) -> None:
        self.says = list(says)
        self.asked: list[Request] = []

    async def speak(self, request: Request, emit: Any) -> Spoken:
        self.asked.append(request)
        await asyncio.sleep(0.01)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        for word in said.split(" "):
            emit(Text(word + " "))
        if request.bill is not None:
            request.bill(Billed(self.name, Usage(100, 10), "completed", request.line))
        return Spoken(self.name)


class Paid:
    """A purse that lets all through."""

    def __init__(self, bill: Any) -> None:
        self.bill, self.reserve = bill, lambda model: None


def describer(eye: Eye, **more: Any) -> Describer:
    return Describer(eye, **more)  # type: ignore[arg-type]


def test_one_picture_is_asked_about_once_however_many_look(persona: Persona) -> None:
    eye, billed = Eye("A door with a sign."), []

    async def run() -> list[str]:
        made = describer(eye, purse=lambda npc, line: Paid(billed.append), detail="high")
        words = await asyncio.gather(*(made.describe(SIGN, persona) for _ in range(5)))
        again = await made.describe(look(png(), "Other words for it."), persona)
        await made.close()
        return [*words, again]

    assert asyncio.run(run()) == ["A door with a sign."] * 6
    [request] = eye.asked
    assert request.images[0].data == SIGN.data and request.images[0].detail == "high"
    assert "A sign on the door." in request.prompt.messages[-1].text and request.max_tokens <= 160
    assert [bill.line for bill in billed] == [f"picture/{SIGN.digest}"]


def test_one_who_stops_waiting_does_not_stop_the_others(persona: Persona) -> None:
    async def run() -> str:
        made = describer(Eye("A door."))
        first = asyncio.create_task(made.describe(SIGN, persona))
        second = asyncio.create_task(made.describe(SIGN, persona))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(run()) == "A door."


@pytest.mark.parametrize(
    ("says", "code"), [(ModelError("rate_limited", "slow down"), "rate_limited"), ("  ", "empty_reply")]
)
def test_a_failure_is_told_to_all_who_wait_and_not_kept(persona: Persona, says: Any, code: str) -> None:
    async def run() -> tuple[list[Any], str]:
        made = describer(Eye(says, "A door."))
        failed = await asyncio.gather(*(made.describe(SIGN, persona) for _ in range(3)), return_exceptions=True)
        return failed, await made.describe(SIGN, persona)

    failed, then = asyncio.run(run())
    assert [error.code for error in failed] == [code] * 3 and then == "A door."


def test_words_are_cleaned_and_bounded(persona: Persona) -> None:
    async def run() -> str:
        return await describer(Eye("A\u202e sign:\n\x1b[2J" + "word " * 400)).describe(SIGN, persona)

    words = asyncio.run(run())
    assert words.startswith("A sign: [2J") and len(words) == 600 and words.isprintable()


def test_only_the_latest_pictures_are_kept(persona: Persona) -> None:
    pictures = [look(png(width), "A sign.") for width in range(1, 71)]
    eye = Eye(*(f"number {n}" for n in range(72)))

    async def run() -> None:
        made = describer(eye)
        for picture in [*pictures, pictures[-1], pictures[0]]:
            await made.describe(picture, persona)
        assert len(made._known) == 64

    asyncio.run(run())
    assert len(eye.asked) == 71
