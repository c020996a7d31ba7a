"""Tones that a machine reads."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from townsfolk.speech.spelling import ToneEar, spelled


class Told:
    def __init__(self):
        self.seen = []

    def began(self):
        self.seen.append("began")

    def words(self, text):
        self.seen.append(text)

    def ended(self):
        self.seen.append("ended")


def listen(sound, step, rate, hands_free=False):
    async def scenario():
        told = Told()
        open_ear = await ToneEar().listen(told, rate=rate, hands_free=hands_free)
        for start in range(0, len(sound), step):
            open_ear.feed(sound[start : start + step])
        return await open_ear.end(), told.seen

    return asyncio.run(scenario())


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.integers(1, 5000).map(lambda n: 2 * n), st.sampled_from([8000, 16000, 24000, 48000]))
def test_what_was_spelled_is_understood_however_it_is_cut(text, step, rate):
    text = text.encode("utf-8", "replace").decode()
    assert listen(spelled(text, rate), step, rate)[0] == text


def test_hands_free_finds_the_beginning_and_the_end():
    sound = bytes(4800) + spelled("Stop there.") + bytes(24000) + spelled("Not this.")
    text, seen = listen(sound, 960, 24000, hands_free=True)
    assert text == "Stop there." and seen[0] == "began" and seen[-1] == "ended"
