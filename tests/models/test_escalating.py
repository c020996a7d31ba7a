"""Which model answers, what the player hears meanwhile, and what becomes of a line whose stronger model fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from townsfolk.answercache import AnswerCache
from townsfolk.errors import ModelError
from townsfolk.lore import World
from townsfolk.models.answers import Answers, Keeping
from townsfolk.models.base import Request, Spoken, Text
from townsfolk.models.escalating import Escalating
from townsfolk.models.fallback import Fallback
from townsfolk.models.scripted import Fail, Reply, Scripted
from townsfolk.persona import Escalation

WORLD = World(name="a", description="b", escalate=(Escalation(words=("slide",)),))
HARD, EASY = "Who caused the slide?", "Do you have a room?"


class Speaker:
    """Says pieces at their time, in seconds; an exception is raised. Keeps what it was asked."""

    def __init__(self, name: str, *steps: float | str | Exception) -> None:
        self.name = name
        self.steps = steps
        self.asked: list[Request] = []
        self.stopped = False

    async def speak(self, request: Request, emit: Any) -> Spoken:
        self.asked.append(request)
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, str):
                    emit(Text(step))
                else:
                    await asyncio.sleep(step)
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return Spoken(self.name)


def say(model: Any, request: Request) -> tuple[str, Spoken]:
    async def run() -> tuple[str, Spoken]:
        pieces: list[str] = []
        spoken = await model.speak(request, lambda event: pieces.append(event.text))
        return "".join(pieces), spoken

    return asyncio.run(run())


def made(usual: Any, strong: Any, **more: Any) -> Escalating:
    return Escalating(usual, strong, world=WORLD, **more)


def test_only_what_a_rule_names_goes_to_the_stronger_model_and_why_says_so(ask: Any) -> None:
    usual, strong = Speaker("usual", "No."), Speaker("strong", "He did.")
    model = made(usual, strong)
    assert say(model, ask(EASY)) == ("No.", Spoken("usual"))
    text, spoken = say(model, ask(HARD))
    assert (text, spoken.model) == ("He did.", "strong")
    assert spoken.notes == ("strong is asked: the world's rule: the player says 'slide'",)
    assert len(usual.asked) == len(strong.asked) == 1


def test_meanwhile_the_fast_model_says_one_sentence_that_comes_first_and_whole(ask: Any) -> None:
    fast = Speaker("fast", "Hm, ", 0.01, "let me think", 0.02, ". And also this", 0.01, " and that.")
    strong = Speaker("strong", 0.02, "He did.", 0.1, " I saw him.")
    text, spoken = say(made(Speaker("usual"), strong, fast=fast), ask(HARD))
    assert text == "Hm, let me think. He did. I saw him." and spoken.model == "strong"
    told = [message.text for message in fast.asked[0].prompt.messages]
    assert "do not give it" in told[-2] and told[-1] == HARD and fast.asked[0].max_tokens <= 64
    assert "Give the answer itself now" in strong.asked[0].prompt.messages[-2].text


def test_a_stronger_model_that_is_quicker_needs_no_opening(ask: Any) -> None:
    fast = Speaker("fast", 0.2, "Hm.")
    assert say(made(Speaker("usual"), Speaker("strong", 0.01, "He did."), fast=fast), ask(HARD))[0] == "He did."
    assert fast.stopped


@pytest.mark.parametrize("fast", [Speaker("fast", ModelError("quota", "no")), Speaker("fast", RuntimeError("x"))])
def test_an_opening_that_fails_costs_only_itself(ask: Any, fast: Speaker) -> None:
    assert say(made(Speaker("usual"), Speaker("strong", 0.02, "He did."), fast=fast), ask(HARD))[0] == "He did."


def test_an_opening_that_never_ends_is_cut(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("townsfolk.models.escalating._FINISH_S", 0.05)
    fast = Speaker("fast", "Hm, let me", 5.0)
    strong = Speaker("strong", 0.01, "He", " did.", 0.1)
    assert say(made(Speaker("usual"), strong, fast=fast), ask(HARD))[0] == "Hm, let me He did."


def test_when_the_stronger_model_fails_the_usual_one_answers(ask: Any) -> None:
    strong = Speaker("strong", 0.02, ModelError("overloaded", "Busy."))
    text, spoken = say(made(Speaker("usual", "Somebody."), strong, fast=Speaker("fast", "Hm. ")), ask(HARD))
    assert text == "Hm. Somebody." and spoken.model == "usual"
    assert spoken.notes[1] == "strong: overloaded: Busy."


def test_what_was_shown_is_never_said_again(ask: Any) -> None:
    usual, strong = Speaker("usual", "Somebody."), Speaker("strong", "He", ModelError("interrupted", "Cut."))
    with pytest.raises(ModelError, match="Cut"):
        say(made(usual, strong), ask(HARD))
    assert usual.asked == []
    broken = Speaker("usual", ModelError("server_error", "No."))
    with pytest.raises(ModelError) as caught:
        say(made(broken, Speaker("strong", 0.02, ModelError("quota", "x")), fast=Speaker("fast", "Hm. ")), ask(HARD))
    assert caught.value.code == "interrupted"


def test_the_stronger_model_leaves_time_for_the_usual_one(ask: Any) -> None:
    slow = Fallback([Speaker("strong", 5.0, "He did.")], first_word_s=8.0)  # type: ignore[list-item]
    text, spoken = say(made(Speaker("usual", "Somebody."), slow), ask(HARD, patience_s=0.5))
    assert text == "Somebody." and "strong" in spoken.notes[1] and "timeout" in spoken.notes[1]


def test_a_topic_of_its_author_is_put_on_too(ask: Any) -> None:
    async def room(request: Request) -> str:
        return "room"

    request = ask(EASY)
    topic = request.persona.topics["room"]
    hard = request.persona.model_copy(update={"topics": {"room": topic.model_copy(update={"escalate": True})}})
    model = made(Speaker("usual", "No."), Speaker("strong", "One."), topic=room)
    assert say(model, request)[0] == "No."  # nobody looks for a topic where none escalates
    assert say(model, ask(EASY, persona=hard))[1].notes == ("strong is asked: the topic room asks for it",)


def test_what_was_answered_before_is_not_paid_for_again(ask: Any) -> None:
    strong = Scripted([Reply.of("He did."), Reply((Fail("quota"),))])
    answers = Answers(AnswerCache(), WORLD)
    model = made(Speaker("usual", "Somebody."), Keeping(strong, answers), answers=answers)
    first = say(model, ask(HARD, player="ana"))
    again = say(model, ask("So, who caused the slide?", player="ben"))
    assert first[0] == again[0] == "He did."
    assert again[1].model == "cache" and again[1].notes[-1] == "answered before by scripted"
