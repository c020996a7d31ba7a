"""A voice round a model: the words are the model's, the sound follows, and a failing voice silences nothing."""

import asyncio
import itertools
from pathlib import Path

import pytest

from townsfolk.cast import load_cast
from townsfolk.errors import ModelError
from townsfolk.models.base import Audio, Request, Spoken, Text, Timing
from townsfolk.models.scripted import Scripted
from townsfolk.prompt import Prompt
from townsfolk.speech.aloud import Aloud
from townsfolk.speech.tones import Tones

ADA = load_cast(Path(__file__).parents[1] / "cast").personas["ada"]
LINE = "Mind the step. It is older than both of us, and it bites."


def request():
    return Request("l1", ADA, Prompt("", (), (), 1200), "Hello")


def speak(model, voice=None):
    events = []

    async def scenario():
        aloud = Aloud(model, voice or Tones())
        try:
            return await aloud.speak(request(), events.append)
        finally:
            await aloud.close()

    return asyncio.run(scenario()), events


def test_words_come_at_once_and_every_word_has_its_time():
    spoken, events = speak(Scripted([LINE]))
    text = "".join(event.text for event in events if isinstance(event, Text))
    words = [word for event in events if isinstance(event, Timing) for word in event.words]
    assert text == LINE and spoken == Spoken("scripted")
    assert [text[at:end] for at, end, _, _ in words] == LINE.split()
    assert all(stop <= start for (_, _, _, stop), (_, _, start, _) in itertools.pairwise(words))
    length = sum(len(event.pcm) * 500 / event.rate for event in events if isinstance(event, Audio))
    assert words[-1][3] <= length < words[-1][3] + 50
    marks = [event.shapes[0][0] for event in events if isinstance(event, Timing)]
    assert marks == sorted(marks)


def test_a_voice_that_fails_leaves_the_subtitles():
    class Mute(Tones):
        async def say(self, text, persona, emit):
            raise ModelError("worker_lost", "gone")

    spoken, events = speak(Scripted([LINE]), Mute())
    assert "".join(event.text for event in events) == LINE
    assert spoken.notes == ("the voice failed: worker_lost: gone",)


def test_a_voice_with_a_defect_leaves_the_subtitles():
    class Broken(Tones):
        async def say(self, text, persona, emit):
            raise ZeroDivisionError

    spoken, events = speak(Scripted([LINE]), Broken())
    assert "".join(event.text for event in events) == LINE and spoken.notes == ("the voice failed: ZeroDivisionError",)


def test_a_model_with_sound_of_its_own_is_left_alone():
    class Own(Scripted):
        async def speak(self, request, emit):
            emit(Audio(b"\1\1" * 240, 24000))
            emit(Text("Mind the step. It is old. "))
            emit(Timing(((0, 4, 0, 10),)))
            return Spoken("own")

    _, events = speak(Own())
    assert [type(event) for event in events] == [Audio, Text, Timing]


def test_cancelling_stops_the_voice_too():
    saying = []

    class Slow(Tones):
        async def say(self, text, persona, emit):
            saying.append(text)
            try:
                await asyncio.sleep(30)
            finally:
                saying.append("stopped")

    async def scenario():
        task = asyncio.create_task(Aloud(Scripted([LINE]), Slow()).speak(request(), lambda event: None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(scenario()) == 1
    assert saying == ["Mind the step. ", "stopped"]


def test_what_is_not_shown_is_not_counted():
    _, events = speak(Scripted([["  Mind\u202e the ", "step.\n", "It is old."]]))
    text = "".join(event.text for event in events if isinstance(event, Text))
    words = [text[at:end] for event in events if isinstance(event, Timing) for at, end, _, _ in event.words]
    assert words == text.split() and "\u202e" not in text
