"""Every event that the simulator can send validates strictly against the SDK's types, and none is left out here."""

from __future__ import annotations

import ast
import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

import townsfolk.simulator
from townsfolk.simulator import Fault, Quirks, Reply, Simulator, ToolCall
from townsfolk.speech.spelling import spelled

SOURCES = Path(townsfolk.simulator.__file__).parent


def named_in_source(event_types):
    """The server events that the simulator's code names."""
    return {
        node.value
        for path in SOURCES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in event_types
    }


async def everything(talk):
    """One of everything: the types of all events that came."""
    script = [
        Reply("Take this lamp.", calls=(ToolCall("give", '{"item": "lamp", "to": "the player"}'),)),
        "Heard, and heard again.",
        Reply("One two three", fault=Fault("fail", 1, code="server_error")),
        Reply("One two three", fault=Fault("incomplete", 2, code="content_filter")),
        "In the conversation.",
    ]
    seen = []
    async with Simulator(script=script) as sim, talk(sim.url) as client:
        await client.send("session.update", session={"type": "realtime", "instructions": "Be brief.", "tools": []})
        await client.until("session.updated")
        message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        await client.send("conversation.item.create", item={"id": "mine", **message})
        await client.until("conversation.item.done")
        await client.send("conversation.item.retrieve", item_id="mine")
        await client.until("conversation.item.retrieved")
        tool = {"type": "function", "name": "give", "description": "Gives.", "parameters": {"type": "object"}}
        await client.create(tools=[tool], metadata={"rid": "1"}, max_output_tokens=200)
        await client.until("response.done")
        await client.create(conversation="auto", output_modalities=["audio"], input=None)
        done = await client.until("response.done")
        item = done["response"]["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        await client.until("conversation.item.truncated")
        await client.create()
        await client.until("response.done")
        await client.create()
        await client.until("response.done")
        await client.send("input_audio_buffer.append", audio=base64.b64encode(bytes(9600)).decode())
        await client.send("input_audio_buffer.commit")
        await client.until("conversation.item.done")
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")
        hears = {"transcription": {"model": "gpt-realtime-whisper"}, "turn_detection": {"type": "server_vad"}}
        await client.send("session.update", session={"type": "realtime", "audio": {"input": hears}})
        await client.until("session.updated")
        speech = base64.b64encode(bytes(24_000) + spelled("Is it far?") + bytes(48_000)).decode()
        await client.send("input_audio_buffer.append", audio=speech)
        completed = await client.until("conversation.item.input_audio_transcription.completed")
        assert completed["transcript"] == "Is it far?"
        sim.quirks = replace(sim.quirks, deaf=True)
        await client.send("input_audio_buffer.append", audio=speech)
        await client.until("conversation.item.input_audio_transcription.failed")
        await client.send("conversation.item.delete", item_id="mine")
        await client.until("conversation.item.deleted")
        await client.send("no.such.event")
        await client.until("error")
        seen += client.seen
    async with Simulator(quirks=Quirks(legacy_items=True)) as sim, talk(sim.url) as client:
        await client.create(conversation="auto")
        await client.until("response.done")
        seen += client.seen
    return {event["type"] for event in seen}


def test_every_event_validates(talk, event_types):
    assert asyncio.run(everything(talk)) == named_in_source(event_types)


def test_the_check_sees_an_unknown_type(checked):
    with pytest.raises(AssertionError, match="no such event"):
        checked(b'{"type":"response.cancelled","event_id":"e"}')


def test_the_check_sees_a_missing_field(checked):
    with pytest.raises(ValidationError):
        checked(b'{"type":"response.output_text.done","event_id":"e","response_id":"r","item_id":"i"}')


def test_the_check_sees_a_made_up_field(checked):
    with pytest.raises(AssertionError):
        checked(b'{"type":"conversation.item.deleted","event_id":"e","item_id":"i","reason":"none"}')


def test_event_ids_are_unique_and_the_order_is_openais(talk):
    async def run():
        async with Simulator(script=["Well met."]) as sim, talk(sim.url) as client:
            await client.create(conversation="auto")
            await client.until("response.done")
            return client.seen

    seen = asyncio.run(run())
    assert len({event["event_id"] for event in seen}) == len(seen)
    assert [event["type"] for event in seen] == [
        "session.created",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
