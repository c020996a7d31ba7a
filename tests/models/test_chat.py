"""The chat format: the shapes of a prompt, and cutting a stream anywhere changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.models.base import Call, ModelEvent, Text
from townsfolk.models.chat import Answer, BadStream, Dialect, Lines, body_of, folded_messages
from townsfolk.prompt import Message, Prompt


def prompt(*messages: tuple[str, str]) -> Prompt:
    return Prompt("You are Mara.", tuple(Message(role, text) for role, text in messages), (), 1200)  # type: ignore[arg-type]


def test_what_is_known_goes_in_front_of_what_is_said() -> None:
    folded = folded_messages(
        prompt(("user", "Hi"), ("system", "The road is shut."), ("assistant", "Evening."), ("user", "Safe?"))
    )
    assert folded == [
        {"role": "system", "content": "You are Mara."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Evening."},
        {"role": "user", "content": "(The road is shut.)\n\nSafe?"},
    ]


def test_a_small_model_is_told_little() -> None:
    talk = [(("user", "assistant")[n % 2], f"line {n}") for n in range(10)]
    known = "What you know:\n" + "\n".join(f"- fact {n} {'x' * 90}" for n in range(9)) + "\nWhat you remember:\n- no"
    folded = folded_messages(prompt(*talk, ("system", known), ("user", "Well?")))
    assert [message["content"] for message in folded[1:3]] == ["line 8", "line 9"]
    assert "fact 1" in folded[-1]["content"] and "fact 2" not in folded[-1]["content"]
    assert folded[-1]["content"].endswith("\n\nWell?")
    bare = folded_messages(prompt(("system", "What you know:"), ("user", "Well?")))
    assert bare[-1]["content"] == "Well?"


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(min_size=1)), max_size=8))
def test_folded_speakers_take_turns_and_the_player_is_first(talk: list[tuple[str, str]]) -> None:
    roles = [message["role"] for message in folded_messages(prompt(*talk, ("user", "Well?")))]
    assert roles[0] == "system" and "system" not in roles[1:]
    assert roles[1:] == ["user", "assistant"] * (len(roles) // 2 - 1) + ["user"]


@given(st.lists(st.text(), max_size=6), st.data())
def test_a_stream_may_be_cut_anywhere(texts: list[str], data: Any) -> None:
    sent = b": hello\r\nevent: x\n" + b"".join(
        b"data:%s\r\n\r\n" % json.dumps({"t": text}, ensure_ascii=False).encode() for text in texts
    )
    cut = data.draw(st.integers(0, len(sent)))
    lines = Lines()
    got = [*lines.feed(sent[:cut]), *lines.feed(sent[cut:])]
    assert [json.loads(line)["t"] for line in got] == texts


def test_a_chunk_without_an_end_is_refused() -> None:
    lines = Lines()
    with pytest.raises(BadStream):
        for _ in range(20):
            list(lines.feed(b"x" * 100_000))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["choices", "delta", "message", "content", "tool_calls", "function", "arguments", "usage", "text",
                     "index", "id", "name", "finish_reason", "prompt_tokens", "prompt_tokens_details", "error"]), x),
    max_leaves=30))  # fmt: skip
def test_no_answer_is_too_odd(chunk: Any) -> None:
    out: list[ModelEvent] = []
    answer = Answer(out.append)
    try:
        answer.read(json.dumps(chunk).encode())
    except BadStream:
        assert not isinstance(chunk, dict)
    answer.end()
    assert all(isinstance(event, Call) or (isinstance(event, Text) and event.text) for event in out)


def test_calls_that_all_have_the_index_0() -> None:
    out: list[ModelEvent] = []
    answer = Answer(out.append)
    calls = [{"index": 0, "id": f"c{n}", "function": {"name": "ring", "arguments": {"n": n}}} for n in range(2)]
    answer.read(json.dumps({"choices": [{"delta": {"tool_calls": calls}}]}).encode())
    answer.end()
    assert out == [Call("c0", "ring", {"n": 0}), Call("c1", "ring", {"n": 1})]


def test_a_dialect_learns_each_difference_once(ask: Any) -> None:
    dialect = Dialect(extra={"reasoning_effort": "minimal"})
    complaints = ["Unsupported 'max_tokens'", "'temperature' does not support 0.3", "unknown: reasoning_effort"]
    assert [dialect.learn(complaint) for complaint in complaints] == [True] * 3
    assert [dialect.learn(complaint) for complaint in complaints] == [False] * 3
    assert not dialect.learn("context length exceeded")
    body = body_of(ask(), "m", [], dialect)
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_completion_tokens"}
