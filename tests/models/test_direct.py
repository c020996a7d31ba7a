"""Messages that come directly are the ones that would have come through the queue, fragments and all."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from townsfolk.models.direct import DirectConnection


def test_whole_and_fragmented_messages_come_in_order_and_the_rest_still_works():
    big = "x" * 200_000

    async def main():
        async def server(socket):
            await socket.send("first")
            await socket.recv()
            await socket.send("whole")
            await socket.send(["frag", "", "ment", "ed"])
            await socket.send(b"bytes")
            await socket.send(big)
            await (await socket.ping())
            await socket.send("last")
            await socket.recv()

        heard, last = [], asyncio.Event()

        def hear(data):
            heard.append(data)
            if data == b"last":
                last.set()

        async with serve(server, "127.0.0.1", 0) as served:
            url = f"ws://127.0.0.1:{served.sockets[0].getsockname()[1]}"
            async with connect(url, create_connection=DirectConnection, compression=None, proxy=None) as socket:
                first = await socket.recv(decode=False)  # until hear is set, it is an ordinary connection
                socket.hear = hear
                await socket.send("go")
                await asyncio.wait_for(last.wait(), 5)
                await (await socket.ping())
                await socket.send("done")
        return first, heard

    first, heard = asyncio.run(main())
    assert first == b"first"
    assert heard == [b"whole", b"fragmented", b"bytes", big.encode(), b"last"]
    assert all(type(each) is bytes for each in heard)
