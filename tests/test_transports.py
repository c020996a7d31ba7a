"""One contract for every way to reach a host: a process, a thread, and a bridge over TCP."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from townsfolk import (
    Answer,
    Engine,
    LineAccepted,
    LineAudio,
    LineDelta,
    LineDone,
    LineFailed,
    LineHeard,
    LineStarted,
    LineTiming,
    PlayerHeard,
    Status,
    TransportError,
    UsageError,
)
from townsfolk.speech.spelling import spelled
from townsfolk.transports import Link, LinkLostError, TcpTransport
from townsfolk.wire.codec import encode

KINDS = ("process", "thread", "tcp")
SCRIPT = """\
pace_s: 0.002
replies:
  - {when: slow, say: ["One ", {wait: 0.2}, "two ", {wait: 30}, "three."]}
  - {when: fails late, say: ["Well, ", {fail: interrupted}]}
  - {when: fails, say: [{fail: server_error}]}
  - {when: give, say: [{emotion: warm}, "Here. ", {call: give_item, args: {item: wick}}, {call: steal}]}
  - The oil boat comes on a Tuesday.
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    return f"scripted:{path}"


class Bridge:
    """A bridge in a process of its own."""

    def __init__(self, folder: Path, save: Path, model: str, *more: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "townsfolk",
                "serve",
                "--tcp",
                "127.0.0.1:0",
                "--characters",
                str(folder),
                "--save",
                str(save),
                "--model",
                model,
                *more,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[-1]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Worlds:
    """Opens engines of one kind on one save."""

    def __init__(self, kind: str, folder: Path, save: Path, model: str) -> None:
        self.kind, self._how, self._bridge = kind, (folder, save, model), None
        self._engines: list[Engine] = []

    def open(self) -> Engine:
        folder, save, model = self._how
        if self.kind == "tcp":
            self._bridge = self._bridge or Bridge(folder, save, model)
            engine = Engine.connect(self._bridge.address)
        else:
            engine = Engine.open(folder, save=save, model=model, host=self.kind)  # type: ignore[arg-type]
        self._engines.append(engine)
        return engine

    def end(self) -> None:
        """The game quits: nothing of it runs any more."""
        for engine in self._engines:
            engine.close()
        self._engines.clear()
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None


@pytest.fixture(params=KINDS)
def worlds(request: Any, cast_folder: Path, tmp_path: Path, script: str) -> Iterator[Worlds]:
    worlds = Worlds(request.param, cast_folder, tmp_path / "saves" / "game.db", script)
    yield worlds
    worlds.end()


def hear(engine: Engine, line: str) -> list[Any]:
    return list(engine.until(line, 20))


def ask(engine: Engine, request: str) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for event in engine.wait(0.2):
            if isinstance(event, Answer) and event.request == request:
                return event.data
    raise AssertionError("no answer")


def test_a_line_is_accepted_started_streamed_and_done(worlds: Worlds) -> None:
    engine = worlds.open()
    line = engine.say("ada", "When does the boat come?")
    events = [event for event in hear(engine, line) if not isinstance(event, Status)]
    assert {event.line for event in events} == {line}
    kinds = [type(event) for event in events]
    assert kinds.count(LineStarted) == kinds.count(LineDone) == kinds.count(LineAccepted) == 1
    assert kinds.index(LineStarted) < kinds.index(LineDelta) and kinds[-1] is LineDone
    assert "".join(event.text for event in events if isinstance(event, LineDelta)) == events[-1].text
    assert events[-1] == LineDone(line, "ada", "The oil boat comes on a Tuesday.", "complete", "scripted")


def test_ready_tells_who_is_there(worlds: Worlds) -> None:
    engine = worlds.open()
    while not engine.npcs:
        engine.wait(0.1)
    assert {id: npc["name"] for id, npc in engine.npcs.items()} == {"ada": "Ada Penrose", "bo": "Bo Trewin"}


def test_cues_and_actions_come_in_place_and_only_what_was_offered(worlds: Worlds) -> None:
    engine = worlds.open()
    engine.set(trust_ada=2)
    told = [(type(e).__name__, getattr(e, "at", None)) for e in hear(engine, engine.say("ada", "give it"))]
    assert ("Cue", 0) in told and ("ActionRequested", 6) in told
    assert [name for name, _ in told].count("ActionRequested") == 1  # `steal` is none of hers
    engine.set(trust_ada=0)  # the gate shuts
    again = [type(e).__name__ for e in hear(engine, engine.say("ada", "give it"))]
    assert "ActionRequested" not in again


def test_a_cancelled_line_ends_with_what_was_shown(worlds: Worlds) -> None:
    engine = worlds.open()
    line = engine.say("ada", "slow")
    while not any(isinstance(event, LineDelta) for event in engine.wait(0.2)):
        pass
    engine.cancel(line)
    [done] = [event for event in hear(engine, line) if isinstance(event, LineDone)]
    assert done.reason == "interrupted" and "One".startswith(done.text.split()[0]) and "three" not in done.text
    assert not [event for event in engine.wait(0.2) if isinstance(event, LineDelta)]


def test_a_cancelled_line_that_has_not_begun_ends_too(worlds: Worlds) -> None:
    engine = worlds.open()
    first, second = engine.say("ada", "slow"), engine.say("ada", "And then?")
    engine.cancel(second)
    engine.cancel(first)
    ends = {}
    deadline = time.monotonic() + 10
    while len(ends) < 2 and time.monotonic() < deadline:
        ends |= {event.line: event.reason for event in engine.wait(0.2) if isinstance(event, LineDone)}
    assert ends == {first: "interrupted", second: "interrupted"}


def test_lines_to_one_character_are_answered_in_turn_and_others_do_not_wait(worlds: Worlds) -> None:
    engine = worlds.open()
    engine.say("ada", "slow")
    quick = engine.say("bo", "Hello")
    assert isinstance(hear(engine, quick)[-1], LineDone)


def test_a_model_that_fails_before_a_word_gives_a_bark(worlds: Worlds) -> None:
    engine = worlds.open()
    failed = hear(engine, engine.say("ada", "this fails"))[-1]
    assert isinstance(failed, LineFailed)
    assert (failed.code, failed.text) == ("server_error", "Not now. The tide waits for nobody.")
    assert failed.hint


def test_a_model_that_fails_in_mid_line_ends_the_line_as_interrupted(worlds: Worlds) -> None:
    engine = worlds.open()
    done = hear(engine, engine.say("ada", "this fails late"))[-1]
    assert isinstance(done, LineDone) and (done.reason, done.text) == ("interrupted", "Well, ")


@pytest.mark.parametrize(
    ("npc", "text", "code"),
    [
        ("nobody", "Hello", "unknown_npc"),
        ("ada", "", "empty_text"),
        ("ada", " \n\t", "empty_text"),
        ("ada", "\x00\x1b\u202e", "empty_text"),
        ("ada", "x" * 4001, "text_too_long"),
        ("ada", "x" * 2**20, "text_too_long"),
    ],
)
def test_bad_lines_fail_with_a_code_a_hint_and_where_it_can_be_a_bark(
    opened: Any, npc: str, text: str, code: str
) -> None:
    engine = opened()
    failed = hear(engine, engine.say(npc, text))[-1]
    assert isinstance(failed, LineFailed)
    assert failed.code == code and failed.hint
    assert bool(failed.text) == (npc == "ada")


def test_odd_characters_in_a_line_are_cleaned_not_refused(opened: Any) -> None:
    engine = opened()
    line = engine.say("ada", "When\x00 does\x1b[31m the\ud800 boat\r\n\tcome?")
    assert isinstance(hear(engine, line)[-1], LineDone)
    heard = ask(engine, engine.memory("ada"))["memories"][0]["text"]
    assert heard == "When does [31m the? boat come?"


def test_too_many_lines_at_once_make_a_character_busy(worlds: Worlds) -> None:
    engine = worlds.open()
    lines = [engine.say("ada", "slow") for _ in range(6)]
    failed = hear(engine, lines[-1])[-1]
    assert isinstance(failed, LineFailed) and (failed.code, failed.text) == ("npc_busy", "One knot at a time.")


def test_what_was_said_and_seen_is_there_after_a_restart(worlds: Worlds) -> None:
    engine = worlds.open()
    hear(engine, engine.say("ada", "When does the boat come?"))
    engine.observe("The lamp went out.", npcs=["ada"])
    engine.observe("It began to rain.")
    worlds.end()
    engine = worlds.open()
    data = ask(engine, engine.memory("ada"))
    assert [memory["text"] for memory in data["memories"]] == [
        "When does the boat come?",
        "The oil boat comes on a Tuesday.",
        "The lamp went out.",
        "It began to rain.",
    ]
    assert [memory["text"] for memory in ask(engine, engine.memory("bo"))["memories"]] == ["It began to rain."]


def test_a_line_that_the_end_of_the_game_cuts_is_remembered_as_shown(worlds: Worlds) -> None:
    engine = worlds.open()
    engine.say("ada", "slow")
    while not any(isinstance(event, LineDelta) for event in engine.wait(0.2)):
        pass
    worlds.end()
    engine = worlds.open()
    cut = ask(engine, engine.memory("ada"))["memories"][-1]
    assert cut["ending"] == "interrupted" and cut["text"].startswith("One")


def test_why_shows_the_parts_and_what_was_recalled(worlds: Worlds) -> None:
    engine = worlds.open()
    engine.observe("The player stole a lobster pot.", npcs=["ada"])
    hear(engine, engine.say("ada", "What do you think of lobster pots?"))
    why = ask(engine, engine.why("ada"))
    assert {"rules", "world", "persona", "memories", "player"} <= {part["name"] for part in why["parts"]}
    assert why["tokens"] == sum(part["tokens"] for part in why["parts"]) <= why["budget"]
    assert why["recalled"][0]["text"] == "The player stole a lobster pot." and why["recalled"][0]["reasons"]
    tried = ask(engine, engine.why("ada", "And the lamp?"))
    assert "lighthouse lamp" in str(tried["parts"]) and not tried["model"]
    assert ask(engine, engine.memory("ada"))["total"] == 3  # trying a line says nothing


def test_a_closed_engine_says_so(worlds: Worlds) -> None:
    engine = worlds.open()
    engine.close()
    engine.close()
    assert engine.poll() == []
    with pytest.raises(UsageError):
        engine.say("ada", "Hello")


def test_a_bridge_serves_two_games(cast_folder: Path, tmp_path: Path, script: str) -> None:
    bridge = Bridge(cast_folder, tmp_path / "w.db", script)
    try:
        with Engine.connect(bridge.address, player="ana") as ana, Engine.connect(bridge.address, player="ben") as ben:
            line = ana.say("ada", "My secret is the blue door.")
            other = ben.say("ada", "What is the secret of the blue door?")
            assert isinstance(hear(ana, line)[-1], LineDone)
            heard = hear(ben, other)
            assert isinstance(heard[-1], LineDone) and all(getattr(event, "line", other) == other for event in heard)
            why = ask(ben, ben.why("ada"))
            assert "My secret" not in str(why)  # what Ana said in private is not in Ben's prompt
            assert "My secret" in str(ask(ana, ana.why("ada", "And the blue door?")))
    finally:
        bridge.close()


def test_a_bridge_that_is_not_there_is_told_and_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Engine.connect(f"tcp://127.0.0.1:{port}") as engine:
        line = engine.say("ada", "Hello")
        events = []
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and not any(isinstance(event, Status) for event in events):
            events += engine.wait(0.1)
        assert [event.code for event in events if isinstance(event, Status)] == ["bridge_refused"]
        assert line in engine._session.open  # it waits for the bridge


def test_a_bridge_wants_its_token(cast_folder: Path, tmp_path: Path, script: str) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    bridge = Bridge(cast_folder, tmp_path / "w.db", script, "--token-file", str(tmp_path / "token"))
    try:
        with Engine.connect(bridge.address, token="wrong") as engine:
            failed = hear(engine, engine.say("ada", "Hello"))[-1]
            assert isinstance(failed, LineFailed) and failed.code == "bad_token"
        with Engine.connect(bridge.address, token="open sesame") as engine:
            assert isinstance(hear(engine, engine.say("ada", "Hello"))[-1], LineDone)
    finally:
        bridge.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        encode({"t": "say", "line": "1", "npc": "ada", "text": "x"}),
        encode({"t": "hello", "proto": [9, 9], "client": "x"}),
        encode({"t": "hello", "proto": "x" * 100, "client": "x"}),
    ],
)
def test_who_does_not_say_hello_properly_is_told_and_cut(
    cast_folder: Path, tmp_path: Path, script: str, sent: bytes
) -> None:
    bridge = Bridge(cast_folder, tmp_path / "w.db", script)
    try:
        host, port = bridge.address.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port))) as sock:
            sock.settimeout(5)
            sock.sendall(sent)
            told = b""
            while piece := sock.recv(4096):
                told += piece
            assert b"error" in told and (b"bad_frame" in told or b"bad_message" in told or b"proto_uns" in told)
    finally:
        bridge.close()


