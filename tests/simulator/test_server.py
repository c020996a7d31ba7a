"""The simulator does what OpenAI's server does: conversations, parallel responses, cancel, usage, refusals, expiry."""

from __future__ import annotations

import asyncio
import base64
import json
import time

import pytest
from picture_files import png
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from townsfolk.simulator import Fault, Pace, Quirks, Reply, Simulator, ToolCall, asked


def user(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def run(scenario, talk, *args, unchecked=frozenset(), **options):
    async def main():
        async with Simulator(*args, **options) as sim, talk(sim.url, unchecked=unchecked) as client:
            return await scenario(client, sim)

    return asyncio.run(main())


def test_a_line_comes_in_deltas_and_metadata_comes_back(talk):
    async def scenario(client, sim):
        await client.create(input=[user("Hello")], metadata={"rid": "r1", "npc": "ada"})
        return await client.line()

    text, response = run(scenario, talk)
    assert text == "You said: Hello"
    assert response["status"] == "completed"
    assert response["metadata"] == {"rid": "r1", "npc": "ada"}
    assert response["conversation_id"] is None
    assert response["output"][0]["content"] == [{"type": "output_text", "text": text}]


def test_out_of_band_responses_run_beside_each_other(talk):
    async def scenario(client, sim):
        for n in range(5):
            await client.create(input=[user(f"line {n}")], metadata={"rid": str(n)})
        ends = [await client.line() for _ in range(5)]
        starts = [n for n, event in enumerate(client.seen) if event["type"] == "response.created"]
        first_end = next(n for n, event in enumerate(client.seen) if event["type"] == "response.done")
        assert all(start < first_end for start in starts)
        return {response["metadata"]["rid"] for _, response in ends}

    assert run(scenario, talk, pace=Pace(rate=200)) == {"0", "1", "2", "3", "4"}


def test_only_one_response_writes_to_the_conversation(talk):
    async def scenario(client, sim):
        await client.create(conversation="auto")
        refused = await client.create(conversation="auto")
        error = (await client.until("error"))["error"]
        await client.create()
        await client.until("response.created")
        return error, refused

    error, refused = run(scenario, talk, pace=Pace(rate=20))
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == refused


@pytest.mark.parametrize("quirks", [Quirks(parallel=False), Quirks(in_flight=1)])
def test_a_server_may_take_one_response_at_a_time(talk, quirks):
    async def scenario(client, sim):
        await client.create()
        await client.create()
        return (await client.until("error"))["error"]

    assert run(scenario, talk, quirks=quirks, pace=Pace(rate=20))["code"] == "conversation_already_has_active_response"


def test_the_busy_error_may_stand_in_the_type(talk):
    async def scenario(client, sim):
        await client.create()
        await client.create()
        return (await client.until("error"))["error"]

    error = run(scenario, talk, quirks=Quirks(parallel=False, busy_in="type"), pace=Pace(rate=20))
    assert (error["code"], error["type"]) == (None, "conversation_already_has_active_response")


def test_cancel_stops_the_response(talk):
    async def scenario(client, sim):
        await client.create()
        id = (await client.until("response.created"))["response"]["id"]
        await client.until("response.output_text.delta")
        await client.send("response.cancel", response_id=id)
        done = (await client.until("response.done"))["response"]
        await client.create()
        text, _ = await client.line()
        assert not any(
            event.get("response_id") == id for event in client.seen[client.seen.index(done_event(client, id)) + 1 :]
        )
        return done, text

    def done_event(client, id):
        return next(e for e in client.seen if e["type"] == "response.done" and e["response"]["id"] == id)

    done, text = run(scenario, talk, script=["word " * 200, "Next."], pace=Pace(rate=100))
    assert done["status"] == "cancelled"
    assert done["status_details"]["reason"] == "client_cancelled"
    assert done["output"][0]["status"] == "incomplete"
    assert done["usage"]["output_tokens"] < 50
    assert text == "Next."


def test_cancel_with_nothing_active_is_an_error_and_harms_nothing(talk):
    async def scenario(client, sim):
        id = await client.send("response.cancel")
        error = (await client.until("error"))["error"]
        await client.create()
        return error, id, (await client.line())[1]["status"]

    error, id, status = run(scenario, talk)
    assert (error["code"], error["event_id"], status) == ("response_cancel_not_active", id, "completed")


def test_a_function_call_streams_its_arguments(talk):
    arguments = '{"item": "a long grey cloak", "to": "the player"}'

    async def scenario(client, sim):
        await client.create()
        done = await client.until("response.function_call_arguments.done")
        parts = [e["delta"] for e in client.seen if e["type"] == "response.function_call_arguments.delta"]
        return done, parts, (await client.until("response.done"))["response"]["output"]

    done, parts, output = run(scenario, talk, script=[Reply("Here.", calls=(ToolCall("give", arguments),))])
    assert len(parts) > 1
    assert "".join(parts) == done["arguments"] == output[1]["arguments"] == arguments
    assert (done["name"], done["call_id"]) == ("give", output[1]["call_id"])
    assert [item["type"] for item in output] == ["message", "function_call"]


def test_audio_has_a_transcript_and_can_be_truncated(talk):
    async def scenario(client, sim):
        await client.create(conversation="auto", output_modalities=["audio"])
        done = await client.until("response.done")
        item = done["response"]["output"][0]
        said = "".join(e["delta"] for e in client.seen if e["type"] == "response.output_audio_transcript.delta")
        sound = [e["delta"] for e in client.seen if e["type"] == "response.output_audio.delta"]
        for end in (0, 10_000_000):
            await client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=end)
            assert "already shorter" in (await client.until("error"))["error"]["message"]
        await client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=500)
        await client.until("conversation.item.truncated")
        await client.send("conversation.item.retrieve", item_id=item["id"])
        left = (await client.until("conversation.item.retrieved"))["item"]
        await client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "cedar"}}})
        voice = (await client.until("error"))["error"]["code"]
        return said, sound, left, voice, done["response"]["usage"]

    said, sound, left, voice, usage = run(scenario, talk, script=["The mine is shut."])
    assert said == "The mine is shut."
    seconds = sum(len(each) for each in sound) * 3 / 4 / 2 / 24_000
    assert 0.9 < seconds < 1.2
    assert left["content"] == [{"type": "output_audio"}]
    assert voice == "cannot_update_voice"
    assert usage["output_token_details"]["audio_tokens"] > 0


