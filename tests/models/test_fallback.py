"""Fallback: who is asked, for how long, who is passed over, and that no word is said twice."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.errors import ModelError, UsageError
from townsfolk.models.base import Call, Emit, Health, ModelEvent, Mood, Request, Spoken, Text
from townsfolk.models.fallback import Fallback
from townsfolk.models.scripted import Fail, Reply, Scripted, Wait
from townsfolk.persona import Persona


class Named(Scripted):
    """A scripted model with a name of its own, that counts how often it was asked."""

    def __init__(self, name: str, *replies: Any) -> None:
        super().__init__([Reply.of(*reply) if isinstance(reply, tuple) else reply for reply in replies])
        self.name = name  # type: ignore[misc]
        self.asked = 0
        self.warmed = 0
        self.closed = 0

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        self.asked += 1
        return Spoken(self.name, (await super().speak(request, emit)).reason)

    async def warm(self, persona: Persona) -> None:
        self.warmed += 1

    async def close(self) -> None:
        self.closed += 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def line(model: Fallback, request: Request) -> tuple[str, Spoken | ModelError]:
    """What was shown of one line, and how it ended."""
    shown: list[str] = []

    async def run() -> Spoken | ModelError:
        try:
            return await model.speak(request, lambda e: shown.append(e.text) if isinstance(e, Text) else None)
        except ModelError as error:
            return error

    ended = asyncio.run(run())
    return "".join(shown), ended


def test_the_first_that_can_speaks(ask: Any) -> None:
    first, second = Named("a", "From a."), Named("b", "From b.")
    shown, spoken = line(Fallback([first, second]), ask())
    assert shown == "From a." and spoken == Spoken("a") and second.asked == 0


def test_the_next_one_speaks_and_the_notes_say_why(ask: Any) -> None:
    models = [Named("a", (Fail("no_topic"),)), Named("b", (Fail("server_error", "Oops."),)), Named("c", "From c.")]
    shown, spoken = line(Fallback(models), ask())
    assert shown == "From c."
    assert spoken == Spoken("c", notes=("a: no_topic: The script fails here.", "b: server_error: Oops."))


def test_after_the_first_word_nobody_else_goes_on(ask: Any) -> None:
    first, second = Named("a", ("The road ", Fail("server_error"))), Named("b", "From b.")
    shown, error = line(Fallback([first, second]), ask())
    assert shown == "The road " and isinstance(error, ModelError) and error.code == "interrupted"
    assert second.asked == 0


def test_interrupted_before_the_first_word_is_just_a_failure(ask: Any) -> None:
    shown, _ = line(Fallback([Named("a", (Fail("interrupted"),)), Named("b", "From b.")]), ask())
    assert shown == "From b."


def test_what_a_failed_model_proposed_is_thrown_away(ask: Any, heard: Any) -> None:
    first = Named("a", (Mood("emotion", "angry"), Call("1", "attack", {}), Fail("server_error")))
    second = Named("b", (Mood("emotion", "calm"), Call("2", "ring", {}), "From b.", Mood("gesture", "nod")))
    asyncio.run(Fallback([first, second]).speak(ask(), heard))
    assert heard == [
        Mood("emotion", "calm"), Call("2", "ring", {}), Text("From "), Text("b."), Mood("gesture", "nod"),
    ]  # fmt: skip


def test_a_model_that_only_acts_has_not_spoken(ask: Any, heard: Any) -> None:
    class Mute(Named):
        async def speak(self, request: Request, emit: Emit) -> Spoken:
            emit(Call("1", "attack", {}))
            return Spoken("mute")

    spoken = asyncio.run(Fallback([Mute("mute"), Named("b", "From b.")]).speak(ask(), heard))
    assert heard.text == "From b." and len(heard) == 2 and "empty_reply" in spoken.notes[0]


def test_one_deadline_to_the_first_word_is_shared(ask: Any) -> None:
    slow = [Named(name, (Wait(30), "late")) for name in "abc"]
    began = time.monotonic()
    shown, spoken = line(Fallback([*slow, Named("d", "From d.")], first_word_s=2.0), ask())
    took = time.monotonic() - began
    assert shown == "From d." and isinstance(spoken, Spoken) and "a: timeout: a: no word in 1.5 s." in spoken.notes
    assert took < 3.0, took


def test_each_model_is_told_how_long_it_has(ask: Any) -> None:
    class Told(Named):
        async def speak(self, request: Request, emit: Emit) -> Spoken:
            given.append(request.patience_s or 0.0)
            return await super().speak(request, emit)

    given: list[float] = []
    line(Fallback([Told("a", (Fail("no_topic"),)), Told("b", "x")], first_word_s=8.0, clock=Clock()), ask())
    assert given == [pytest.approx(6.0), 8.0]


def test_a_slow_line_is_not_cut_once_it_began(ask: Any) -> None:
    slow = Named("a", ("One ", Wait(0.8), "two."))
    shown, spoken = line(Fallback([slow, Named("b", "From b.")], first_word_s=0.6), ask())
    assert shown == "One two." and isinstance(spoken, Spoken)


def test_a_word_that_comes_as_the_time_runs_out_is_said_by_one_model_only(ask: Any) -> None:
    class Pushed(Named):
        """Emits from a task of its own, as a socket's reader does."""

        async def speak(self, request: Request, emit: Emit) -> Spoken:
            loop = asyncio.get_running_loop()
            for n in range(400):
                loop.call_later(0.45 + n * 0.0005, emit, Text(f"{n} "))
            await asyncio.sleep(0.7)
            return Spoken("pushed")

    for _ in range(3):
        shown, spoken = line(Fallback([Pushed("a"), Named("b", "From b.")], first_word_s=0.5 / 0.75), ask())
        assert isinstance(spoken, Spoken)
        assert shown == ("From b." if spoken.model == "b" else "".join(f"{n} " for n in range(400)))


