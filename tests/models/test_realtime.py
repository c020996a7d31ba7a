"""The realtime model against the simulator: streaming, tools, usage, cancel, and every way a server can fail a line."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from openai.types.realtime import ResponseCreateEvent
from picture_files import png
from pydantic import TypeAdapter

from townsfolk.errors import ModelError
from townsfolk.models import connect as module
from townsfolk.models.backoff import Pacer
from townsfolk.models.base import Call, Image, Request, Spoken, Text, Usage
from townsfolk.models.realtime import Realtime
from townsfolk.persona import Persona
from townsfolk.prompt import Message, Prompt
from townsfolk.simulator import Fault, Pace, Quirks, Reply, Simulator, ToolCall

BARKS = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")
ADA = Persona.model_validate({"id": "ada", "name": "Ada", "description": "A", "manner": "B", "barks": BARKS})
TOOL = {"description": "Gives a thing.", "parameters": {"type": "object", "properties": {"item": {"type": "string"}}}}


def request(line="s-1", text="Hello?", **more):
    messages = (Message("system", "It rains."), Message("assistant", "Yes?"), Message("user", text))
    return Request(line, ADA, Prompt("You are Ada.", messages, (), 1200), text, **more)


def model(sim, **options):
    return Realtime(**{"api_key": "sk-test", "base_url": sim.url, "created_s": 1.0, "stall_s": 1.0, **options})


def said(events):
    return "".join(event.text for event in events if isinstance(event, Text))


def run(scenario, *args, options=None, **simulator):
    """Runs ``scenario(model, sim)``, and sees to it that nothing of the model is left behind."""

    async def main():
        async with Simulator(*args, **simulator) as sim:
            made = model(sim, **(options or {}))
            try:
                return await asyncio.wait_for(scenario(made, sim), 20)
            finally:
                await made.close()
                await made.close()
                left = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}
                assert not {name for name in left if name.startswith("realtime")}

    return asyncio.run(main())


async def fails(made, line="s-1", **more):
    """The error of a line, and what it had said before."""
    events = []
    with pytest.raises(ModelError) as raised:
        await made.speak(request(line, **more), events.append)
    return raised.value, said(events)


# lines that go well


def test_a_line_streams_and_says_what_it_took():
    async def scenario(made, sim):
        events = []
        return await made.speak(request(), events.append), events, sim.creates()[0]

    spoken, events, create = run(scenario)
    assert events == [Text("You "), Text("said: "), Text("Hello?")]
    assert spoken == Spoken("realtime:gpt-realtime-2.1-mini", usage=Usage(18, 5, 0, 18, 0, 0, 0, 0, 0, 5, 0))
    assert create == {
        "conversation": "none",
        "metadata": {"rid": "s-1/1", "npc": "ada"},
        "output_modalities": ["text"],
        "instructions": "You are Ada.",
        "input": [
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "It rains."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes?"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]},
        ],
        "max_output_tokens": 160,
    }


def test_a_picture_is_shown_with_the_line_and_counted():
    image = Image("image/png", png(300, 200), "A sign.")

    async def scenario(made, sim):
        spoken = await made.speak(request(images=(image,)), lambda event: None)
        return spoken, sim.received[-1]

    spoken, event = run(scenario)
    content = event["response"]["input"][-1]["content"]
    assert [part["type"] for part in content] == ["input_image", "input_text"]
    assert content[0] == {"type": "input_image", "image_url": image.uri, "detail": "low"}
    TypeAdapter(ResponseCreateEvent).validate_python(event)
    assert spoken.usage.input_image == 85 and spoken.usage.input == spoken.usage.input_text + 85


def test_a_model_that_does_not_see_is_shown_nothing():
    async def scenario(made, sim):
        await made.speak(request(images=(Image("image/png", png()),)), lambda event: None)
        return str(sim.creates())

    assert "input_image" not in run(scenario, options={"sees": False})


@pytest.mark.parametrize("do", ["refuse", "fail"])
def test_a_picture_that_the_server_refuses_is_left_out_of_that_line(do):
    fault = Fault(do, code="invalid_value", kind="invalid_request_error", message="The image data is corrupt.")

    async def scenario(made, sim):
        events = []
        await made.speak(request(images=(Image("image/png", png()),)), events.append)
        return said(events), ["input_image" in str(create) for create in sim.creates()]

    assert run(scenario, script=[Reply("x", fault=fault), "Aye."]) == ("Aye.", [True, False])


def test_other_refusals_are_not_tried_again_without_the_picture():
    fault = Fault("refuse", code="invalid_value", message="No.")

    async def scenario(made, sim):
        return (await fails(made, images=(Image("image/png", png()),)))[0].code, len(sim.creates())

    assert run(scenario, script=[Reply(fault=fault)]) == ("server_error", 1)


def test_lines_run_beside_each_other_on_one_socket():
    async def scenario(made, sim):
        heard = {n: [] for n in range(8)}
        start = time.perf_counter()
        await asyncio.gather(*(made.speak(request(f"s-{n}", f"line {n}"), heard[n].append) for n in heard))
        return heard, time.perf_counter() - start, sim.handshaken

    heard, taken, sockets = run(scenario, pace=Pace(0.1, 50))
    assert {n: said(events) for n, events in heard.items()} == {n: f"You said: line {n}" for n in heard}
    assert sockets == 1
    assert taken < 1.0  # one after the other they would take 1.4 s


def test_sockets_are_opened_as_they_are_needed_and_no_more():
    async def scenario(made, sim):
        assert sim.handshaken == 0
        lines = [asyncio.create_task(made.speak(request(f"s-{n}", f"{n}"), lambda e: None)) for n in range(10)]
        await asyncio.gather(*lines)
        return sim.handshaken

    assert run(scenario, options={"sockets": 3, "in_flight": 2}, pace=Pace(0.1, 100)) == 3


def test_when_all_places_are_taken_lines_wait_their_turn():
    async def scenario(made, sim):
        order = []

        async def speak(n):
            await made.speak(request(f"s-{n}", f"{n}"), lambda e: None)
            order.append(n)

        await asyncio.gather(*(speak(n) for n in range(6)))
        return order, sim.handshaken

    assert run(scenario, options={"sockets": 1, "in_flight": 1}) == ([0, 1, 2, 3, 4, 5], 1)


def test_a_line_that_waits_can_be_cancelled():
    async def scenario(made, sim):
        first = asyncio.create_task(made.speak(request("s-1"), lambda e: None))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(made.speak(request("s-2"), lambda e: None))
        third = asyncio.create_task(made.speak(request("s-3"), lambda e: None))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(first, third)
        assert second.cancelled()
        return len(sim.creates())

    assert run(scenario, options={"sockets": 1, "in_flight": 1}, pace=Pace(0.2)) == 2


def test_actions_become_calls_and_broken_arguments_are_left_out():
    calls = (
        ToolCall("give", '{"item": "lamp"}'),
        ToolCall("give", '{"item": '),
        ToolCall("wave", ""),
        ToolCall("sit", "[1]"),
    )

    async def scenario(made, sim):
        events = []
        spoken = await made.speak(request(actions={"give": TOOL}), events.append)
        return spoken, events, sim.creates()[0]["tools"]

    spoken, events, tools = run(scenario, script=[Reply("Here. ", calls=calls)])
    assert events[0] == Text("Here. ")
    assert [(event.name, event.args) for event in events[1:]] == [("give", {"item": "lamp"}), ("wave", {})]
    assert all(isinstance(event, Call) and event.id.startswith("call_") for event in events[1:])
    assert len(spoken.notes) == 2
    assert tools == [{"type": "function", "name": "give", **TOOL}]


def test_the_token_limit_is_told():
    async def scenario(made, sim):
        return await made.speak(request(max_tokens=16), lambda e: None)

    assert run(scenario, script=["many words " * 40]).reason == "length"


def test_a_server_that_says_no_usage():
    async def scenario(made, sim):
        return await made.speak(request(), lambda e: None)

    assert run(scenario, quirks=Quirks(usage=False)).usage == Usage(None, None, None)


def test_text_of_any_script_arrives_whole():
    text = 'Ça va? 你好 — «Ω» \U0001f5e1 "quoted" back\\slash \u2028 end'

    async def scenario(made, sim):
        events = []
        await made.speak(request(text=text), events.append)
        return said(events)

    assert run(scenario) == f"You said: {text}"


# cancel


def test_cancel_stops_the_server_and_nothing_is_heard_after():
    async def scenario(made, sim):
        events = []
        line = asyncio.create_task(made.speak(request(), events.append))
        while len(events) < 3:
            await asyncio.sleep(0.01)
        line.cancel()
        with pytest.raises(asyncio.CancelledError):
            await line
        heard = len(events)
        await asyncio.sleep(0.1)
        kinds = [event["type"] for event in sim.received]
        after = []
        await made.speak(request("s-2"), after.append)
        assert len(events) == heard
        return kinds, said(after), sim.handshaken

    kinds, after, sockets = run(scenario, script=["word " * 500, "Next."], pace=Pace(rate=200))
    assert kinds == ["response.create", "response.cancel"]
    assert (after, sockets) == ("Next.", 1)


def test_cancel_before_the_response_is_created():
    async def scenario(made, sim):
        await made.warm(ADA)
        line = asyncio.create_task(made.speak(request(), lambda e: None))
        await asyncio.sleep(0)
        line.cancel()
        with pytest.raises(asyncio.CancelledError):
            await line
        await asyncio.sleep(0.1)
        return [event["type"] for event in sim.received][-1:], len(next(iter(sim.connections))._session.streams)

    kinds, speaking = run(scenario, script=["word " * 500], pace=Pace(rate=200))
    assert (kinds, speaking) == (["response.cancel"], 0)


def test_a_server_that_cannot_cancel_is_not_heard_either():
    async def scenario(made, sim):
        events, after = [], []
        line = asyncio.create_task(made.speak(request(), events.append))
        while not events:
            await asyncio.sleep(0.01)
        line.cancel()
        with pytest.raises(asyncio.CancelledError):
            await line
        heard = len(events)
        await made.speak(request("s-2"), after.append)
        return len(events) - heard, said(after)

    quirks = Quirks(cancel=False, metadata=False)
    assert run(scenario, script=["word " * 60, "Next."], quirks=quirks, pace=Pace(rate=200)) == (0, "Next.")


def test_a_listener_that_fails_ends_its_own_line_only():
    async def scenario(made, sim):
        events = []

        def broken(event):
            raise RuntimeError("deaf")

        first = asyncio.create_task(made.speak(request("s-1"), broken))
        second = asyncio.create_task(made.speak(request("s-2"), events.append))
        with pytest.raises(RuntimeError, match="deaf"):
            await first
        await second
        return said(events), sim.handshaken

    assert run(scenario, pace=Pace(rate=50)) == ("You said: Hello?", 1)


# one response at a time


@pytest.mark.parametrize("busy_in", ["code", "type"])
def test_a_server_that_takes_one_response_at_a_time(busy_in):
    async def scenario(made, sim):
        heard = {n: [] for n in range(5)}
        await asyncio.gather(*(made.speak(request(f"s-{n}", f"line {n}"), heard[n].append) for n in heard))
        return [said(events) for events in heard.values()]

    quirks = Quirks(parallel=False, busy_in=busy_in)
    heard = run(scenario, quirks=quirks, options={"sockets": 1}, pace=Pace(rate=200))
    assert heard == [f"You said: line {n}" for n in range(5)]


def test_a_server_that_ignores_metadata_still_gets_its_lines_to_the_right_npc():
    async def scenario(made, sim):
        heard = {n: [] for n in range(5)}
        await asyncio.gather(*(made.speak(request(f"s-{n}", f"line {n}"), heard[n].append) for n in heard))
        return [said(events) for events in heard.values()]

    quirks = Quirks(metadata=False, legacy_items=True, rate_limits=False, expires_at=False)
    assert run(scenario, quirks=quirks, pace=Pace(rate=200)) == [f"You said: line {n}" for n in range(5)]


# errors


@pytest.mark.parametrize(
    ("fault", "code", "fatal", "shown"),
    [
        (Fault("refuse", code="insufficient_quota"), "quota", True, ""),
        (Fault("refuse", code=None, kind="insufficient_quota"), "quota", True, ""),
        (Fault("refuse", code="invalid_api_key"), "bad_key", True, ""),
        (Fault("refuse", code="model_not_found"), "no_such_model", True, ""),
        (Fault("refuse", code="rate_limit_exceeded"), "rate_limited", False, ""),
        (Fault("refuse", code="server_error"), "server_error", False, ""),
        (Fault("fail", 0, code="server_error"), "server_error", False, ""),
        (Fault("fail", 2, code="insufficient_quota"), "quota", True, "a b "),
        (Fault("fail", 2, code="server_error"), "interrupted", False, "a b "),
        (Fault("error", 2, code="insufficient_quota"), "quota", True, "a b "),
        (Fault("error", 2, code="server_error"), "interrupted", False, "a b "),
        (Fault("incomplete", 2, code="content_filter"), "content_filter", False, "a b "),
        (Fault("ignore"), "timeout", False, ""),
        (Fault("silence", 0), "timeout", False, ""),
        (Fault("silence", 2), "interrupted", False, "a b "),
        (Fault("drop", 2), "interrupted", False, "a b "),
        (Fault("tear", 2), "interrupted", False, "a b "),
        (Fault("stall", 2), "interrupted", False, "a b "),
        (Fault("expire", 2), "interrupted", False, "a b "),
        (Fault("close", 2, number=1000, message=""), "interrupted", False, "a b "),
        (Fault("close", 2, number=1011, message="keepalive ping timeout"), "interrupted", False, "a b "),
        (Fault("close", 0, number=3000, message="invalid_request_error.invalid_api_key"), "bad_key", True, ""),
        (Fault("send", 2, data='{"type": "response.output_text.del'), "interrupted", False, "a b "),
    ],
    ids=lambda value: f"{value.do}@{value.after}-{value.code or value.number}" if isinstance(value, Fault) else None,
)  # fmt: skip
def test_what_goes_wrong_has_its_code(fault, code, fatal, shown):
    options = {"created_s": 0.3, "stall_s": 0.3}

    async def scenario(made, sim):
        error, events = await fails(made)
        after = []
        await made.speak(request("s-2"), after.append)
        return error, events, said(after), len(sim.creates())

    error, events, after, asked = run(scenario, script=[Reply("a b c d", fault=fault), "Next."], options=options)
    assert (error.code, error.fatal, events) == (code, fatal, shown)
    assert error.message
    assert error.hint
    assert after == "Next."  # the model has recovered
    assert asked == 2  # and the failed line was asked for once only


@pytest.mark.parametrize("do", ["drop", "tear", "expire", "close"])
def test_a_line_that_had_not_begun_is_asked_for_once_more_on_a_new_socket(do):
    async def scenario(made, sim):
        events = []
        await made.speak(request(), events.append)
        return said(events), sim.handshaken, len(sim.creates())

    assert run(scenario, script=[Reply("a b c d", fault=Fault(do)), "Again."]) == ("Again.", 2, 2)


def test_a_line_is_not_asked_for_a_third_time():
    async def scenario(made, sim):
        error, events = await fails(made)
        return error.code, events, len(sim.creates())

    lost = Reply("a", fault=Fault("drop"))
    assert run(scenario, script=[lost, lost, "Never."]) == ("connect_failed", "", 2)


def test_garbage_before_the_first_word_is_tried_again():
    async def scenario(made, sim):
        events = []
        await made.speak(request(), events.append)
        return said(events), sim.handshaken

    assert run(scenario, script=[Reply("a b", fault=Fault("send", data="<html>")), "Again."]) == ("Again.", 2)


def test_all_lines_on_a_lost_socket_end():
    async def scenario(made, sim):
        lines = [asyncio.create_task(fails(made, f"s-{n}")) for n in range(4)]
        return [(error.code, shown) for error, shown in await asyncio.gather(*lines)]

    script = ["a b c d e f"] * 3 + [Reply("a b c d e f", fault=Fault("drop", 3))]
    ends = run(scenario, script=script, pace=Pace(rate=50))
    assert [code for code, _ in ends] == ["interrupted"] * 4
    assert all("a b c d e f".startswith(shown) and shown for _, shown in ends)


@pytest.mark.parametrize(
    "data",
    ['{"type":"wholly.new","response_id":"x"}', "[1]", "7", '{"no":"type"}', '{"type":"response.output_text.delta"}',
     '{"type":"response.created","response":null}', '{"type":"response.done","response":{"id":null}}',
     '{"type":"error","error":{"type":"invalid_request_error","code":"x","event_id":"other"}}'],
)  # fmt: skip
def test_odd_events_do_no_harm(data):
    async def scenario(made, sim):
        events = []
        await made.speak(request(), events.append)
        return said(events), sim.handshaken

    assert run(scenario, script=[Reply("a b c", fault=Fault("send", 1, data=data))]) == ("a b c", 1)


def test_a_response_without_a_word_is_an_empty_reply():
    async def scenario(made, sim):
        return (await fails(made))[0].code

    assert run(scenario, script=[Reply(pieces=("  ",))]) == "empty_reply"


# connections


@pytest.mark.parametrize(("status", "code"), [(401, "bad_key"), (403, "bad_key"), (404, "no_such_model")])
def test_a_refusal_for_good_is_asked_for_once(status, code):
    async def scenario(made, sim):
        errors = [(await fails(made, f"s-{n}"))[0] for n in range(5)]
        await made.warm(ADA)
        return errors, await made.health(), sim.handshaken

    errors, health, tried = run(scenario, handshakes=[status, 101])
    assert {(error.code, error.fatal) for error in errors} == {(code, True)}
    assert str(status) in errors[0].message and not health.ok
    assert tried == 1


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "server_error"), (400, "bad_response")])
def test_a_refused_handshake_is_tried_again_and_then_left_alone(status, code):
    async def scenario(made, sim):
        (error, _), start = await fails(made), time.perf_counter()
        again, _ = await fails(made, "s-2")
        return error, again, time.perf_counter() - start, sim.handshaken

    error, again, taken, tried = run(scenario, handshakes=[status, status, status, 101])
    assert (error.code, error.fatal) == (again.code, again.fatal) == (code, False)
    assert str(status) in error.message
    assert tried == 3 and taken < 0.1  # the breaker is open: it is known at once


def test_a_server_that_was_busy_for_a_moment_is_reached():
    async def scenario(made, sim):
        events = []
        await made.speak(request(), events.append)
        return said(events), sim.handshaken

    assert run(scenario, handshakes=[503, 101]) == ("You said: Hello?", 2)


def test_a_wrong_key_is_not_repeated_in_the_message():
    async def scenario(made, sim):
        return (await fails(made))[0], await made.health()

    error, health = run(scenario, key="sk-right", options={"api_key": "sk-wrong-and-secret"})
    assert error.code == "bad_key"
    assert not health.ok
    assert "sk-wrong-and-secret" not in str(error) + health.detail


def test_a_model_that_does_not_exist():
    async def scenario(made, sim):
        return (await fails(made))[0]

    error = run(scenario, models=["other"])
    assert (error.code, error.fatal) == ("no_such_model", True)


def test_a_handshake_that_never_ends():
    async def scenario(made, sim):
        start = time.perf_counter()
        return (await fails(made))[0].code, time.perf_counter() - start

    code, taken = run(scenario, handshakes=[None] * 3, options={"connect_s": 0.2})
    assert code == "timeout"
    assert taken < 3


def test_nobody_listens():
    async def main():
        made = Realtime(api_key="sk-test", base_url="ws://127.0.0.1:9/v1")
        error, _ = await fails(made)
        await made.warm(ADA)  # never raises
        health = await made.health()
        await made.close()
        return error, health

    error, health = asyncio.run(main())
    assert (error.code, error.fatal, health.ok) == ("connect_failed", False, False)


def test_no_key_and_a_closed_model():
    async def main():
        bare, closed = Realtime(), Realtime(api_key="sk-test", base_url="ws://127.0.0.1:9/v1")
        await closed.close()
        strange = Realtime(api_key="sk-\n\u20ac", base_url="ws://127.0.0.1:9/v1")
        errors = [(await fails(made))[0] for made in (bare, closed, strange)]
        await bare.close()
        await strange.close()
        return [(error.code, error.fatal) for error in errors]

    assert asyncio.run(main()) == [("missing_key", True), ("closed", True), ("bad_key", True)]


def test_closing_ends_the_lines_that_are_spoken_and_those_that_wait():
    async def scenario(made, sim):
        lines = [asyncio.create_task(fails(made, f"s-{n}")) for n in range(3)]
        await asyncio.sleep(0.2)
        await made.close()
        return sorted(error.code for error, _ in await asyncio.gather(*lines))

    options = {"sockets": 1, "in_flight": 1}
    assert run(scenario, script=["word " * 500], pace=Pace(rate=50), options=options) == [
        "closed",
        "closed",
        "interrupted",
    ]


def test_warm_opens_one_socket_and_health_needs_no_other():
    async def scenario(made, sim):
        await asyncio.gather(made.warm(ADA), made.warm(ADA), made.warm(ADA))
        health = await made.health()
        return sim.handshaken, health.ok, len(sim.received)

    assert run(scenario) == (1, True, 0)


def test_an_old_socket_finishes_its_lines_and_takes_no_new_ones():
    async def scenario(made, sim):
        events = []
        long = asyncio.create_task(made.speak(request("s-1"), events.append))
        await asyncio.sleep(0.3)  # the session is older than half its life now
        await made.speak(request("s-2"), lambda e: None)
        assert not long.done()
        await long
        await asyncio.sleep(0.1)
        return said(events), sim.handshaken, len(sim.connections)

    script = ["word " * 50, "Next."]
    text, tried, open_now = run(scenario, script=script, pace=Pace(rate=100), options={"session_s": 0.2})
    assert text == "word " * 50 and tried >= 2
    assert open_now <= 1  # both are old by then, and were closed when the last line ended; the next one is ready


def test_a_session_that_ends_soon_is_left_in_time():
    async def scenario(made, sim):
        for n in range(6):
            await made.speak(request(f"s-{n}"), lambda e: None)
            await asyncio.sleep(0.3)
        return sim.handshaken

    assert run(scenario, lifetime=1.0) >= 3  # each was used for half a second, and none was cut


def test_a_dead_idle_socket_is_replaced_before_the_player_speaks():
    async def scenario(made, sim):
        await made.speak(request("s-1"), lambda e: None)
        for connection in list(sim.connections):
            connection.abort()
        await asyncio.sleep(0.1)
        await made.speak(request("s-2"), lambda e: None)
        return sim.handshaken, len(sim.creates())

    assert run(scenario) == (2, 2)


def test_names_that_were_replaced_warn_once(caplog):
    module._warned.clear()
    with caplog.at_level(logging.WARNING):
        first = Realtime(model="gpt-4o-mini-realtime-preview-2024-12-17", api_key="k")
        second = Realtime(model="gpt-4o-mini-realtime-preview-2024-12-17", api_key="k")
    assert first.name == second.name == "realtime:gpt-realtime-2.1-mini"
    assert len(caplog.records) == 1
    assert Realtime(model="my-own-model", api_key="k").name == "realtime:my-own-model"
    assert Realtime(model="gpt-4o-realtime-preview", api_key="k").name == "realtime:gpt-realtime-2.1"
    # Another server may well have a deployment of that name.
    own = Realtime(model="gpt-4o-mini-realtime-preview", api_key="k", base_url="ws://127.0.0.1:9/v1")
    assert own.name == "realtime:gpt-4o-mini-realtime-preview"


# what it took


def billed(script, *, cancel_after=None, **simulator):
    bills = []

    async def scenario(made, sim):
        task = asyncio.create_task(made.speak(request(bill=bills.append), lambda event: None))
        if cancel_after is not None:
            await asyncio.sleep(cancel_after)
            task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.1)
        if not task.cancelled():
            task.exception()

    run(scenario, script=script, **simulator)
    return [(bill.status, bill.usage.input, bill.usage.output, bill.model, bill.line) for bill in bills]


def test_what_a_line_took_is_told_once():
    [(status, came, went, name, line)] = billed(["One two three."])
    assert (status, name, line) == ("completed", "gpt-realtime-2.1-mini", "s-1")
    assert came > 0 and went > 0


def test_what_a_cancelled_line_took_is_told_too():
    [(status, came, went, _, _)] = billed(["word " * 200], cancel_after=0.2, pace=Pace(rate=100))
    assert status == "cancelled" and came > 0 and 0 < went < 200


def test_a_response_that_was_lost_took_nobody_knows_what():
    assert billed([Reply("a b c", fault=Fault("drop", 2))]) == [("failed", None, None, "gpt-realtime-2.1-mini", "s-1")]


# sockets come and go


def test_a_socket_that_nobody_uses_is_closed():
    async def scenario(made, sim):
        await made.speak(request(), lambda event: None)
        before = len(sim.connections)
        await asyncio.sleep(0.4)
        after = len(sim.connections)
        await made.speak(request("s-2"), lambda event: None)
        return before, after, sim.handshaken

    assert run(scenario, options={"idle_s": 0.15}) == (1, 0, 2)


def test_the_next_socket_is_open_before_the_old_one_ends():
    async def scenario(made, sim):
        await made.speak(request(), lambda event: None)
        await asyncio.sleep(0.5)  # its session is over; nobody has spoken since
        tried = sim.handshaken
        await made.speak(request("s-2"), lambda event: None)
        return tried, sim.handshaken - tried

    tried, waited_for = run(scenario, options={"session_s": 0.4})
    assert tried == 2 and waited_for == 0


def test_a_hundred_rollovers_cut_no_line():
    """N = 100 sessions end while lines are spoken on them."""

    async def scenario(made, sim):
        made._connector._pacer = Pacer(1000)  # a hundred sessions in a second, not in five
        texts, n = [], 0

        async def talk(k):
            nonlocal n
            while sim.handshaken < 100:
                events, n = [], n + 1
                await made.speak(request(f"s-{n}"), events.append)
                texts.append(said(events))

        await asyncio.gather(*(talk(k) for k in range(4)))
        return texts, sim.handshaken

    options = {"session_s": 0.03, "in_flight": 4}
    texts, sessions = run(scenario, script=["word " * 5] * 2000, pace=Pace(rate=400), options=options)
    assert sessions >= 100 and len(texts) > 200
    assert set(texts) == {"word " * 5}