def test_the_conversation_is_what_an_in_band_response_hears(talk):
    heard = []

    def brain(response):
        heard.append((asked(response), response["instructions"]))
        return "Aye."

    async def scenario(client, sim):
        await client.send("session.update", session={"type": "realtime", "instructions": "Be Ada."})
        await client.send("conversation.item.create", item={"id": "a", **user("first")})
        await client.send("conversation.item.create", item={"id": "b", **user("second")})
        await client.send("conversation.item.create", item={"id": "c", **user("before")}, previous_item_id="root")
        await client.create(conversation="auto", input=None)
        await client.until("response.done")
        await client.create(input=[{"type": "item_reference", "id": "a"}], instructions="Be Bo.")
        await client.until("response.done")
        await client.create(input=[{"type": "item_reference", "id": "lost"}])
        error = (await client.until("error"))["error"]
        (session,) = [connection._session for connection in sim.connections]
        return list(session.items), error["code"]

    items, code = run(scenario, talk, brain)
    assert heard == [("second", "Be Ada."), ("first", "Be Bo.")]
    assert items[:3] == ["c", "a", "b"]
    assert len(items) == 4
    assert code == "item_reference_invalid_item_id"


def test_usage_adds_up_and_the_cache_is_found_the_second_time(talk):
    long = "You are Ada of Ashwick. " * 300

    async def scenario(client, sim):
        usages = []
        for _ in range(2):
            await client.create(instructions=long, input=[user("Hello")])
            usages.append((await client.line())[1]["usage"])
        return usages

    first, second = run(scenario, talk, script=["Well met.", "Again."])
    for usage in (first, second):
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert usage["input_tokens"] > 1024
    assert first["input_token_details"]["cached_tokens"] == 0
    cached = second["input_token_details"]["cached_tokens"]
    assert 1024 <= cached <= second["input_tokens"]
    assert cached % 128 == 0
    assert second["output_tokens"] == 2


