"""Lines that the realtime model speaks itself: what is asked, what comes, and whose socket it comes on."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from openai.types.realtime import SessionUpdateEvent
from openai.types.realtime.realtime_response_create_params import RealtimeResponseCreateParams
from pydantic import TypeAdapter

from townsfolk.models.base import Audio, Request, Text
from townsfolk.models.line import Line
from townsfolk.models.realtime import Realtime, voice_of
from townsfolk.persona import Persona
from townsfolk.prompt import Message, Prompt
from townsfolk.simulator import Pace, Simulator

BARKS = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")
ADA = Persona.model_validate({"id": "ada", "name": "Ada", "description": "A", "manner": "B", "barks": BARKS})
BO = Persona.model_validate(
    {"id": "bo", "name": "Bo", "description": "A", "manner": "B", "barks": BARKS,
     "voice": {"realtime": "ash", "speed": 0.9}}
)  # fmt: skip


def sound(events: list[Any]) -> bytes:
    return b"".join(event.pcm for event in events if isinstance(event, Audio))


def said(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def request(persona: Persona = ADA, **more: Any) -> Request:
    prompt = Prompt("You are Ada.", (Message("user", "Hello?"),), (), 1200)
    return Request("s-1", persona, prompt, "Hello?", **{"voice": "marin", **more})


def run(scenario: Any, *, voiced: bool = False, **simulator: Any) -> Any:
    async def main() -> Any:
        async with Simulator(**simulator) as sim:
            made = Realtime(api_key="sk-test", base_url=sim.url, voiced=voiced)
            try:
                return await asyncio.wait_for(scenario(made, sim), 20)
            finally:
                await made.close()

    return asyncio.run(main())


def test_a_line_comes_with_its_sound() -> None:
    async def scenario(made: Any, sim: Any) -> Any:
        events: list[Any] = []
        spoken = await made.speak(request(voice="marin"), events.append)
        return spoken, events, sim

    spoken, events, sim = run(scenario, script=["The step is old."])
    assert said(events) == "The step is old."
    # The simulator speaks 16 characters a second.
    assert len(sound(events)) == 2 * 1500 * len("The step is old.")
    assert all(event.rate == 24_000 for event in events if isinstance(event, Audio))
    assert (spoken.usage.output_audio, spoken.usage.output_text) == (19, 5)
    [create] = sim.creates()
    TypeAdapter(RealtimeResponseCreateParams).validate_python(create)
    assert create["output_modalities"] == ["audio"] and create["conversation"] == "none"
    assert create["max_output_tokens"] == 6 * 160
    [update] = [event for event in sim.received if event["type"] == "session.update"]
    SessionUpdateEvent.model_validate(update)
    output = update["session"]["audio"]["output"]
    assert output == {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin", "speed": 1.0}


def test_each_voice_has_a_socket_of_its_own_and_text_has_others() -> None:
    async def scenario(made: Any, sim: Any) -> Any:
        for persona, voice in ((ADA, "marin"), (BO, "ash"), (ADA, "marin"), (BO, "ash"), (ADA, None), (ADA, None)):
            await made.speak(request(persona, voice=voice), lambda event: None)
        voices = [e["session"]["audio"]["output"] for e in sim.received if e["type"] == "session.update"]
        return sim.handshaken, [(each["voice"], each["speed"]) for each in voices]

    assert run(scenario) == (3, [("marin", 1.0), ("ash", 0.9)])
    assert (voice_of(ADA), voice_of(BO)) == ("marin", "ash")


def test_a_player_who_cuts_in_stops_it_at_the_server() -> None:
    async def scenario(made: Any, sim: Any) -> Any:
        events: list[Any] = []
        bills: list[Any] = []
        asked = request(voice="marin", bill=bills.append)
        task = asyncio.create_task(made.speak(asked, events.append))
        while len(sound(events)) < 48_000:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        come = len(events)
        await asyncio.sleep(0.2)
        assert len(events) == come
        return [event["type"] for event in sim.received][-1], bills

    last, [bill] = run(scenario, script=["word " * 200], pace=Pace(rate=100))
    assert last == "response.cancel"
    assert bill.status == "cancelled" and 0 < bill.usage.output_audio < 200 * 5 * 1.25


def test_what_it_may_cost_in_sound_is_reserved() -> None:
    asked: list[tuple[str, int]] = []

    async def scenario(made: Any, sim: Any) -> None:
        reserve = lambda name, audio=0: asked.append((name, audio))  # noqa: E731
        await made.speak(request(voice="marin", reserve=reserve), lambda event: None)

    run(scenario)
    assert asked == [("gpt-realtime-2.1-mini", 800)]


def test_a_piece_of_sound_that_cannot_be_read_is_left_out() -> None:
    events: list[Any] = []
    line = Line("r", events.append, None, lambda usage, status: None)  # type: ignore[arg-type]
    for delta in (None, 7, "no base64", "", base64.b64encode(b"abc").decode()):
        line.sound({"delta": delta})
    assert events == [Audio(b"ab", 24_000)]


def test_a_voice_is_warmed_up_for_its_character() -> None:
    async def scenario(made: Any, sim: Any) -> Any:
        await made.warm(BO)
        await made.speak(request(BO, voice="ash"), lambda e: None)
        return sim.handshaken

    assert run(scenario, voiced=True) == 1
