"""What a game does without townsfolk: the SDK in a thread of the game, its `recv()` objects in a queue. The reference.

One connection for each stream, as the SDK's examples have it, all on one event loop and one client, which is the
kindest way for it: a client each costs 22 ms more.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Naive"]

_REQUEST: Final[Mapping[str, Any]] = {
    "conversation": "none",
    "output_modalities": ["text"],
    "instructions": (
        "You speak for one character of a game and for nobody else. Answer in one to three short sentences of plain"
        " speech. You are a fish seller at the quay market, short and friendly, and know what the boats bring."
    ),
}


class Naive:
    """Connections to a realtime server that a thread of this process reads. ``events`` holds what came, by stream.

    Args:
        url: The server.
        request: What the ``response`` of a response.create holds; the player's line is added to its input.
    """

    def __init__(self, url: str, request: Mapping[str, Any] = _REQUEST) -> None:
        self.events: queue.Queue[tuple[int, Any]] = queue.Queue()
        self.connected = 0
        self._url = url
        self._request = request
        self._connections: list[Any] = []
        self._connecting: asyncio.Lock
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self._readers: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._run, name="naive", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._connecting = asyncio.Lock()
        self._loop.run_forever()

    def connect(self, count: int) -> None:
        """Opens connections until there are ``count``; returns at once."""
        asyncio.run_coroutine_threadsafe(self._connect(count), self._loop)

    def say(self, stream: int, text: str) -> None:
        """Asks for a response on one of the connections, as soon as it stands; returns at once."""
        asyncio.run_coroutine_threadsafe(self._say(stream, text), self._loop)

    async def _connect(self, count: int) -> None:
        async with self._connecting:
            if self._client is None:
                from openai import AsyncOpenAI

                self._client = AsyncOpenAI(api_key="none", websocket_base_url=self._url)
            while len(self._connections) < count:
                connection = await self._client.realtime.connect(
                    model="gpt-realtime-2.1-mini", websocket_connection_options={"proxy": None}
                ).enter()
                stream = len(self._connections)
                self._connections.append(connection)
                self._readers.append(self._loop.create_task(self._read(stream, connection)))
                self.connected += 1

    async def _read(self, stream: int, connection: Any) -> None:
        while True:
            self.events.put((stream, await connection.recv()))

    async def _say(self, stream: int, text: str) -> None:
        await self._connect(stream + 1)
        line = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        given = list(self._request.get("input", ()))[:-1]  # its last item is another player's line
        await self._connections[stream].response.create(response={**self._request, "input": [*given, line]})

    def close(self) -> None:
        """Ends the thread."""

        async def close() -> None:
            for reader in self._readers:
                reader.cancel()
            await asyncio.gather(*self._readers, return_exceptions=True)
            await asyncio.gather(*(connection.close() for connection in self._connections), return_exceptions=True)
            if self._client is not None:
                await self._client.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