def test_the_token_limit_ends_the_response(talk):
    async def scenario(client, sim):
        await client.create(max_output_tokens=5)
        return await client.line()

    text, response = run(scenario, talk, script=["one two three four five six seven eight nine ten"])
    assert response["status"] == "incomplete"
    assert response["status_details"]["reason"] == "max_output_tokens"
    assert 0 < response["usage"]["output_tokens"] <= 5
    assert text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"temperature": 0.5}, "unknown_parameter"),
        ({"output_modalities": ["text", "audio"]}, "invalid_value"),
        ({"conversation": "mine"}, "invalid_value"),
        ({"metadata": {"rid": "x" * 513}}, "invalid_value"),
        ({"metadata": {str(n): "" for n in range(17)}}, "invalid_value"),
        ({"max_output_tokens": 5000}, "invalid_value"),
        ({"input": [{"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
         "invalid_value"),
        ({"input": [{"type": "message", "role": "wizard", "content": []}]}, "invalid_value"),
        ({"input": "hello"}, "invalid_type"),
        ({"tools": [{"type": "function"}]}, "invalid_value"),
    ],
)  # fmt: skip
def test_a_bad_create_is_refused_with_the_id_of_its_event(talk, change, code):
    async def scenario(client, sim):
        id = await client.create(**change)
        error = (await client.until("error"))["error"]
        await client.create()
        await client.line()
        return error["code"], error["event_id"] == id

    assert run(scenario, talk) == (code, True)


@pytest.mark.parametrize("message", ["{", "[]", "7", '{"type": "nothing.known"}', '{"no": "type"}'])
def test_what_is_no_event_gets_an_error_and_no_more(talk, message):
    async def scenario(client, sim):
        await client.socket.send(message)
        error = await client.until("error")
        await client.create()
        return error["error"]["code"], (await client.line())[1]["status"]

    code, status = run(scenario, talk)
    assert code in ("invalid_json", "invalid_value")
    assert status == "completed"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "session.update", "session": {"instructions": "x"}}, "missing_required_parameter"),
        ({"type": "session.update", "session": {"type": "realtime", "model": "other"}}, "cannot_update_model"),
        ({"type": "conversation.item.delete", "item_id": "none"}, "item_delete_invalid_item_id"),
        ({"type": "conversation.item.retrieve", "item_id": "none"}, "item_retrieve_invalid_item_id"),
        ({"type": "conversation.item.create", "item": {"type": "poem"}}, "invalid_value"),
        ({"type": "conversation.item.create", "item": {"type": "function_call"}}, "missing_required_parameter"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "input_audio_buffer.append", "audio": "not base64!"}, "invalid_value"),
    ],
)
def test_other_mistakes_have_openais_codes(talk, event, code):
    async def scenario(client, sim):
        await client.send(**{"type_": event["type"], **{k: v for k, v in event.items() if k != "type"}})
        return (await client.until("error"))["error"]["code"]

    assert run(scenario, talk) == code


def test_a_session_expires_with_an_error_and_close_1001(talk):
    async def scenario(client, sim):
        ends = client.seen[0]["session"]["expires_at"]
        error = await client.until("error")
        with pytest.raises(ConnectionClosedOK) as closed:
            await client.recv()
        return error["error"]["code"], closed.value.rcvd.code, closed.value.rcvd.reason, ends

    code, number, reason, ends = run(scenario, talk, lifetime=0.1)
    assert (code, number) == ("session_expired", 1001)
    assert "maximum duration" in reason
    assert abs(ends - time.time()) < 5


def test_a_wrong_key_gets_401(talk):
    async def main():
        async with Simulator(key="sk-right") as sim:
            with pytest.raises(InvalidStatus) as refused:
                async with talk(sim.url, key="sk-wrong"):
                    pass
            async with talk(sim.url, key="sk-right"):
                pass
            return refused.value.response.status_code

    assert asyncio.run(main()) == 401


