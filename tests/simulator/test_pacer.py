"""Responses come at the pace that was asked for, and a slow reader holds a flood up instead of filling memory."""

from __future__ import annotations

import asyncio
import time

from townsfolk.simulator import Pace, Reply, Simulator, words


def test_the_first_delta_and_the_rate(talk):
    async def main():
        async with Simulator(words(40), pace=Pace(ttft=0.1, rate=200)) as sim, talk(sim.url) as client:
            start = time.perf_counter()
            await client.create()
            await client.until("response.output_text.delta")
            first = time.perf_counter() - start
            await client.until("response.output_text.done")
            return first, time.perf_counter() - start - first

    first, rest = asyncio.run(main())
    assert 0.095 <= first < 0.5
    assert 0.15 <= rest < 1.0  # 40 deltas are 0.2 s


def test_a_flood_waits_for_a_slow_reader(talk):
    async def main():
        async with Simulator(script=[Reply(pieces=("x" * 2000,) * 20_000)]) as sim, talk(sim.url) as client:
            await client.create(max_output_tokens="inf")
            await client.until("response.output_text.delta")
            await asyncio.sleep(0.3)  # 40 MB want to come, and nobody reads
            (connection,) = sim.connections
            assert connection.paused
            waiting = connection._transport.get_write_buffer_size()
            count = 1
            while (await client.recv())["type"] == "response.output_text.delta":
                count += 1
                if count == 5000:
                    break
            client.socket.transport.abort()  # or it would read the rest before it closes
            return waiting, count

    waiting, count = asyncio.run(main())
    assert waiting < 4 << 20
    assert count == 5000


def test_many_streams_share_the_time(talk):
    async def main():
        async with Simulator(words(50), pace=Pace(rate=100)) as sim, talk(sim.url) as client:
            for n in range(50):
                await client.create(metadata={"rid": str(n)})
            start = time.perf_counter()
            for _ in range(50):
                await client.until("response.done")
            return time.perf_counter() - start, client.seen

    taken, seen = asyncio.run(main())
    assert taken < 2.0  # one stream alone takes 0.5 s
    assert sum(event["type"] == "response.output_text.delta" for event in seen) == 2500
