"""Frames decode as `json` would, whatever their layout; requests and endings can be read from anything."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.errors import ModelError
from townsfolk.models.base import Spoken, Usage
from townsfolk.models.decode import arguments, create, decode, ending, is_busy, usage_of

# Text as it can be sent: no lone surrogates, which no UTF-8 frame can hold.
text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(scalars, lambda each: st.lists(each) | st.dictionaries(text, each), max_leaves=20)
deltas = st.fixed_dictionaries(
    {"type": st.just("response.output_text.delta"), "response_id": text, "delta": text},
    optional={"event_id": text, "obfuscation": text, "output_index": st.integers(0, 9)},
)


@given(values | deltas, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n\t", " :\r\n ")]))
def test_decode_is_json_loads(value, ascii_only, separators):
    data = json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()
    assert decode(data) == json.loads(data)


@given(st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()[:-1]))
def test_what_is_no_json_is_a_value_error(data):
    try:
        json.loads(data.decode("utf-8", "replace"))
    except ValueError:
        with pytest.raises(ValueError):
            decode(data)


@pytest.mark.parametrize(
    ("data", "delta"),
    [
        (b'{"delta":"\\ud83d"}', "\ufffd"),
        (b'{"delta":"a\\udc00b"}', "a\ufffdb"),
        (b'{"delta":"\\ud83d\\ude00"}', "\U0001f600"),
        (b'{"delta":"a\xffb"}', "a\ufffdb"),
    ],
)
def test_half_characters_are_mended(data, delta):
    assert decode(data) == {"delta": delta}
    decode(data)["delta"].encode()  # and can be sent on


@pytest.mark.parametrize(
    ("given_text", "args"),
    [
        ("{}", {}),
        ("", {}),
        (None, {}),
        ('{"a": [1]}', {"a": [1]}),
        ("[1]", None),
        ("{", None),
        ("null", None),
        (7, None),
    ],
)
def test_arguments_are_an_object_or_nothing(given_text, args):
    assert arguments(given_text) == args


def test_busy_is_found_in_code_or_type():
    word = "conversation_already_has_active_response"
    assert is_busy({"code": word}) and is_busy({"type": word, "code": None})
    assert not is_busy({}) and not is_busy({"code": "other", "type": "invalid_request_error"})


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (None, Usage()),
        ("much", Usage()),
        ({}, Usage()),
        ({"input_tokens": 5, "output_tokens": 2}, Usage(5, 2)),
        ({"input_tokens": 5, "input_token_details": None}, Usage(5)),
        ({"input_tokens": True, "output_tokens": "2"}, Usage()),
        ({"input_tokens": 5, "output_tokens": 2, "input_token_details": {"cached_tokens": 4}}, Usage(5, 2, 4)),
    ],
)
def test_usage_is_what_the_server_says_and_no_more(usage, found):
    assert usage_of({"usage": usage}) == found


@pytest.mark.parametrize(
    ("response", "said", "end"),
    [
        ({"status": "completed"}, True, "stop"),
        ({}, True, "stop"),
        ({"status": "incomplete", "status_details": {"reason": "max_output_tokens"}}, True, "length"),
        ({"status": "incomplete", "status_details": {"reason": "content_filter"}}, True, "content_filter"),
        ({"status": "completed"}, False, "empty_reply"),
        ({"status": "incomplete"}, False, "empty_reply"),
        ({"status": "cancelled"}, True, "interrupted"),
        ({"status": "failed"}, False, "server_error"),
        ({"status": "failed", "status_details": {"error": {"code": "insufficient_quota"}}}, False, "quota"),
        ({"status": "failed", "status_details": {"error": {"type": "invalid_api_key"}}}, True, "bad_key"),
    ],
)
def test_endings(response, said, end):
    result = ending(response, "m on server", "realtime:m", said=said, acted=False)
    assert end == (result.reason if isinstance(result, Spoken) else result.code)
    assert isinstance(result, ModelError) == (end not in ("stop", "length"))


def test_an_action_without_words_is_a_line():
    assert isinstance(ending({"status": "completed"}, "m", "m", said=False, acted=True), Spoken)


def test_the_request_carries_its_name_twice(ask):
    event = json.loads(create(ask(), "l1/7"))
    assert event["event_id"] == event["response"]["metadata"]["rid"] == "l1/7"
    assert "tools" not in event["response"]