def test_an_unknown_model_is_let_in_told_and_closed(checked):
    async def main():
        async with Simulator(models=["gpt-realtime-2.1-mini"]) as sim:
            async with connect(f"{sim.url}/realtime?model=m", proxy=None) as socket:
                error = checked(await socket.recv(decode=False))
                with pytest.raises(ConnectionClosedError) as closed:
                    await socket.recv()
            return error["error"]["code"], closed.value.rcvd.code

    assert asyncio.run(main()) == ("model_not_found", 4000)


def test_handshakes_can_be_scripted(talk):
    async def main():
        async with Simulator(handshakes=[503, 429, 101]) as sim:
            statuses = []
            for _ in range(2):
                with pytest.raises(InvalidStatus) as refused:
                    async with talk(sim.url):
                        pass
                statuses.append(refused.value.response.status_code)
            async with talk(sim.url):
                pass
            return statuses, sim.handshaken

    assert asyncio.run(main()) == ([503, 429], 3)


def test_faults_in_the_middle_of_a_response(talk):
    async def scenario(client, sim):
        await client.create()
        failed = (await client.line())[1]
        await client.create()
        error = (await client.until("error"))["error"]
        await client.create()
        await client.until("garbage")
        return failed, error["code"], await client.line()

    script = [
        Reply("a b c d", fault=Fault("fail", 2, code="insufficient_quota", kind="insufficient_quota")),
        Reply("a b c d", fault=Fault("error", 2, code="server_error")),
        Reply("a b", fault=Fault("send", 1, data='{"type":"garbage"}')),
    ]
    failed, code, (text, response) = run(scenario, talk, script=script, unchecked=frozenset(["garbage"]))
    assert failed["status"] == "failed"
    assert failed["status_details"]["error"]["code"] == "insufficient_quota"
    assert failed["output"][0]["content"] == [{"type": "output_text", "text": "a b "}]
    assert code == "server_error"
    assert (text, response["status"]) == ("b", "completed")


@pytest.mark.parametrize("do", ["ignore", "silence"])
def test_a_silent_response(talk, do):
    async def scenario(client, sim):
        await client.create()
        await client.create()
        _, response = await client.line()
        return [event["type"] for event in client.seen], response

    types, response = run(scenario, talk, script=[Reply("a b", fault=Fault(do)), "Next."])
    assert types.count("response.created") == (1 if do == "ignore" else 2)
    assert types.count("response.done") == 1
    assert response["output"][0]["content"][0]["text"] == "Next."


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault("drop", 2), ConnectionClosedError, None),
        (Fault("tear", 2), ConnectionClosedError, None),
        (Fault("close", 2, number=1011, message="oops"), ConnectionClosedError, 1011),
        (Fault("close", 2, number=1000, message=""), ConnectionClosedOK, 1000),
        (Fault("expire", 2), ConnectionClosedOK, 1001),
    ],
)
def test_the_connection_ends_in_mid_line(talk, fault, error, code):
    async def scenario(client, sim):
        await client.create()
        with pytest.raises(error) as closed:
            while True:
                await client.recv()
        said = [event for event in client.seen if event["type"] == "response.output_text.delta"]
        return len(said), closed.value.rcvd.code if closed.value.rcvd else None

    assert run(scenario, talk, script=[Reply("a b c d", fault=fault)]) == (2, code)


def test_a_stalled_connection_answers_no_ping(talk):
    async def scenario(client, sim):
        await client.create()
        await client.until("response.output_text.delta")
        await asyncio.sleep(0.05)
        pong = await client.socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pong, 0.2)
        for connection in list(sim.connections):
            connection.abort()

    run(scenario, talk, script=[Reply("a b c d", fault=Fault("stall", 2))])


def test_a_brain_may_be_async_and_stream(talk):
    async def slow(response):
        await asyncio.sleep(0.01)

        async def pieces():
            for word in ("Well ", "", "met"):
                await asyncio.sleep(0.01)
                yield word
            yield ToolCall("wave")

        return pieces()

    async def scenario(client, sim):
        await client.create()
        return await client.line()

    text, response = run(scenario, talk, slow)
    assert text == "Well met"
    assert response["output"][1]["arguments"] == "{}"


