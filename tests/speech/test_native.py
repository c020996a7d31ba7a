"""Lines that a model speaks itself get times for their words; what comes with its own times keeps them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from townsfolk.cast import load_cast
from townsfolk.models.base import Audio, ModelEvent, Request, Spoken, Text, Timing
from townsfolk.prompt import Prompt
from townsfolk.speech.native import Native

ADA = load_cast(Path(__file__).parents[1] / "cast").personas["ada"]


class Speaks:
    """Emits what it is given."""

    name = "speaks"

    def __init__(self, *events: ModelEvent) -> None:
        self.events = events
        self.asked: list[Request] = []

    async def speak(self, request: Request, emit: Any) -> Spoken:
        self.asked.append(request)
        for event in self.events:
            emit(event)
        return Spoken("speaks")


def speak(model: Any) -> list[ModelEvent]:
    heard: list[ModelEvent] = []
    asyncio.run(Native(model).speak(Request("l1", ADA, Prompt("", (), (), 1200), "Hello"), heard.append))
    return heard


def test_the_model_is_asked_for_the_characters_voice_and_its_words_get_times() -> None:
    tone = Audio(b"\x00\x20\x00\xe0" * 6000, 24_000)  # half a second
    model = Speaks(Text(" Mind the"), tone, Text(" step,\n"), tone, Text("friend."), tone)
    heard = speak(model)
    assert model.asked[0].voice == "marin"
    line = "".join(event.text for event in heard if isinstance(event, Text))
    assert line == "Mind the step, friend."
    assert [event for event in heard if isinstance(event, Audio)] == [tone] * 3
    last = [event for event in heard if isinstance(event, Timing)][-1]
    assert [line[at:end] for at, end, _, _ in last.words] == ["Mind", "the", "step,", "friend."]
    assert last.words[0][2] == 0 and last.words[-1][3] == 1500 and last.shapes[-1][1] == "X"
    early = next(event for event in heard if isinstance(event, Timing) and event.words)
    assert early.words[0][:2] == (0, 4) and heard.index(early) < len(heard) - 2


def test_words_that_come_with_their_times_keep_them() -> None:
    own = Timing(((0, 4, 0, 99),), ((0, "A"),))
    heard = speak(Speaks(Text("Mind"), own, Audio(bytes(48_000), 24_000), own, Audio(bytes(48_000), 24_000)))
    assert [event for event in heard if isinstance(event, Timing)] == [own, own]


def test_a_line_without_sound_is_words_alone() -> None:
    assert speak(Speaks(Text("Mind "), Text("the step."))) == [Text("Mind "), Text("the step.")]
