"""Messages on their way into frames."""

import asyncio

from townsfolk.host.outbox import Outbox
from townsfolk.wire.codec import FrameReader, decode


def delta(line, text):
    return {"t": "line_delta", "line": line, "text": text}


def run(work):
    """Runs ``work(outbox)`` and returns the frames that came, each a list of messages."""
    frames = []

    def write(data):
        frames.extend(decode(payload) for payload in FrameReader().feed(data))

    async def main():
        await work(Outbox(write))
        await asyncio.sleep(0.03)

    asyncio.run(main())
    return frames


def test_deltas_of_a_line_are_joined_and_lines_kept_apart():
    async def work(outbox):
        for text in ("a", "b", "c"):
            outbox.put(delta("1", text))
            outbox.put(delta("2", text.upper()))

    assert run(work) == [[delta("1", "abc"), delta("2", "ABC")]]


def test_what_comes_between_two_deltas_of_a_line_stays_between_them():
    async def work(outbox):
        outbox.put(delta("1", "a"))
        outbox.put({"t": "cue", "line": "1", "name": "sad"})
        outbox.put(delta("1", "b"))
        outbox.put(delta("1", "c"))

    assert run(work) == [[delta("1", "a"), {"t": "cue", "line": "1", "name": "sad"}, delta("1", "bc")]]


def test_the_first_goes_at_once_and_what_follows_within_eight_milliseconds_goes_together():
    async def work(outbox):
        outbox.put(delta("1", "a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for text in "bcd":
            outbox.put(delta("1", text))
            await asyncio.sleep(0)

    assert run(work) == [[delta("1", "a")], [delta("1", "bcd")]]


def test_a_client_that_does_not_read_gets_all_of_it_later():
    async def work(outbox):
        outbox.pause()
        for _ in range(1000):
            outbox.put(delta("1", "x" * 100))
        outbox.put({"t": "line_done", "line": "1"})
        await asyncio.sleep(0.02)
        outbox.resume()

    frames = run(work)
    messages = [message for frame in frames for message in frame]
    assert len(messages) <= 20 and messages[-1]["t"] == "line_done"  # joined, and cut to what a frame holds
    assert "".join(message.get("text", "") for message in messages) == "x" * 100_000


def test_a_batch_over_a_frame_is_cut_in_order():
    async def work(outbox):
        for n in range(20):
            outbox.put({"t": "answer", "id": str(n), "data": {"x": "y" * 9000}})

    frames = run(work)
    assert len(frames) > 1
    assert [message["id"] for frame in frames for message in frame] == [str(n) for n in range(20)]


def test_the_first_word_of_a_line_waits_for_no_batch():
    async def work(outbox):
        outbox.put(delta("1", "a"))
        await asyncio.sleep(0.001)
        outbox.put(delta("1", "b"))
        outbox.put({"t": "line_started", "line": "2", "npc": "bo"})
        outbox.put(delta("2", "A"))
        assert len(frames_so_far) == 2
        outbox.put(delta("2", "B"))
        assert len(frames_so_far) == 2

    frames_so_far = []

    async def main():
        await work(Outbox(lambda data: frames_so_far.extend(decode(payload) for payload in FrameReader().feed(data))))
        await asyncio.sleep(0.03)

    asyncio.run(main())
    started = {"t": "line_started", "line": "2", "npc": "bo"}
    assert frames_so_far == [[delta("1", "a")], [delta("1", "b"), started, delta("2", "A")], [delta("2", "B")]]
