"""The realtime ear against the simulator, which understands spelled speech: words, ends, bills, and what goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai.types.realtime import InputAudioBufferAppendEvent, SessionUpdateEvent

from townsfolk.errors import ModelError
from townsfolk.models.base import Billed
from townsfolk.models.connect import Connector
from townsfolk.simulator import Quirks, Simulator
from townsfolk.speech.realtime_ear import RealtimeEar
from townsfolk.speech.spelling import spelled

SPEECH = spelled("Is the mine road safe?")
QUIET = bytes(48_000)


class Told:
    """What the ear tells, in order."""

    def __init__(self, refuse: ModelError | None = None) -> None:
        self.heard: list[str] = []
        self.paid: list[Any] = []
        self.stopped = asyncio.Event()
        self.refuse = refuse

    def began(self) -> None:
        self.heard.append("began")

    def words(self, text: str) -> None:
        self.heard.append(text)

    def ended(self) -> None:
        self.stopped.set()

    def reserve(self, model: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.paid.append(model)

    def took(self, billed: Billed) -> None:
        self.paid.append((billed.status, billed.usage.input, billed.usage.output))


def run(scenario: Any, **quirks: Any) -> Any:
    async def main() -> Any:
        async with Simulator(quirks=Quirks(**quirks)) as sim:
            ear = RealtimeEar(Connector("m", "sk-test", sim.url), model="gpt-realtime-whisper", language="en")
            try:
                return await asyncio.wait_for(scenario(ear, sim, Told()), 20)
            finally:
                await ear.close()
                left = {task.get_name() for task in asyncio.all_tasks()}
                assert not {name for name in left if name.startswith("ear ")}

    return asyncio.run(main())


async def push(ear: Any, told: Any, sound: bytes = SPEECH, rate: int = 24_000) -> str:
    listening = await ear.listen(told, rate=rate, hands_free=False)
    for at in range(0, len(sound), 5000):
        listening.feed(sound[at : at + 5000])
    try:
        return str(await listening.end())
    finally:
        await listening.cancel()


def test_push_to_talk() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        return await push(ear, told), told, sim

    text, told, sim = run(scenario)
    assert text == "Is the mine road safe?" and told.heard == ["Is", "Is the", "Is the mine", "Is the mine road", text]
    assert told.paid == ["gpt-realtime-whisper", ("completed", 3, 6)]
    update = next(event for event in sim.received if event["type"] == "session.update")
    SessionUpdateEvent.model_validate(update)
    assert update["session"]["audio"]["input"]["turn_detection"] is None
    for event in sim.received:
        if event["type"] == "input_audio_buffer.append":
            InputAudioBufferAppendEvent.model_validate(event)


def test_hands_free_finds_where_the_player_begins_and_ends() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        listening = await ear.listen(told, rate=24_000, hands_free=True)
        listening.feed(QUIET + SPEECH)
        await asyncio.sleep(0.1)
        assert told.heard == ["began"]
        listening.feed(QUIET)
        await told.stopped.wait()
        text = await listening.end()
        await listening.cancel()
        return text

    assert run(scenario) == "Is the mine road safe?"


def test_the_socket_hears_the_next_player_and_keeps_nothing_of_this_one() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        texts = [await push(ear, told), await push(ear, told, spelled("And the inn?"))]
        await asyncio.sleep(0.05)
        [connection] = sim.connections
        return texts, sim.handshaken, connection._session.items

    assert run(scenario) == (["Is the mine road safe?", "And the inn?"], 1, {})


def test_two_players_at_once_have_a_socket_each() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        return await asyncio.gather(push(ear, told), push(ear, Told(), spelled("And the inn?"))), sim.handshaken

    assert run(scenario) == (["Is the mine road safe?", "And the inn?"], 2)


def test_a_key_that_was_hardly_touched_says_nothing_and_costs_nothing() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        return await push(ear, told, bytes(2400)), told.paid

    assert run(scenario) == ("", ["gpt-realtime-whisper", ("cancelled", 0, 0)])


def test_what_cannot_be_written_down_is_told() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        with pytest.raises(ModelError) as caught:
            await push(ear, told)
        return caught.value.code, told.paid

    assert run(scenario, deaf=True) == ("server_error", ["gpt-realtime-whisper", ("failed", None, None)])


def test_a_connection_that_is_lost_ends_the_line() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        listening = await ear.listen(told, rate=24_000, hands_free=True)
        listening.feed(SPEECH)
        await asyncio.sleep(0.1)
        for connection in list(sim.connections):
            connection.abort()
        await asyncio.wait_for(told.stopped.wait(), 5)
        with pytest.raises(ModelError) as caught:
            await listening.end()
        await listening.cancel()
        await listening.cancel()
        return caught.value.code

    assert run(scenario) == "connect_failed"


def test_over_the_budget_nobody_listens() -> None:
    async def scenario(ear: Any, sim: Any, told: Told) -> Any:
        with pytest.raises(ModelError, match="No more"):
            await ear.listen(Told(ModelError("over_budget", "No more.")), rate=24_000, hands_free=False)
        return sim.handshaken

    assert run(scenario) == 0


def test_a_server_that_is_not_there_is_told_and_costs_nothing() -> None:
    async def main() -> Any:
        ear, told = RealtimeEar(Connector("m", "k", "ws://127.0.0.1:9/v1"), model="w"), Told()
        health = await ear.health()
        with pytest.raises(ModelError) as caught:
            await ear.listen(told, rate=24_000, hands_free=False)
        await ear.close()
        return health.ok, caught.value.code, told.paid

    assert asyncio.run(main()) == (False, "connect_failed", ["w", ("failed", 0, 0)])
