"""Speaks through any OpenAI-compatible chat completions server. Retries nothing: `fallback.py` decides about that."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from townsfolk.errors import ModelError, UsageError
from townsfolk.models.base import Billed, Emit, Health, Outcome, Request, Spoken, Usage
from townsfolk.models.chat import Answer, Dialect, Lines, body_of, messages_of
from townsfolk.models.refusals import complaint_of, model_error_of, refusal, status_of
from townsfolk.models.sdk import confined
from townsfolk.models.secret import Secret
from townsfolk.persona import Persona
from townsfolk.prompt import Prompt

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["TextModel"]

_HOW: Final[Mapping[str, Outcome]] = {
    "stop": "completed",
    "tool_calls": "completed",
    "function_call": "completed",
    "length": "incomplete",
    "content_filter": "incomplete",
}
_KEEP_S: Final = 55.0
"""An idle connection is kept so long: a player thinks for longer than the SDK's five seconds."""


class TextModel:
    """A chat completions server as a model.

    Args:
        model: The model's name on the server.
        base_url: Where the server is, up to ``/v1``; OpenAI's own without it.
        api_key: The key, or what gives one; may be empty for servers that want none. It is sent to this server and
            nowhere else.
        connect_s: The longest time to connect.
        first_word_s: The longest time to the first word.
        stall_s: The longest silence in mid-line.
        sees: Whether the model takes pictures; one that does not is shown none.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | Secret = "",
        connect_s: float = 5.0,
        first_word_s: float = 15.0,
        stall_s: float = 5.0,
        sees: bool = False,
    ) -> None:
        if not model:
            raise UsageError("bad_argument", "A text model needs the name of a model.")
        if base_url is not None and not (base_url.startswith(("http://", "https://")) and urlsplit(base_url).hostname):
            raise UsageError("bad_argument", f"{base_url!r} is no address; one looks like http://127.0.0.1:8080/v1.")
        self._model = model
        self._base_url = base_url
        self._key = api_key if isinstance(api_key, Secret) else Secret(api_key)
        self._connect_s = connect_s
        self._first_word_s = first_word_s
        self._stall_s = stall_s
        self._sees = sees
        # OpenAI counts a model's thoughts as tokens of its answer; a villager's line takes next to none.
        openai_s = Dialect("max_completion_tokens", {"reasoning_effort": "minimal"})
        self._dialect = openai_s if base_url is None else Dialect()
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        return f"text:{self._model}"

    async def speak(self, request: Request, emit: Emit) -> Spoken:
        return await self.tell(request, emit)

    async def tell(self, request: Request, emit: Emit, enough: Callable[[], bool] = lambda: False) -> Spoken:
        """Speaks one line, and stops early, as a whole line, once ``enough`` says so."""
        messages = self._messages(request.prompt)
        answer = await self._ask(request, messages, emit, enough, actions=True)
        if answer.calls and not answer.said and not enough():
            # It acted without a word. Servers then wait to hear how that went before the model speaks.
            notes = [*answer.notes, "acted first, then was asked for the line"]
            answer = await self._ask(request, [*messages, *answer.acted()], emit, enough, actions=False)
            answer.notes[:0] = notes
        if answer.finish == "content_filter":
            code = "interrupted" if answer.said else "content_filter"
            raise ModelError(code, f"{self.name} refused to go on with this line.")
        if not answer.said and not enough():
            why = f"used up {request.max_tokens} tokens" if answer.finish == "length" else "ended the line"
            raise ModelError("empty_reply", f"{self._who} {why} without a word.")
        return Spoken(
            self.name, "length" if answer.finish == "length" else "stop", answer.usage, notes=tuple(answer.notes)
        )

    async def warm(self, persona: Persona) -> None:
        with suppress(ModelError):  # the line that needs it will say so
            await self._ready()

    async def health(self) -> Health:
        try:
            client = await self._ready()
            async with asyncio.timeout(self._connect_s + 5.0):
                listed = [model.id async for model in client.models.list()]
        except ModelError as error:
            return Health(False, str(error))
        except TimeoutError:
            return Health(False, f"{self._where} does not answer.")
        except Exception as error:
            if status_of(error) in (404, 405, 501) and self._base_url is not None:
                return Health(True, f"{self._where} answers, and lists no models")
            return Health(False, str(model_error_of(error, self._where, said=False, secret=self._key.key)))
        if self._model in listed:
            return Health(True, f"{self._model} on {self._where}")
        few = ", ".join(listed[:5]) or "none"
        if self._base_url is None:
            return Health(False, f"{self._where} offers no model {self._model!r} to this key.")
        return Health(True, f"{self._where} answers; it does not list {self._model!r} (listed: {few})")

    async def close(self) -> None:
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _where(self) -> str:
        return urlsplit(self._base_url).netloc.rpartition("@")[2] if self._base_url else "OpenAI"

    @property
    def _who(self) -> str:
        return f"{self._model} on {self._where}"

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        return messages_of(prompt)

    def _body(self, request: Request, messages: list[dict[str, Any]], *, actions: bool) -> dict[str, Any]:
        images = request.images if self._sees else ()
        return body_of(request, self._model, messages, self._dialect, tools=actions, images=images)

    async def _ask(
        self,
        request: Request,
        messages: list[dict[str, Any]],
        emit: Emit,
        enough: Callable[[], bool],
        *,
        actions: bool,
    ) -> Answer:
        answer = Answer(emit)
        how: Outcome = "failed"
        loop = asyncio.get_running_loop()
        patience = f"no word in {self._first_word_s:g} s"
        reserved = False
        try:
            async with asyncio.timeout(self._first_word_s) as scope:
                client = await self._ready()
                request.reserve(self._model)
                reserved = True
                async with aclosing(self._chunks(client, request, messages, actions)) as chunks:
                    async for chunk in chunks:
                        if error := answer.read(chunk):
                            raise refusal(error, self._who, said=answer.said, secret=self._key.key)
                        if enough():
                            how = "cancelled"
                            return answer
                        if answer.begun:
                            patience = f"silent for {self._stall_s:g} s in mid-line"
                            scope.reschedule(loop.time() + self._stall_s)
            answer.end()
            how = _HOW.get(answer.finish or "", "failed")
        except asyncio.CancelledError:
            how = "cancelled"
            raise
        except ModelError:
            raise
        except TimeoutError:
            code = "interrupted" if answer.said else "timeout"
            raise ModelError(code, f"{self._who}: {patience}.") from None
        except Exception as error:
            raise model_error_of(error, self._who, said=answer.said, secret=self._key.key) from error
        finally:
            if reserved:
                self._bill(request, answer.usage, how)
        if not answer.understood:
            raise ModelError("bad_response", f"{self._who} sent no chat completion.")
        if answer.finish is None:
            code = "interrupted" if answer.said else "server_error"
            raise ModelError(code, f"{self._who} ended the answer before it was whole.")
        return answer

    async def _chunks(
        self, client: AsyncOpenAI, request: Request, messages: list[dict[str, Any]], actions: bool
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of one answer. A field that the server refuses is left out from then on."""
        fresh = False
        while True:
            body = self._body(request, messages, actions=actions)
            # The raw response: it skips the SDK's typed chunks, which cost more than the rest and refuse odd servers'.
            opening = client.chat.completions.with_streaming_response.create(
                model=body.pop("model"), messages=body.pop("messages"), stream=body.pop("stream"), extra_body=body
            )
            try:
                async with opening as response:
                    if "json" in str(response.headers.get("content-type", "")):
                        yield await response.read()  # a server that does not stream
                        return
                    lines = Lines()
                    async for data in response.iter_bytes():
                        for line in lines.feed(data):
                            yield line
                            if line == b"[DONE]":
                                return
                return
            except Exception as error:
                if status_of(error) == 401 and not fresh and self._key.refused():
                    fresh, client = True, await self._ready()
                elif request.images and status_of(error) in (400, 422) and "image" in complaint_of(error).lower():
                    request = replace(request, images=())  # the model is blind after all, or the picture is broken
                elif status_of(error) not in (400, 422) or not self._dialect.learn(complaint_of(error)):
                    raise
            self._bill(request, Usage(0, 0, 0), "failed")  # it was refused before it cost anything
            request.reserve(self._model)

    def _bill(self, request: Request, usage: Usage, how: Outcome) -> None:
        if request.bill is not None:
            request.bill(Billed(self._model, usage, how, request.line))

    async def _ready(self) -> AsyncOpenAI:
        if self._closed:
            raise ModelError("closed", f"{self.name} was closed.", fatal=True)
        if self._base_url is None and not self._key:
            raise ModelError("missing_key", "There is no key for OpenAI's server.", fatal=True)
        key = await self._key.fetch()
        if self._key.short_lived:
            raise ModelError("bad_key", "A client secret is good for the realtime protocol alone.", fatal=True)
        if self._client is None:
            async with self._making:
                if self._client is None:
                    # In a thread: the first import of the SDK takes half a second, and certificates some more.
                    self._client = await asyncio.to_thread(_make_client, self._base_url, self._connect_s)
        self._client.api_key = key or "none"
        return self._client


def _make_client(base_url: str | None, connect_s: float) -> AsyncOpenAI:
    import openai

    # SDK 2 stands on httpx and SDK 3 on httpx2: their settings must come from the same one.
    base = next(base for base in openai.DefaultAsyncHttpxClient.__mro__ if base.__name__ == "AsyncClient")
    http: Any = importlib.import_module(base.__module__.partition(".")[0])
    client = confined(
        "",
        base_url,
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=openai.Timeout(None, connect=connect_s),
            limits=http.Limits(keepalive_expiry=_KEEP_S),
            trust_env=not _is_loopback(base_url),
        ),
    )
    _ = client.chat.completions.with_streaming_response  # loads the rest of the SDK now
    return client


def _is_loopback(base_url: str | None) -> bool:
    """Whether the server is on this machine: no proxy leads there."""
    host = (urlsplit(base_url).hostname or "") if base_url else ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
