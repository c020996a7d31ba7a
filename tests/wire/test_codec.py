"""Bytes to messages and back: what the limits let through, and what they refuse."""

import json
import struct

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.errors import ProtocolError
from townsfolk.wire.codec import (
    MAX_DEPTH,
    MAX_FRAME,
    MAX_KEYS,
    MAX_TEXT,
    FrameReader,
    decode,
    decode_json,
    encode,
    encode_json,
    raw,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
messages = st.dictionaries(st.text(max_size=12), values, max_size=6)


@given(messages)
def test_msgpack_gives_back_what_it_was_given(message):
    [payload] = FrameReader().feed(encode(message))
    assert decode(payload) == [message]


@given(messages)
def test_json_gives_back_what_it_was_given(message):
    assert decode_json(encode_json(message)) == [message]


@given(st.lists(messages, min_size=1, max_size=5), st.lists(st.integers(1, 40), max_size=30))
def test_frames_come_whole_however_the_stream_is_cut(sent, cuts):
    stream, reader, heard = b"".join(map(encode, sent)), FrameReader(), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        for payload in reader.feed(stream[:size]):
            heard += decode(payload)
        stream = stream[size:]
    assert heard == sent


@given(st.binary(max_size=300))
def test_any_bytes_give_messages_or_an_error(data):
    try:
        for payload in FrameReader().feed(data):
            decode(payload)
    except ProtocolError as error:
        assert error.code == "bad_frame"


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "payload",
    [
        msgpack.packb({"x": deep(MAX_DEPTH)}),
        msgpack.packb({"x": deep(500)}),
        msgpack.packb({"x": float("nan")}),
        msgpack.packb({"x": float("inf")}),
        msgpack.packb({1: 2}),
        msgpack.packb({"x": msgpack.ExtType(5, b"abc")}),
        msgpack.packb({"x": msgpack.Timestamp(1)}),
        msgpack.packb({str(n): n for n in range(MAX_KEYS + 1)}),
        msgpack.packb({"x": "a" * (MAX_TEXT + 1)}),
        msgpack.packb([1, 2]),
        msgpack.packb("text"),
        msgpack.packb({"x": 2**64 - 1}),
        msgpack.packb({"x": 1}) + b"\x01",
        b"\xc1",
        b"",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
    ],
)
def test_what_breaks_a_limit_is_refused(payload):
    with pytest.raises(ProtocolError) as caught:
        decode(payload)
    assert caught.value.code == "bad_frame"


@pytest.mark.parametrize(
    "text",
    ["[", "[1]", '"x"', "NaN", '{"x": NaN}', '{"x": 1e999}', json.dumps({"x": deep(100)}), "[" * 5000,
     '{"x": "\\ud800"}', '{"x": ' + "9" * 30 + "}", '{"x": "' + "é" * MAX_FRAME + '"}'],
)  # fmt: skip
def test_json_has_the_same_limits(text):
    with pytest.raises(ProtocolError) as caught:
        decode_json(text)
    assert caught.value.code == "bad_frame"


def test_a_frame_that_announces_too_much_is_refused_before_its_bytes_come():
    with pytest.raises(ProtocolError):
        FrameReader().feed(struct.pack(">I", MAX_FRAME + 1))


def test_http_on_the_raw_port_is_refused_at_once():
    with pytest.raises(ProtocolError):
        FrameReader().feed(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


def test_a_message_over_the_limit_is_not_sent():
    with pytest.raises(ProtocolError):
        encode({"x": "a" * MAX_FRAME})
    with pytest.raises(ProtocolError):
        encode_json({"x": "a" * MAX_FRAME})


@given(st.binary(max_size=200))
def test_bytes_travel_in_either_encoding(data):
    assert raw(decode(encode({"x": data})[4:])[0]["x"]) == data
    assert raw(decode_json(encode_json({"x": data}))[0]["x"]) == data


def test_text_that_is_no_base64_is_refused():
    with pytest.raises(ProtocolError, match="base64"):
        raw("no, not at all")
