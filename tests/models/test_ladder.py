"""The whole ladder, rung by rung, each forced: what stands above it is broken for real, and a game hears the line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from townsfolk import Engine, Event, LineDelta, LineDone, LineFailed, Status
from townsfolk.simulator import Fault, Reply, Simulator

CAST = Path(__file__).parents[1] / "cast"
KNOWN, ELSE = "Why is the lighthouse dark?", "Which year did the comet come over the bay, and who saw it?"
DEAD = "127.0.0.1:9"
AUTHORED = ("No oil came on Tuesday.", "Ask the keeper why; I only see that it is dark.")


class Game:
    """A game that waits for its lines without holding up the servers of the test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.news: list[Status] = []

    async def hear(self, text: str, player: str = "ana") -> tuple[str, str, list[Event]]:
        """The line, what spoke it (or the error's code), and all its events."""
        line, events, shown = self.engine.say("ada", text, player=player), [], ""
        for _ in range(4000):
            for event in self.engine.poll():
                if isinstance(event, Status):
                    self.news.append(event)
                if getattr(event, "line", None) == line:
                    events.append(event)
                if isinstance(event, LineDelta) and event.line == line:
                    shown += event.text
                if isinstance(event, LineDone) and event.line == line:
                    assert event.text.strip() == shown.strip()
                    return event.text, event.model, events
                if isinstance(event, LineFailed) and event.line == line:
                    return event.text, event.code, events
            await asyncio.sleep(0.005)
        raise AssertionError("no end")


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Plays a scene against servers; ``text`` is a running chat server or the address of a dead one."""
    monkeypatch.setenv("TOWNSFOLK_TEXT_KEY", "sk-test-of-a-server-of-my-own")
    monkeypatch.setenv("TOWNSFOLK_REALTIME_KEY", "sk-test-of-a-server-of-my-own")

    async def play(scene: Any, realtime: str, text: str | None = None, model: str = "auto", **options: Any) -> Any:
        settings = {"realtime_url": realtime, "words_per_second": None, **options}
        if text is not None:
            settings["text_url"] = text
        opened = await asyncio.to_thread(
            lambda: Engine.open(CAST, save=tmp_path / "a.save", model=model, host="thread", options=settings)
        )
        try:
            return await scene(Game(opened))
        finally:
            await asyncio.to_thread(opened.close)

    return play


def test_1_a_socket_that_is_lost_before_the_first_word_is_opened_anew(play: Any) -> None:
    async def run() -> Any:
        async with Simulator(script=[Reply("x y", fault=Fault("drop", 0)), "The keeper is ill."]) as sim:
            return await play(lambda game: game.hear(KNOWN), sim.url), sim.handshaken

    (text, model, _), connects = asyncio.run(run())
    assert (text, model, connects) == ("The keeper is ill.", "realtime:gpt-realtime-2.1-mini", 2)


def test_2_without_the_realtime_server_the_second_model_speaks(play: Any, chat_server: Any, chunk: Any) -> None:
    async def run() -> Any:
        async with chat_server(["Ask ", "Bo.", chunk(finish="stop")]) as server:
            return await play(lambda game: game.hear(KNOWN), f"ws://{DEAD}/v1", server.url)

    text, model, _ = asyncio.run(run())
    assert (text, model) == ("Ask Bo.", "text:gpt-6-luna")


def test_3_over_the_soft_share_the_cheaper_model_speaks_and_over_the_limit_none_that_is_paid(
    play: Any, chat_server: Any, chunk: Any
) -> None:
    async def scene(game: Game) -> Any:
        heard = [(await game.hear(text, player=f"p{n}"))[:2] for n, text in enumerate([ELSE, KNOWN, KNOWN, ELSE])]
        return heard, [status.message for status in game.news if status.code == "over_budget"]

    async def run() -> Any:
        async with (
            Simulator(script=["In the year of the flood.", "Never."]) as sim,
            chat_server(["Ask ", "Bo.", chunk(finish="stop")]) as server,
        ):
            limits = {"budget_requests_day": 2, "budget_soft": 0.5, "cheaper": "text:cheap"}
            return *await play(scene, sim.url, server.url, **limits), len(sim.creates()), len(server.requests)

    heard, told, full, cheap = asyncio.run(run())
    assert heard[:2] == [
        ("In the year of the flood.", "realtime:gpt-realtime-2.1-mini"), ("Ask Bo.", "text:cheap"),
    ]  # fmt: skip
    # Rung 4: what the cheaper model has answered is known; and so is what the first one has.
    assert heard[2:] == [("Ask Bo.", "cache"), ("In the year of the flood.", "cache")]
    assert (full, cheap, len(told)) == (1, 1, 2)


def test_5_without_any_server_the_authored_topic_answers(play: Any) -> None:
    text, model, _ = asyncio.run(play(lambda game: game.hear(KNOWN), f"ws://{DEAD}/v1", f"http://{DEAD}/v1"))
    assert text in AUTHORED and model == "authored"


def test_6_where_no_topic_fits_the_local_model_speaks(play: Any, smollm: Any) -> None:
    async def scene(game: Game) -> Any:
        for n in range(12):  # real weights: not each of its lines can be shown
            text, model, _ = await game.hear(ELSE, player=f"p{n}")
            if model.startswith("local:"):
                return text, model
        raise AssertionError("the local model was never heard")

    text, model = asyncio.run(play(scene, f"ws://{DEAD}/v1", f"http://{DEAD}/v1", gguf=str(smollm.path)))
    assert text and model == f"local:{Path(smollm.path).name}"


def test_7_without_a_local_model_the_author_has_the_last_word(play: Any) -> None:
    text, model, events = asyncio.run(play(lambda game: game.hear(ELSE), f"ws://{DEAD}/v1", f"http://{DEAD}/v1"))
    assert text in ("Ask me about nets.", "I would not know that.") and model == "authored"
    assert events[-1].reason == "bark"


def test_8_when_nothing_speaks_in_time_an_offline_bark_stands_for_the_line(play: Any) -> None:
    async def run() -> Any:
        async with Simulator(script=[Reply("x", fault=Fault("ignore"))] * 9) as sim:
            alone = {"model": "realtime", "first_word": 0.6, "thinking": 0.2}
            return await play(lambda game: game.hear(KNOWN), sim.url, **alone)

    text, code, events = asyncio.run(run())
    assert (text, code) == ("Not now. The tide waits for nobody.", "timeout")
    assert [type(event).__name__ for event in events] == ["LineAccepted", "LineThinking", "LineFailed"]


def test_a_hard_line_opens_with_the_fast_model_and_is_answered_by_the_stronger_one(
    play: Any, chat_server: Any, chunk: Any
) -> None:
    hard = "If no oil came on Tuesday, why was the lamp lit on Wednesday, and who would gain from it?"

    async def scene(game: Game) -> Any:
        easy = (await game.hear("Good morning.", player="ben"))[:2]
        first = (await game.hear(hard, player="ana"))[:2]
        return easy, first, (await game.hear(hard, player="cy"))[:2]

    async def run() -> Any:
        async with (
            Simulator(script=["Morning.", "Hm, that is a knot. I"]) as sim,
            chat_server([0.3, "Whoever ", "sells oil.", chunk(finish="stop")]) as server,
        ):
            return await play(scene, sim.url, server.url, strong="text:big"), server.requests[0]["model"]

    (easy, first, again), asked = asyncio.run(run())
    assert easy == ("Morning.", "realtime:gpt-realtime-2.1-mini") and asked == "big"
    assert first == ("Hm, that is a knot. Whoever sells oil.", "text:big")
    assert again == ("Whoever sells oil.", "cache")