def test_a_model_that_failed_is_passed_over_without_waiting(ask: Any) -> None:
    clock = Clock()
    told: list[tuple[str, str | None]] = []
    first, second = Named("a", (Fail("connect_failed"),), "Back."), Named("b", "From b.")
    model = Fallback(
        [first, second], cooldown_s=30, clock=clock, on_change=lambda name, e: told.append((name, e and e.code))
    )
    assert [line(model, ask())[0] for _ in range(3)] == ["From b."] * 3
    assert first.asked == 1
    clock.now = 29.0
    _, spoken = line(model, ask())
    assert isinstance(spoken, Spoken) and spoken.notes == ("a: passed over for 1 s more after connect_failed",)
    clock.now = 30.0
    assert line(model, ask())[0] == "Back." and first.asked == 2
    assert told == [("a", "connect_failed"), ("a", None)]


def test_a_wrong_key_is_tried_once_in_five_minutes(ask: Any) -> None:
    clock = Clock()
    first = Named("a", (Fail("bad_key", fatal=True),))
    model = Fallback([first, Named("b", "From b.")], clock=clock)
    for clock.now in range(0, 300, 10):
        assert line(model, ask())[0] == "From b."
    assert first.asked == 1
    clock.now = 300
    line(model, ask())
    assert first.asked == 2


@pytest.mark.parametrize("code", ["no_topic", "content_filter", "empty_reply", "not_ready"])
def test_what_only_says_something_of_the_line_rests_nobody(ask: Any, code: str) -> None:
    first = Named("a", (Fail(code),), "From a.")
    model = Fallback([first, Named("b", "From b.")])
    assert [line(model, ask())[0] for _ in range(2)] == ["From b.", "From a."]


def test_one_cut_line_rests_nobody_two_do(ask: Any) -> None:
    cut = ("Well, ", Fail("server_error"))
    first = Named("a", cut, "Fine.", cut, cut, "Never.")
    model = Fallback([first, Named("b", "From b.")], clock=Clock())
    assert [line(model, ask())[0] for _ in range(5)] == ["Well, ", "Fine.", "Well, ", "Well, ", "From b."]