def test_cancel_stops_the_brain(talk):
    stopped = asyncio.Event()

    async def endless(response):
        async def pieces():
            try:
                while True:
                    yield "word "
                    await asyncio.sleep(0.005)
            finally:
                stopped.set()

        return pieces()

    async def scenario(client, sim):
        await client.create()
        await client.until("response.output_text.delta")
        await client.send("response.cancel", response_id=client.seen[-1]["response_id"])
        await client.until("response.done")
        await asyncio.wait_for(stopped.wait(), 1)

    run(scenario, talk, endless)


def test_a_brain_that_fails_fails_the_response(talk, caplog):
    async def broken(response):
        raise RuntimeError("no brain")

    async def scenario(client, sim):
        await client.create()
        return (await client.line())[1]

    assert run(scenario, talk, broken)["status"] == "failed"
    assert "brain failed" in caplog.text


def test_quirks_of_other_servers(talk):
    async def scenario(client, sim):
        await client.create(metadata={"rid": "1"}, conversation="auto")
        id = (await client.until("response.created"))["response"]["id"]
        await client.send("response.cancel", response_id=id)
        text, response = await client.line()
        return text, response, {event["type"] for event in client.seen}, client.seen[0]["session"]

    quirks = Quirks(metadata=False, usage=False, rate_limits=False, expires_at=False, cancel=False, legacy_items=True)
    text, response, types, session = run(
        scenario, talk, quirks=quirks, unchecked=frozenset(["response.cancelled"]), script=["a b c"], pace=Pace(rate=50)
    )
    assert (text, response["status"], response["metadata"], response["usage"]) == ("a b c", "completed", None, None)
    assert {"response.cancelled", "conversation.item.created"} <= types
    assert not {"rate_limits.updated", "conversation.item.added"} & types
    assert "expires_at" not in session


def test_received_events_can_be_looked_at(talk):
    async def scenario(client, sim):
        await client.create(instructions="Be Ada.")
        await client.line()
        return sim.creates(), sim.received[-1]["type"]

    creates, last = run(scenario, talk)
    assert creates[0]["instructions"] == "Be Ada."
    assert last == "response.create"


def test_fragmented_messages_are_joined(talk):
    async def scenario(client, sim):
        event = json.dumps({"type": "response.create", "response": {"conversation": "none", "input": []}})
        await client.socket.send([event[:10], event[10:40], event[40:]])
        return (await client.until("response.created"))["response"]["status"]

    assert run(scenario, talk) == "in_progress"


def looking(**part):
    return [{"type": "message", "role": "user", "content": [{"type": "input_image", **part}]}]


def uri(data, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(("detail", "seen"), [("low", 85), ("high", 765), ("auto", 765), (None, 765)])
def test_pictures_are_counted(talk, detail, seen):
    async def scenario(client, sim):
        await client.create(input=looking(image_url=uri(png(1024, 1024)), detail=detail))
        return (await client.line())[1]["usage"]

    usage = run(scenario, talk)
    assert usage["input_token_details"]["image_tokens"] == seen
    assert usage["input_tokens"] == seen + usage["input_token_details"]["text_tokens"]


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({}, "image_url"),
        ({"image_url": "https://example.com/a.png"}, "image_url"),
        ({"image_url": uri(b"GIF89a", "image/gif")}, "image_url"),
        ({"image_url": uri(png(), "image/jpeg")}, "image_url"),
        ({"image_url": uri(png()) + "!"}, "image_url"),
        ({"image_url": uri(png()), "detail": "huge"}, "detail"),
    ],
)
def test_pictures_that_openai_would_not_take_are_refused(talk, part, param):
    async def scenario(client, sim):
        await client.create(input=looking(**part))
        return (await client.until("error"))["error"]

    error = run(scenario, talk)
    assert error["code"] == "invalid_value" and error["param"] == f"item.content[0].{param}"
