"""The fault catalogue: what can go wrong between a host and its realtime server, each a small act on the proxy.

`WIRE` break bytes and can come in any phase; `GREETINGS` meet a connection that is being opened (in later phases the
one in use is reset first, so that the next meets them); `SAYINGS` are what a sick server sends in mid-session.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from functools import partial

from proxy import Through

from townsfolk.simulator.frames import frame

Act = Callable[[Through, random.Random], None]
Greeting = Callable[[Through], Callable[[], None] | None]


def _shaped(shape: Callable[[random.Random], Callable[[bytes], list[tuple[float, bytes]]]]) -> Act:
    def act(through: Through, rng: random.Random) -> None:
        through.shape = shape(rng)

    return act


def _slices(rng: random.Random) -> Callable[[bytes], list[tuple[float, bytes]]]:
    return lambda data: [(0.0, data[n : n + 1]) for n in range(len(data))]


def _latency(rng: random.Random) -> Callable[[bytes], list[tuple[float, bytes]]]:
    return lambda data: [(rng.uniform(0.005, 0.05), data)]


def _bandwidth(rng: random.Random) -> Callable[[bytes], list[tuple[float, bytes]]]:
    return lambda data: [(len(data[n : n + 512]) / 8192, data[n : n + 512]) for n in range(0, len(data), 512)]


def _limited(through: Through, rng: random.Random) -> None:
    left = rng.randrange(0, 2000)

    def shape(data: bytes) -> list[tuple[float, bytes]]:
        nonlocal left
        part, left = data[:left], max(0, left - len(data))
        if not left:
            through.proxy.spawn(_later(through.close))
            through.deaf[True] = True
        return [(0.0, part)] if part else []

    through.shape = shape


def _slow_close(through: Through, rng: random.Random) -> None:
    through.deaf[True] = True
    through.proxy.spawn(_later(through.close, 0.15))


async def _later(act: Callable[[], None], seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    act()


def _deaf(from_server: bool) -> Act:
    def act(through: Through, rng: random.Random) -> None:
        through.deaf[from_server] = True

    return act


def _noise(through: Through, rng: random.Random) -> None:
    through.inject(bytes([0x8F]) + rng.randbytes(200))  # an opcode that there is not


WIRE: Mapping[str, Act] = {
    "reset": lambda through, rng: through.reset(),
    "fin": lambda through, rng: through.close(),
    "half-open": lambda through, rng: through.half_open(),
    "server-deaf": _deaf(False),
    "server-mute": _deaf(True),
    "one-byte-slices": _shaped(_slices),
    "latency": _shaped(_latency),
    "bandwidth": _shaped(_bandwidth),
    "limit-data": _limited,
    "slow-close": _slow_close,
    "cut-frame": lambda through, rng: through.cut_frame(),
    "noise": _noise,
    "masked-frame": lambda through, rng: through.inject(b"\x81\x85abcdhello"),
    "reserved-bits": lambda through, rng: through.inject(b"\xf1\x02{}"),
}


def _http(status: str, *headers: str, body: str = "{}") -> Greeting:
    def greeting(through: Through) -> Callable[[], None]:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        answer = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

        def act() -> None:
            through.inject(answer)
            through.proxy.spawn(_later(through.close, 0.02))

        return act

    return greeting


def _drip(through: Through) -> Callable[[], None]:
    async def drip() -> None:
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n":
            through.inject(bytes([byte]))
            await asyncio.sleep(0.2)

    return lambda: through.proxy.spawn(drip())


def _complaint(code: str) -> str:
    return json.dumps({"error": {"message": "No.", "type": "invalid_request_error", "code": code}})


GREETINGS: Mapping[str, Greeting] = {
    "refused": lambda through: through.reset,
    "http-401": _http("401 Unauthorized", body=_complaint("invalid_api_key")),
    "http-403": _http("403 Forbidden", body=_complaint("account_deactivated")),
    "http-404": _http("404 Not Found", body=_complaint("model_not_found")),
    "http-429": _http("429 Too Many Requests", body=_complaint("rate_limit_exceeded")),
    "http-429-later": _http("429 Too Many Requests", "Retry-After: 30", body=_complaint("rate_limit_exceeded")),
    "http-429-quota": _http("429 Too Many Requests", body=_complaint("insufficient_quota")),
    "http-500": _http("500 Internal Server Error"),
    "http-502": _http("502 Bad Gateway", body="<html>"),
    "http-503": _http("503 Service Unavailable"),
    "http-200": _http("200 OK", body="<html>hello</html>"),
    "http-garbage": lambda through: partial(through.inject, b"\x00\x01\x02 what?\r\n\r\n"),
    "handshake-hangs": lambda through: lambda: None,
    "handshake-drips": _drip,
    "wrong-accept": _http(
        "101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: bm8=", body=""
    ),
}


def _say(make: Callable[[str], list[bytes]], *, mute: bool = False) -> Act:
    """Frames from the server; with ``mute`` the real one is not heard any more."""

    def act(through: Through, rng: random.Random) -> None:
        if mute:
            through.deaf[True] = True
        for each in make(through.response.decode()):
            through.inject(each)

    return act


def _event(**fields: object) -> bytes:
    return frame(json.dumps({"event_id": "event_fault", **fields}).encode())


def _error(code: str | None, kind: str = "server_error") -> bytes:
    return _event(type="error", error={"type": kind, "code": code, "message": "No.", "event_id": None})


def _done(id: str, status: str, **details: object) -> bytes:
    response = {"id": id, "object": "realtime.response", "status": status, "status_details": details or None}
    return _event(type="response.done", response={**response, "output": [], "usage": None})


def _close(number: int, reason: str = "") -> Act:
    payload = number.to_bytes(2, "big") + reason.encode()
    return _say(lambda id: [bytes([0x88, len(payload)]) + payload], mute=True)


def _fragments(id: str) -> list[bytes]:
    return [b"\x01\x01{", *([b"\x00\x01 "] * 3000), b'\x80\x0b"type":"x"}']


SAYINGS: Mapping[str, Act] = {
    "not-json": _say(lambda id: [frame(b"<html>502</html>")]),
    "no-utf8": _say(lambda id: [frame(b'{"type":"\xff\xfe"}')]),
    "a-json-list": _say(lambda id: [frame(b"[1]")]),
    "binary-frame": _say(lambda id: [b"\x82\x04\x00\x01\x02\x03"]),
    "unknown-event": _say(lambda id: [_event(type="response.dreams", response_id=id)]),
    "delta-without-text": _say(lambda id: [_event(type="response.output_text.delta", response_id=id)]),
    "delta-of-nobody": _say(lambda id: [_event(type="response.output_text.delta", delta="STRAY ")]),
    "delta-of-another": _say(lambda id: [_event(type="response.output_text.delta", response_id="x", delta="STRAY ")]),
    "null-delta": _say(lambda id: [_event(type="response.output_text.delta", response_id=id, delta=None)]),
    "huge-frame": _say(lambda id: [frame(b'{"type":"x","pad":"' + b"a" * (9 << 20) + b'"}')]),
    "many-fragments": _say(_fragments),
    "ping-flood": _say(lambda id: [b"\x89\x00"] * 200),
    "done-completed": _say(lambda id: [_done(id, "completed")]),
    "done-twice": _say(lambda id: [_done(id, "completed"), _done(id, "completed")]),
    "done-failed": _say(lambda id: [_done(id, "failed", error={"code": "server_error", "message": "No."})]),
    "done-cancelled": _say(lambda id: [_done(id, "cancelled", reason="turn_detected")]),
    "done-incomplete": _say(lambda id: [_done(id, "incomplete", reason="max_output_tokens")]),
    "done-filtered": _say(lambda id: [_done(id, "incomplete", reason="content_filter")]),
    "created-twice": _say(lambda id: [_event(type="response.created", response={"id": id, "status": "in_progress"})]),
    "cut-tool-json": _say(
        lambda id: [
            _event(
                type="response.function_call_arguments.done",
                response_id=id,
                item_id="i",
                output_index=0,
                call_id="call_cut",
                name="give_item",
                arguments='{"item": "wi',
            )
        ]
    ),
    "tool-of-no-name": _say(
        lambda id: [
            _event(type="response.function_call_arguments.done", response_id=id, call_id="call_x", arguments="{}")
        ]
    ),
    "error-server": _say(lambda id: [_error(None)], mute=True),
    "error-rate-limit": _say(lambda id: [_error("rate_limit_exceeded")], mute=True),
    "error-quota": _say(lambda id: [_error("insufficient_quota", "insufficient_quota")], mute=True),
    "error-key": _say(lambda id: [_error("invalid_api_key", "invalid_request_error")], mute=True),
    "error-expired": _say(lambda id: [_error("session_expired", "invalid_request_error")], mute=True),
    "error-busy-code": _say(lambda id: [_error("conversation_already_has_active_response")]),
    "error-busy-type": _say(lambda id: [_error(None, "conversation_already_has_active_response")]),
    "silence": _say(lambda id: [], mute=True),
    "close-1000": _close(1000),
    "close-1001": _close(1001, "Your session hit the maximum duration of 60 minutes."),
    "close-1008": _close(1008),
    "close-1011": _close(1011, "keepalive ping timeout"),
    "close-1012": _close(1012),
    "close-1013": _close(1013),
    "close-4000": _close(4000, "invalid_request_error.beta_api_shape_disabled"),
}

PHASES = ("connecting", "idle", "awaiting", "mid-line", "mid-tool-call")
KINDS = (*WIRE, *GREETINGS, *SAYINGS)


def pairs() -> list[tuple[str, str]]:
    """Every (kind, phase) that can be: a server that has not been reached says nothing."""
    return [(kind, phase) for phase in PHASES for kind in KINDS if not (kind in SAYINGS and phase == "connecting")]