@pytest.mark.parametrize("address", ["", "127.0.0.1:7777", "tcp://x", "tcp://:1", "tcp://h:99999", "http://h:1"])
def test_an_address_that_makes_no_sense_is_a_mistake_of_the_program(address: str) -> None:
    with pytest.raises(UsageError):
        Engine.connect(address)


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(TransportError):
        TcpTransport("tcp://no-such-name.invalid:7").open()


def test_a_link_keeps_what_the_other_side_does_not_take_yet() -> None:
    ours, theirs = socket.socketpair()
    link, sent = Link(ours), b"x" * 2_000_000
    link.send(sent)
    got = bytearray()
    reader = threading.Thread(
        target=lambda: [got.extend(theirs.recv(65536)) for _ in iter(lambda: len(got) < len(sent), False)]
    )
    reader.start()
    while reader.is_alive():
        link.flush()
    assert bytes(got) == sent
    with pytest.raises(LinkLostError):  # a host that never reads counts as lost
        for _ in range(10):
            link.send(sent)
    link.close()
    theirs.close()


def test_the_thread_host_leaves_nothing_behind(opened: Any) -> None:
    before = threading.active_count()
    engine = opened()
    hear(engine, engine.say("ada", "Hello"))
    engine.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    asyncio.run(asyncio.sleep(0))


