"""Reading prompts beforehand: in the background, one at a time, never while somebody speaks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from townsfolk.models.local_reader import PromptReader
from townsfolk.persona import Persona


class Model:
    """Reads for as many steps of the loop as it is told, and remembers what."""

    def __init__(self, steps: int = 3, error: Exception | None = None) -> None:
        self.steps = steps
        self.error = error
        self.begun: list[str] = []
        self.read: list[str] = []

    async def __call__(self, persona: Persona, prefix: str) -> float:
        self.begun.append(prefix)
        for _ in range(self.steps):
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.read.append(prefix)
        return 2.0


@pytest.fixture
def people(persona: Persona) -> list[Persona]:
    return [persona.model_copy(update={"id": f"p{n}"}) for n in range(20)]


def test_each_prompt_is_read_once(people: Any) -> None:
    async def run() -> list[str]:
        model = Model()
        reader = PromptReader(model, 1, 1)
        await asyncio.gather(*(reader.read(people[n], f"prefix {n}") for n in (0, 1, 0, 2)))
        await reader.read(people[1], "prefix 1")
        await reader.read(people[1], "prefix 1, changed")
        await reader.close()
        return model.read

    assert asyncio.run(run()) == ["prefix 0", "prefix 1", "prefix 2", "prefix 1, changed"]


def test_nothing_is_read_while_somebody_speaks(people: Any) -> None:
    async def run() -> None:
        model = Model()
        reader = PromptReader(model, 1, 1)
        reading = asyncio.create_task(reader.read(people[0], "a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reader.pause()
        reader.pause()  # two at once
        await reading
        reader.want(people[1], "b")
        reader.go_on()
        for _ in range(10):
            await asyncio.sleep(0)
        assert model.begun == ["a"] and model.read == []
        reader.go_on()
        await reader.read(people[1], "b")
        assert model.read == ["a", "b"]
        await reader.close()

    asyncio.run(run())


def test_what_a_line_has_had_read_is_not_read_again(people: Any) -> None:
    async def run() -> list[str]:
        model = Model()
        reader = PromptReader(model, 1, 1)
        reader.pause()
        reader.want(people[0], "a")
        reader.has_read(people[0], "a")
        reader.go_on()
        await reader.read(people[0], "a")
        reader.forget()
        await reader.read(people[0], "a")
        await reader.close()
        return model.read

    assert asyncio.run(run()) == ["a"]


def test_a_model_that_is_ill_is_left_alone(people: Any) -> None:
    async def run() -> list[str]:
        model = Model(error=OSError("ill"))
        reader = PromptReader(model, 1, 1)
        await asyncio.gather(reader.read(people[0], "a"), reader.read(people[1], "b"))
        await asyncio.sleep(0)
        await reader.close()
        return model.begun

    assert asyncio.run(run()) == ["a"]


def test_waiting_outlasts_an_interruption_that_is_over(people: Any) -> None:
    async def run() -> None:
        model = Model()
        reader = PromptReader(model, 1, 1)
        reader.want(people[0], "a")
        reader.pause()
        reader.go_on()
        await asyncio.sleep(0)
        reader.pause()
        reader.go_on()  # the reading is being cancelled, and begins anew
        await reader.read(people[0], "a")
        assert model.begun == ["a", "a"] and model.read == ["a"]
        await reader.close()

    asyncio.run(run())


def test_closing_stops_it(people: Any) -> None:
    async def run() -> None:
        model = Model(steps=1000)
        reader = PromptReader(model, 1, 1)
        reading = asyncio.create_task(reader.read(people[0], "a"))
        await asyncio.sleep(0)
        await reader.close()
        await reading
        await reader.read(people[0], "a")
        await reader.close()
        assert model.read == [] and len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_how_long_a_line_would_take(people: Any) -> None:
    async def run() -> None:
        reader = PromptReader(Model(), 2, 1_100_000_000)
        prefix, rest = "x" * 3199, ["y" * 139]  # 800 and 35 tokens
        assert reader.seconds(people[0], prefix, rest) == pytest.approx((835 + 40) / 69, rel=0.01)
        reader.has_read(people[0], prefix)
        assert reader.seconds(people[0], prefix, rest) == pytest.approx((35 + 40) / 69, rel=0.01)
        await reader.read(people[1], prefix)  # takes 2 s: 400 tokens a second
        assert reader.seconds(people[2], prefix, rest) == pytest.approx((835 + 40) / 400)
        for person in people[1:18]:
            reader.has_read(person, prefix)
        assert reader.seconds(people[0], prefix, rest) > 2, "the cache keeps only so many"
        await reader.close()

    asyncio.run(run())