def test_after_its_rest_one_line_tries_it_and_the_others_do_not_wait(ask: Any) -> None:
    clock = Clock()
    first = Named("a", (Fail("timeout"),), (Wait(0.3), "Back."))
    model = Fallback([first, Named("b", "From b.")], clock=clock)

    async def run() -> list[str]:
        async def one() -> str:
            shown: list[str] = []
            await model.speak(ask(), lambda e: shown.append(e.text) if isinstance(e, Text) else None)
            return "".join(shown)

        await one()
        clock.now = 31
        return await asyncio.gather(one(), one(), one())

    assert asyncio.run(run()) == ["Back.", "From b.", "From b."]
    assert first.asked == 2


def test_when_all_fail_the_most_useful_error_is_raised(ask: Any) -> None:
    models = [
        Named("a", (Fail("no_topic"),)),
        Named("b", (Fail("quota", "No credit.", fatal=True),)),
        Named("c", (Fail("timeout"),)),
    ]
    fallback = Fallback(models)
    for _ in range(2):  # and the same when they are only passed over
        _, error = line(fallback, ask())
        assert isinstance(error, ModelError)
        assert (error.code, error.message, error.fatal) == ("quota", "No credit.", True) and error.hint
    assert [model.asked for model in models] == [2, 1, 1]
    _, error = line(Fallback(models[:1]), ask())
    assert isinstance(error, ModelError) and error.code == "no_topic"


def test_a_defect_of_one_model_does_not_silence_the_character(ask: Any) -> None:
    class Broken(Named):
        async def speak(self, request: Request, emit: Emit) -> Spoken:
            raise KeyError("x")

    shown, spoken = line(Fallback([Broken("a"), Named("b", "From b.")]), ask())
    assert shown == "From b." and isinstance(spoken, Spoken) and "internal" in spoken.notes[0]


def test_cancelling_passes_through_and_asks_nobody_else(ask: Any, heard: Any) -> None:
    second = Named("b", "From b.")
    model = Fallback([Named("a", ("One ", Wait(30), "never")), second])

    async def run() -> None:
        task = asyncio.create_task(model.speak(ask(), heard))
        while not heard:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert heard.text == "One " and second.asked == 0


def test_warming_skips_the_resting_and_closing_reaches_all(ask: Any, persona: Persona) -> None:
    class Ill(Named):
        async def health(self) -> Health:
            return Health(False, "ill")

    first, second = Ill("a", (Fail("timeout"),)), Named("b", "From b.")
    model = Fallback([first, second])
    line(model, ask())

    async def run() -> None:
        await model.warm(persona)
        assert await model.health() == Health(True, "a: ill; b: 1 scripted replies")
        assert not (await Fallback([first]).health()).ok
        await model.close()

    asyncio.run(run())
    assert (first.warmed, second.warmed, first.closed, second.closed) == (0, 1, 1, 1)
    assert model.name == "a > b"


def test_it_needs_a_model() -> None:
    with pytest.raises(UsageError):
        Fallback([])


STEPS = st.lists(
    st.one_of(
        st.sampled_from([Text("one "), Text("two "), Call("c", "ring", {}), Mood("emotion", "sad"), Wait(0.0)]),
        st.sampled_from(["server_error", "no_topic", "quota"]).map(Fail),
    ),
    max_size=5,
).map(lambda steps: Reply(tuple(steps)))


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_what_is_shown_is_a_prefix_of_exactly_one_model(ask: Any, scripts: list[Reply]) -> None:
    shown: list[ModelEvent] = []
    models = [Named(str(n), script) for n, script in enumerate(scripts)]

    async def run() -> str:
        try:
            return (await Fallback(models).speak(ask(), shown.append)).model
        except ModelError as error:
            return error.code

    ended = asyncio.run(run())
    asked = [n for n, model in enumerate(models) if model.asked]
    assert asked == list(range(len(asked)))
    if not shown:
        assert not ended.isdigit()
        return
    spoke = scripts[asked[-1]].steps
    failed_at = next((n for n, step in enumerate(spoke) if isinstance(step, Fail)), len(spoke))
    assert shown == [step for step in spoke[:failed_at] if not isinstance(step, Wait)]
    assert ended == (str(asked[-1]) if failed_at == len(spoke) else "interrupted")