def test_a_voiced_line_is_remembered_as_far_as_it_was_played(cast_folder: Path, tmp_path: Path, script: str) -> None:
    for kind in ("process", "thread"):
        options = {"voice": "tones"}
        with Engine.open(cast_folder, model=script, host=kind, options=options) as engine:  # type: ignore[arg-type]
            line = engine.say("ada", "When does the boat come?")
            events = hear(engine, line)
            words = [word for event in events if isinstance(event, LineTiming) for word in event.words]
            assert any(isinstance(event, LineAudio) and event.mouth for event in events)
            engine.played(line, words[3][3] + 5)
            engine.cancel(line)
            heard = next(event for event in waited(engine) if isinstance(event, LineHeard))
            assert heard == LineHeard(line, "ada", "The oil boat comes", False)
            memories = ask(engine, engine.memory("ada"))["memories"]
            assert (memories[-1]["text"], memories[-1]["ending"]) == ("The oil boat comes", "interrupted")


def test_voices_of_one_game_do_not_overlap(cast_folder: Path, script: str) -> None:
    for overlap, order in ((False, ["ada", "ada", "bo", "bo"]), (True, ["ada", "bo", "ada", "bo"])):
        options = {"voice": "tones", "overlap": overlap}
        with Engine.open(cast_folder, model=script, host="thread", options=options) as engine:
            lines = [engine.say(npc, "When does the boat come?") for npc in ("ada", "bo")]
            seen: list[str] = []
            for event in waited(engine):
                if isinstance(event, LineStarted | LineHeard):
                    seen.append(event.npc)
                if isinstance(event, LineDone) and overlap is False:
                    engine.played(event.line, 10**6)
                if len(seen) == 4:
                    break
            assert seen == order and len(set(lines)) == 2


