"""Every message has a place in the table, and every event has a message."""

import dataclasses
import typing

import pytest

from townsfolk import events
from townsfolk.errors import HINTS, ProtocolError
from townsfolk.wire import events as wire_events
from townsfolk.wire.codec import decode, encode
from townsfolk.wire.events import message
from townsfolk.wire.protocol import MESSAGES, PROTOCOL, check, compatible, error

EVENT_TYPES = typing.get_args(events.Event)
SAMPLES = {
    "str": "x",
    "int": 1,
    "bool": True,
    "bytes": b"\x00\xff",
    "Mapping[str, Any]": {"a": 1},
    "tuple[tuple[int, int, int, int], ...]": ((0, 2, 10, 90), (3, 5, 90, 200)),
    "tuple[tuple[int, str], ...]": ((0, "A"), (50, "X")),
}


def sample(event):
    return event(**{field.name: SAMPLES.get(field.type, "complete") for field in dataclasses.fields(event)})


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.__name__)
def test_each_event_makes_a_message_of_the_table(event):
    assert check(message(sample(event)), "host") in MESSAGES


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.__name__)
def test_each_event_comes_back_from_its_message(event):
    sent = sample(event)
    [received] = decode(encode(message(sent))[4:])
    read = wire_events.EVENTS[received["t"]](received, getattr(sent, "npc", ""))
    assert read == sent


def test_a_client_knows_every_message_that_a_host_sends():
    known = {t for t, kind in MESSAGES.items() if kind.sender == "host"}
    assert set(wire_events.EVENTS) | {"welcome", "error", "ack", "pong"} == known


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "unknown_type"),
        ({"t": 5}, "unknown_type"),
        ({"t": "nonsense"}, "unknown_type"),
        ({"t": "line_done"}, "unknown_type"),
        ({"t": "say", "line": "1", "npc": "ada"}, "bad_message"),
        ({"t": "say", "line": "1", "npc": 5, "text": "x"}, "bad_message"),
        ({"t": "ping", "n": True}, "bad_message"),
        ({"t": "set", "facts": []}, "bad_message"),
    ],
)
def test_bad_messages_are_told_apart(sent, code):
    with pytest.raises(ProtocolError) as caught:
        check(sent)
    assert caught.value.code == code


def test_unknown_fields_are_let_through():
    assert check({"t": "ping", "n": 1, "later": "version"}) == "ping"


@pytest.mark.parametrize(
    ("proto", "fits"),
    [(list(PROTOCOL), True), ([0, PROTOCOL[1] + 1], False), ([1, 0], False), ("0.1", False), ([], False)],
)
def test_versions_must_match(proto, fits):
    assert compatible(proto) is fits


def test_errors_carry_the_hint_of_their_code():
    assert error("bad_token", "no")["hint"] == HINTS["bad_token"]
