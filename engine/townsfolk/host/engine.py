"""The host: characters, their memories and models, and the games that talk with them. Owns no sockets.

One loop runs it all and never blocks: memories are put on disk by the committer's thread, embedding and local models
run in workers of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from townsfolk.cast import Cast, load_cast
from townsfolk.errors import HINTS, ModelError, ProtocolError, StoreError, TownsfolkError
from townsfolk.events import Answer, Event, LineDone, LineFailed, Status
from townsfolk.gates import Fact
from townsfolk.guard import clean_player
from townsfolk.host.answers import describe_memory, describe_why
from townsfolk.host.client import Client
from townsfolk.host.committer import Committer
from townsfolk.host.config import Config
from townsfolk.host.lineup import Lineup
from townsfolk.host.pictures import Words
from townsfolk.host.till import Purse, till_for
from townsfolk.ids import is_id
from townsfolk.ledger import start_of_day
from townsfolk.memory.recall import Recall
from townsfolk.memory.record import Memory
from townsfolk.memory.sqlite import SqliteStore, read_only_copy
from townsfolk.npc import Npc
from townsfolk.pictures import Picture
from townsfolk.prompt import Prompt
from townsfolk.turn import Deadlines, Turn
from townsfolk.wire.codec import raw
from townsfolk.wire.protocol import MAX_LINE

__all__ = ["Host"]

_QUEUED: Final = 4
"""Lines that a player may have waiting with one character before it is busy."""


class Host:
    """Runs the characters of one folder on one save, for any number of games.

    :meth:`start` before anything else; :meth:`close` keeps all that is still open.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._deadlines = Deadlines(config.thinking, config.first_word, config.whole_line)
        self.clients: set[Client] = set()
        self.news: list[Status] = []  # what a game that joins must know
        self._facts: dict[str, Fact] = {}
        self._npcs: dict[str, Npc] = {}
        self._loading: dict[str, asyncio.Task[Npc]] = {}
        self._queues: dict[tuple[str, str], list[asyncio.Task[None]]] = {}  # (npc, player): turns, oldest first
        self._told: set[tuple[str, str]] = set()  # (model, code): troubles that games know of
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop itself keeps only weak references
        self._observing: set[asyncio.Task[Any]] = set()  # what must not be cut short

    async def start(self) -> None:
        """Loads the characters, opens the save, builds the models.

        Raises:
            PersonaError: The characters have mistakes.
            TownsfolkError: The configuration makes no sense. A save that cannot be used is no error: the host goes on
                without keeping anything, and says so.
        """
        self.cast: Cast = await asyncio.to_thread(load_cast, Path(self.config.characters))
        self._facts.update({id: fact.start for id, fact in self.cast.world.facts.items()})
        store = await asyncio.to_thread(self._open_store)
        self._committer = Committer(store, self._on_store)
        self.till = till_for(self.config, self._committer.spend, self._say_all)
        self.till.load(await self._committer.spent(start_of_day(time.time())))
        self.lineup = Lineup(self.config, self.cast, self._facts, self._on_model)
        await self.lineup.start()
        self.news += self.lineup.ending(datetime.now(UTC).date())
        self._words = Words(self.lineup.describer(self.till.purse_for_picture), self._committer.keep, self._say_all)

    def _open_store(self) -> SqliteStore:
        path = Path(self.config.save) if self.config.save else None
        try:
            return SqliteStore(path)
        except StoreError as error:
            self.news.append(Status(error.code, f"{error.message}; nothing new is kept", error.hint))
            if error.code == "save_readonly" and path is not None:
                return read_only_copy(path)
            return SqliteStore(None)

    def welcome(self) -> dict[str, Any]:
        """What a game is told first about the characters."""
        return {
            id: {"name": persona.name, "role": persona.role, "offline": list(persona.barks.offline[:4])}
            for id, persona in self.cast.personas.items()
        }

    def join(self, client: Client) -> None:
        """A game has said hello."""
        self.clients.add(client)
        for status in self.news:
            client.emit(status)

    def leave(self, client: Client) -> None:
        """A game is gone: its lines are cut, and remembered as far as they were shown."""
        self.clients.discard(client)
        client.cut()

    async def dismiss(self, client: Client) -> None:
        """A game says goodbye: the same, and when this returns all is on disk."""
        tasks = {task for _, task in client.turns.values()} | self._observing
        self.leave(client)
        if tasks:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Cuts what is open, keeps everything, gives back all resources."""
        for client in self.clients:
            client.cut()
        while tasks := {task for queue in self._queues.values() for task in queue} | self._tasks:
            for task in tasks - self._observing:
                task.cancel()
            await asyncio.wait(tasks)
        await self._words.close()
        await self.lineup.close()
        await self._committer.close()

    # --- what a game says ---------------------------------------------------------------------------------------

    def receive(self, client: Client, t: str, sent: Mapping[str, Any]) -> None:
        """Takes a message whose fields have been checked.

        Raises:
            ProtocolError: The message makes no sense; the game is told.
        """
        match t:
            case "say":
                self._say(client, sent["line"], sent["npc"], sent["text"], sent.get("player") or "player")
            case "cancel":
                client.cancel(sent["line"])
            case "listen":
                self._listen(client, sent)
            case "speech":
                client.speech(sent["line"], raw(sent["pcm"]))
            case "listened":
                client.listened(sent["line"])
            case "played":
                client.played(sent["line"], int(sent["ms"]))
            case "set":
                self._set(sent["facts"])
            case "picture":
                client.uploads.take(sent)
            case "observe":
                task = self.spawn(self._observe(client, sent, self._picture(client, sent)))
                self._observing.add(task)
                task.add_done_callback(self._observing.discard)
            case "why":
                self.spawn(self._why(client, sent))
            case "memory":
                self.spawn(self._memory(client, sent))
            case "warm":
                self.spawn(self._warm(sent["npc"]))

    def _say(self, client: Client, line: str, npc: str, text: str, player: str) -> None:
        if line in client.turns or len(line) > 100 or len(player) > 100:
            raise ProtocolError("bad_message", f"say: {line[:100]!r} was used before, or an id is over 100 characters")
        cleaned = clean_player(text[:MAX_LINE])
        queue = self._queues.setdefault((npc, player), [])
        if npc not in self.cast.personas:
            return self._refuse(client, line, npc, "unknown_npc", f"there is no character {npc[:50]!r}")
        if not cleaned:
            return self._refuse(client, line, npc, "empty_text", "the player said nothing")
        if len(text) > MAX_LINE:
            return self._refuse(
                client, line, npc, "text_too_long", f"the player's line is over {MAX_LINE:,} characters"
            )
        if len(queue) >= _QUEUED:
            return self._refuse(client, line, npc, "npc_busy", f"{len(queue)} lines wait for {npc} already")
        turn = Turn(line, npc, player, cleaned)
        task = asyncio.get_running_loop().create_task(self._turn(client, turn, queue[-1] if queue else None))
        queue.append(task)
        client.turns[line] = turn, task

        def ended(task: asyncio.Task[None]) -> None:
            queue.remove(task)
            if not queue:
                self._queues.pop((npc, player), None)
            client.turns.pop(line, None)
            last: list[Event] = []
            if task.cancelled():  # before it began
                last = turn.cut("")
            elif (error := task.exception()) is not None:  # no defect leaves a line without an end
                told = error if isinstance(error, TownsfolkError) else ModelError("internal", repr(error))
                last = turn.fail(told, self._bark(npc, line, told.code)) or turn.cut("")
            for event in last:
                client.emit(event)

        task.add_done_callback(ended)

    async def _turn(self, client: Client, turn: Turn, before: asyncio.Task[None] | None) -> None:
        if before is not None:  # a character answers a player's lines one after the other
            await asyncio.wait([before])
        npc = self._npcs.get(turn.npc)
        if npc is None:
            try:
                npc = await asyncio.wait_for(self._npc(turn.npc), self._deadlines.first_word)
            except TimeoutError:
                raise StoreError("save_slow", f"what {turn.npc} remembers cannot be read in time") from None
        if self.config.voice is None or self.config.overlap:
            await npc.reply(turn, client.emit)
        else:
            async with client.floor:
                await npc.reply(turn, client.emit)

    def _listen(self, client: Client, sent: Mapping[str, Any]) -> None:
        line, npc, player, rate = sent["line"], sent["npc"], sent.get("player") or "player", int(sent["rate"])
        if line in client.turns or line in client.ears or len(line) > 100 or not 8000 <= rate <= 48000:
            raise ProtocolError("bad_message", f"listen: {line[:100]!r} was used before, or the rate is out of range")
        if npc not in self.cast.personas:
            return self._refuse(client, line, npc, "unknown_npc", f"there is no character {npc[:50]!r}")
        if self.lineup.ear is None:
            return self._refuse(client, line, npc, "no_ear", "nobody can hear the player")

        def ended(task: asyncio.Task[str]) -> None:
            if task.cancelled():
                client.emit(LineDone(line, npc, "", "interrupted", ""))
            elif (error := task.exception()) is not None:
                told = error if isinstance(error, TownsfolkError) else ModelError("internal", repr(error))
                self._refuse(client, line, npc, told.code, told.message)
            elif not task.result().strip():
                self._refuse(client, line, npc, "nothing_heard", "no words were understood")
            else:
                self._say(client, line, npc, task.result(), player)

        hands_free = bool(sent.get("hands_free"))
        purse = self.till.purse_for_ear(npc, player, line)
        client.listen(
            self.lineup.ear, line, npc, player, rate=rate, hands_free=hands_free, ended=ended, purse=purse
        )  # fmt: skip

    def _refuse(self, client: Client, line: str, npc: str, code: str, why: str) -> None:
        client.emit(LineFailed(line, npc, self._bark(npc, line, code), code, why, HINTS[code]))

    def _bark(self, npc: str, line: str, code: str) -> str:
        """What a character says to a line that it cannot take."""
        persona = self.cast.personas.get(npc)
        if persona is None:
            return ""
        troubles = {
            "npc_busy": persona.barks.busy,
            "save_slow": persona.barks.offline,
            "internal": persona.barks.offline,
        }
        barks = troubles.get(code, persona.barks.deflect)
        return barks[len(line) % len(barks)]

    def _set(self, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            if not is_id(name) or not (value is None or isinstance(value, str | int | float | bool)):
                raise ProtocolError("bad_message", f"set: {name[:50]!r} is no fact with a plain value")
        self._facts.update(facts)

    def _picture(self, client: Client, sent: Mapping[str, Any]) -> Picture | None:
        """The picture of an observation. Without it the words still count."""
        try:
            return client.uploads.claim(sent["picture"], clean_player(sent["text"])) if sent.get("picture") else None
        except ProtocolError as error:
            client.emit(Status(error.code, error.message, error.hint))
            return None

    async def _observe(self, client: Client, sent: Mapping[str, Any], picture: Picture | None) -> None:
        text = clean_player(sent["text"][:MAX_LINE])
        named = sent.get("npcs")
        npcs = list(self.cast.personas) if named is None else [npc for npc in named if npc in self.cast.personas]
        if named is not None and len(npcs) < len(named):
            unknown = next(npc for npc in named if npc not in npcs)
            client.emit(Status("unknown_npc", f"observe: there is no character {unknown!r}", HINTS["unknown_npc"]))
        if text and npcs:

            async def notice(id: str) -> tuple[Npc, Memory]:  # each as soon as it is there: a line may be next
                npc = await self._npc(id)
                return npc, npc.observe(text, picture)

            noticed = await asyncio.gather(*map(notice, npcs))
            kept = self._committer.keep([memory for _, memory in noticed])
            if picture is not None:
                self.spawn(self._words.show(picture, [npc for npc, _ in noticed]))
            await asyncio.wait([kept])
            if "id" in sent and not kept.exception():
                client.send({"t": "ack", "id": sent["id"]})

    async def _why(self, client: Client, sent: Mapping[str, Any]) -> None:
        data: dict[str, Any] = {"error": f"there is no character {sent['npc'][:50]!r}"}
        if sent["npc"] in self.cast.personas:
            npc, player = await self._npc(sent["npc"]), sent.get("player") or "player"
            tried = clean_player((sent.get("text") or "")[:MAX_LINE])
            why = npc.prepare(tried, player) if tried else npc.last.get(player)
            data = describe_why(npc, why) if why else {"error": f"{npc.persona.name} has said nothing yet"}
        client.emit(Answer(sent["id"], data))

    async def _memory(self, client: Client, sent: Mapping[str, Any]) -> None:
        data: dict[str, Any] = {"error": f"there is no character {sent['npc'][:50]!r}"}
        if sent["npc"] in self.cast.personas:
            limit = max(1, min(200, int(sent.get("limit") or 50)))
            data = describe_memory(await self._npc(sent["npc"]), limit)
        client.emit(Answer(sent["id"], data))

    async def _warm(self, npc: str) -> None:
        if npc in self.cast.personas:
            ready = await self._npc(npc)
            await ready.model.warm(ready.persona)

    # --- characters ---------------------------------------------------------------------------------------------

    async def _npc(self, id: str) -> Npc:
        """The character, with its memories; loaded when it is first needed."""
        if id in self._npcs:
            return self._npcs[id]
        if id not in self._loading:
            self._loading[id] = self.spawn(self._load(id))
        return await asyncio.shield(self._loading[id])

    async def _load(self, id: str) -> Npc:
        try:
            memories = await self._committer.load(id)
        except StoreError as error:
            self._say_all(Status(error.code, error.message, error.hint))
            memories = []
        if self._committer.damaged and ("store", "memory_damaged") not in self._told:
            self._told.add(("store", "memory_damaged"))
            self._say_all(
                Status("memory_damaged", f"{self._committer.damaged} memories are damaged", HINTS["memory_damaged"])
            )
        persona = self.cast.personas[id]
        npc = Npc(
            persona,
            self.cast.world,
            Recall(memories),
            self.lineup.model_for(persona),
            self._committer.keep,
            facts=self._facts,
            clock=time.time,
            budget=self.config.budget,
            purse=self._purse,
            deadlines=self._deadlines,
            sight=self.lineup.sight_for(persona),
        )
        self._npcs[id] = npc
        return npc

    def _purse(self, turn: Turn, prompt: Prompt, output_tokens: int) -> Purse:
        return self.till.purse(
            turn.npc, turn.player, turn.line, input_tokens=prompt.tokens, output_tokens=output_tokens
        )

    # --- troubles -----------------------------------------------------------------------------------------------

    def _on_store(self, error: StoreError | None) -> None:
        if error is None:
            self._say_all(Status("save_ok", "the save can be written again; everything is kept"))
        else:
            self._say_all(Status(error.code, error.message, error.hint))

    def _on_model(self, model: str, error: ModelError | None) -> None:
        """A model of a ladder failed (told once for each reason), or with None speaks again."""
        if error is None:
            self._told = {told for told in self._told if told[0] != model}
        elif (model, error.code) not in self._told:
            self._told.add((model, error.code))
            self._say_all(Status(error.code, f"{model}: {error.message}", error.hint))

    def _say_all(self, status: Status) -> None:
        for client in self.clients:
            client.emit(status)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs work of the host's own; what it raises becomes a status."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            told = error if isinstance(error, TownsfolkError) else ModelError("internal", repr(error))
            self._say_all(Status(told.code, told.message, told.hint))
