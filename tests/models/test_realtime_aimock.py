"""The realtime model against a server that nobody here wrote, and that differs from OpenAI's in many ways.

aimock ignores ``response.input`` and metadata, speaks its responses one after the other, answers a cancel with the
made-up event ``response.cancelled`` and goes on speaking, and says no usage. None of that may harm a line.
"""

from __future__ import annotations

import asyncio

import pytest
from picture_files import png

from townsfolk.errors import ModelError
from townsfolk.models.base import Image, Text, Usage
from townsfolk.models.realtime import Realtime

LINE = "The mine road is blocked, and the goats complain about it."
STEADY = ("--latency", "20")


def speaking(content=LINE, **more):
    return {"fixtures": [{"match": {}, "response": {"content": content}, **more}]}


def run(scenario, address, **options):
    async def main():
        model = Realtime(base_url=f"ws://{address}/v1", api_key="k", created_s=5.0, stall_s=2.0, **options)
        try:
            return await asyncio.wait_for(scenario(model), 20)
        finally:
            await model.close()

    return asyncio.run(main())


def said(events):
    return "".join(event.text for event in events if isinstance(event, Text))


def test_text_streams(start_aimock, ask):
    async def scenario(model):
        events = []
        return await model.speak(ask(), events.append), events

    with start_aimock(*STEADY, fixtures=speaking()) as address:
        spoken, events = run(scenario, address)
    assert said(events) == LINE
    assert len(events) > 3
    assert spoken.usage in (Usage(0, 0, None), Usage(None, None, None), Usage(0, 0, 0))


def test_lines_asked_for_at_once_each_come_whole(start_aimock, ask):
    async def scenario(model):
        heard = [[] for _ in range(4)]
        await asyncio.gather(*(model.speak(ask(line=f"s-{n}"), each.append) for n, each in enumerate(heard)))
        return [said(events) for events in heard]

    with start_aimock(*STEADY, fixtures=speaking()) as address:
        assert run(scenario, address, sockets=1) == [LINE] * 4


def test_a_cancel_that_does_not_cancel(start_aimock, ask):
    async def scenario(model):
        first, second = [], []
        line = asyncio.create_task(model.speak(ask(line="s-1"), first.append))
        while not first:
            await asyncio.sleep(0.005)
        line.cancel()
        with pytest.raises(asyncio.CancelledError):
            await line
        heard = len(first)
        await model.speak(ask(line="s-2"), second.append)
        return len(first) - heard, said(second)

    with start_aimock(*STEADY, fixtures=speaking()) as address:
        assert run(scenario, address, sockets=1) == (0, LINE)


def test_an_error_of_the_server(start_aimock, ask):
    async def scenario(model):
        with pytest.raises(ModelError) as raised:
            await model.speak(ask(), lambda event: None)
        return raised.value

    fixture = {"error": {"message": "The server is overloaded.", "type": "server_error"}, "status": 503}
    with start_aimock(fixtures={"fixtures": [{"match": {}, "response": fixture}]}) as address:
        error = run(scenario, address)
    assert (error.code, error.fatal) == ("server_error", False)
    assert "overloaded" in error.message


def test_a_connection_that_is_cut_in_mid_line(start_aimock, ask):
    async def scenario(model):
        events = []
        with pytest.raises(ModelError) as raised:
            await model.speak(ask(), events.append)
        return raised.value, said(events)

    with start_aimock(*STEADY, fixtures=speaking(truncateAfterChunks=3)) as address:
        error, shown = run(scenario, address)
    assert error.code == "interrupted"
    assert shown and LINE.startswith(shown) and shown != LINE


def test_a_line_with_a_picture(start_aimock, ask):
    async def scenario(model):
        events = []
        await model.speak(ask(images=(Image("image/png", png(), "A sign."),)), events.append)
        return said(events)

    with start_aimock(*STEADY, fixtures=speaking()) as address:
        assert run(scenario, address) == LINE