@contextmanager
def simulator() -> Iterator[str]:
    """A realtime server in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "townsfolk.simulator"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.mark.parametrize(
    ("kind", "ear", "rate"), [("process", "tones", 16000), ("thread", "tones", 24000), ("process", "realtime", 24000)]
)
def test_a_player_may_speak_instead_of_typing(cast_folder: Path, script: str, kind: Any, ear: str, rate: int) -> None:
    with simulator() as url:
        options = {"ear": ear, "voice": "tones", "realtime_url": url}
        with Engine.open(cast_folder, model=script, host=kind, options=options) as engine:
            line = engine.listen("ada", rate=rate)
            sound = spelled("When does the boat come?", rate)
            for start in range(0, len(sound), 3200):
                engine.speech(line, sound[start : start + 3200])
            engine.listened(line)
            events = hear(engine, line)
            told = [event for event in events if isinstance(event, PlayerHeard)]
            assert told[-1] == PlayerHeard(line, "ada", "When does the boat come?", True)
            assert len(told) > 2 and not any(event.final for event in told[:-1])
            assert events[-1] == LineDone(line, "ada", "The oil boat comes on a Tuesday.", "complete", "scripted")
            assert ask(engine, engine.memory("ada"))["memories"][0]["text"] == "When does the boat come?"
            # Nobody has reported that the answer was played: hands-free speech cuts it.
            again = engine.listen("ada", hands_free=True)
            engine.speech(again, bytes(9600) + spelled("Stop at once.") + bytes(48000))
            seen = hear(engine, again)
            cut = next(event for event in seen if isinstance(event, LineHeard))
            assert cut.line == line and not cut.complete
            assert [event.text for event in seen if isinstance(event, PlayerHeard)][-1] == "Stop at once."


def test_an_ear_that_hears_nothing_says_so(cast_folder: Path, script: str) -> None:
    with Engine.open(cast_folder, model=script, host="thread", options={"ear": "tones"}) as engine:
        silent = engine.listen("ada")
        engine.speech(silent, bytes(4800))
        engine.listened(silent)
        assert hear(engine, silent)[-1].code == "nothing_heard"
        closed = engine.listen("ada")
        engine.cancel(closed)
        assert hear(engine, closed)[-1] == LineDone(closed, "ada", "", "interrupted", "")
        with pytest.raises(UsageError):
            engine.listen("ada", rate=1)
    with Engine.open(cast_folder, model=script, host="thread") as engine:
        deaf = engine.listen("ada")
        failed = hear(engine, deaf)[-1]
        assert failed.code == "no_ear" and failed.text


def waited(engine: Engine, seconds: float = 20) -> Iterator[Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield from engine.wait(0.1)
