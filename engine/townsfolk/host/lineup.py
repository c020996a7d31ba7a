"""Builds the models that `router.py` names, each once, and gives every character its ladder of them. Speaks no line."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from townsfolk.answercache import AnswerCache
from townsfolk.cast import Cast
from townsfolk.catalogue import find
from townsfolk.errors import HINTS, ModelError, TownsfolkError, UsageError
from townsfolk.events import Status
from townsfolk.gates import Fact
from townsfolk.host.config import Config
from townsfolk.host.keys import secret_for
from townsfolk.host.vendors import can_see, check_pictures, detail_of
from townsfolk.models.answers import Answers, Keeping, Remembered
from townsfolk.models.base import Model, Purse
from townsfolk.persona import Persona
from townsfolk.pictures import Sight
from townsfolk.prompt import instructions, stable_parts
from townsfolk.router import ladder

if TYPE_CHECKING:
    from townsfolk.memory.embed import Embedder
    from townsfolk.models.describe import Describer
    from townsfolk.models.local_files import LocalModel
    from townsfolk.simulator import Simulator
    from townsfolk.speech.ports import Ear, Voice

__all__ = ["EARS", "VOICES", "Lineup", "find_ear", "find_embedder", "find_voice"]

_REMOTE: Final = ("realtime", "text", "simulator")
_SPEAKING: Final = ("realtime", "simulator")
"""Those that can speak themselves."""
_SOON_DAYS: Final = 60
"""A model that ends within so many days is told of."""
VOICES: Final = ("tones", "realtime")
"""What ``voice`` may be, besides nothing. ``realtime,tones`` has the second say what other models write."""
EARS: Final = ("tones", "realtime")
"""The same for ``ear``."""


class Lineup:
    """The models of one host. :meth:`start` before anything else.

    Args:
        facts: What the game says is so, for models that are asked from outside.
        on_model: Told of a model of a ladder that failed, and with None when it speaks again.
    """

    def __init__(
        self,
        config: Config,
        cast: Cast,
        facts: Mapping[str, Fact],
        on_model: Callable[[str, ModelError | None], None] = lambda model, error: None,
    ) -> None:
        self._config = config
        self._cast = cast
        self._facts = facts
        self._on_model = on_model
        self._built: dict[str, Model] = {}
        self._ladders: dict[tuple[str, ...], Model] = {}
        self._simulator: Simulator | None = None
        self._embedder: Embedder | None = None
        self._gguf: LocalModel | None = None
        self._dear: Answers | None = None  # of the stronger model
        self._spare: Answers | None = None  # of all others that cost money
        self._native = False  # the realtime model speaks itself
        self._voice: Voice | None = None
        self.ear: Ear | None = None
        """What hears players; None where nothing does."""

    async def start(self) -> None:
        """Looks what there is, apart from the loop.

        Raises:
            TownsfolkError: The configured model or voice does not exist.
        """
        check_pictures(self._config)
        cheaper = self._config.cheaper
        if cheaper is not None and not cheaper.startswith(("text:", "realtime:")):
            raise UsageError("no_such_model", f"cheaper is such as text:gpt-6-luna, not {cheaper!r}")
        strong = self._config.strong
        if strong is not None and strong.partition(":")[0] not in (*_REMOTE, "local", "scripted"):
            raise UsageError("no_such_model", f"strong is such as text:gpt-6.1-sol, not {strong!r}")
        first, _, behind = (self._config.voice or "").partition(",")
        self._native = first == "realtime"
        self._voice = find_voice((behind if self._native else first).strip() or None)
        ladder(self._config.model, key=False, second=False, local=False)
        self._gguf, self._embedder = await asyncio.to_thread(self._look)
        if self._config.answers > 0:
            self._dear, self._spare = self._answers(), self._answers()
        if self._config.model.startswith("scripted:"):
            self._build(self._config.model)  # a script that cannot be read is told now, not at the first line
        if self._config.model == "simulator":
            from townsfolk.host.brain import authored_brain
            from townsfolk.simulator import Simulator

            self._simulator = Simulator(authored_brain(self._cast.personas, self._facts, self._build("authored")))
            await self._simulator.start()
        url = self._simulator.url if self._simulator is not None else self._config.realtime_url
        self.ear = find_ear(self._config, url)

    @property
    def what(self) -> str:
        """What speaks, for people."""
        return " > ".join(self._rungs(self._config.model))

    def _rungs_of(self, persona: Persona) -> tuple[str, ...]:
        wanted = self._config.model
        return self._rungs(persona.model.prefer if wanted == "auto" and persona.model.prefer != "auto" else wanted)

    def sight_for(self, persona: Persona) -> Sight:
        """How a character sees pictures."""
        config = self._config
        sees = any(can_see(config, rung) for rung in self._rungs_of(persona))
        return Sight(detail_of(config) if sees else None, config.picture_lines, config.picture_seconds)

    def ending(self, today: datetime.date) -> list[Status]:
        """What the game's maker should know of models that will soon not be served any more."""
        config, news = self._config, []
        wanted = {config.model, config.cheaper, config.strong, config.picture_model}
        wanted |= {persona.model.prefer for persona in self._cast.personas.values()}
        names = {"realtime": config.realtime_model, "text": config.text_model}
        for rung in sorted({rung for each in wanted if each for rung in self._rungs(each)}):
            kind, _, named = rung.partition(":")
            if kind not in names:
                continue
            entry = find(named or names[kind])
            if entry.shutdown is not None and (entry.shutdown - today).days <= _SOON_DAYS:
                message = f"{entry.name} is not served from {entry.shutdown} on"
                news.append(Status("model_ends", message, HINTS["model_ends"]))
        return news

    def describer(self, purse: Callable[[str, str], Purse]) -> Describer | None:
        """What says in words what a picture shows, if the game chose one."""
        config = self._config
        if config.picture_model is None:
            return None
        from townsfolk.models.describe import Describer

        return Describer(self._build(config.picture_model), detail=detail_of(config), purse=purse)

    def model_for(self, persona: Persona) -> Model:
        """What speaks for a character."""
        rungs = self._rungs_of(persona)
        if rungs not in self._ladders:
            models = [self._keeping(rung) for rung in rungs]
            # One model alone is guarded too: what it refused for good it is not asked again.
            alone = len(models) == 1 and not _paid(rungs[0])
            usual = models[0] if alone else self._fallback(models)
            self._ladders[rungs] = self._aloud(self._escalating(usual, rungs[0]))
        return self._ladders[rungs]

    def _answers(self) -> Answers:
        cache = AnswerCache(most=self._config.answers, seconds=self._config.answers_seconds)
        return Answers(cache, self._cast.world, embedder=self._embedder)

    def _keeping(self, rung: str) -> Model:
        """A rung; its answers are kept where they were dear and may be of use."""
        model = self._build(rung)
        if self._native and rung.partition(":")[0] not in _SPEAKING:
            model = self._said(model)
        return Keeping(model, self._spare) if _paid(rung) and self._spare is not None else model

    def _escalating(self, usual: Model, first: str) -> Model:
        strong = self._config.strong
        if strong is None:
            return usual
        from townsfolk.models.authored import Authored
        from townsfolk.models.escalating import Escalating

        topics = self._build("topics")
        assert isinstance(topics, Authored)
        stronger = self._fallback([self._build(strong)])
        return Escalating(
            usual,
            stronger if self._dear is None else Keeping(stronger, self._dear),
            world=self._cast.world,
            fast=self._build(first) if self._config.opening and first.partition(":")[0] in _REMOTE else None,
            answers=self._dear,
            topic=topics.topic,
        )

    def _fallback(self, models: list[Model]) -> Model:
        from townsfolk.models.fallback import Fallback

        return Fallback(models, first_word_s=self._config.first_word, on_change=self._on_model)

    def _aloud(self, model: Model) -> Model:
        """A ladder's lines with sound."""
        if self._native:
            from townsfolk.speech.native import Native

            return Native(model)
        return self._said(model)

    def _said(self, model: Model) -> Model:
        """Lines that are only written, said by the voice."""
        if self._voice is None:
            return model
        from townsfolk.speech.aloud import Aloud

        return Aloud(model, self._voice)

    def models(self) -> list[Model]:
        """One of each kind that there can be here, for `townsfolk doctor`."""
        return [self._build(name) for name in ("realtime", "text", "local", "topics")]

    async def close(self) -> None:
        for model in self._built.values():
            await model.close()
        if self._voice is not None:
            await self._voice.close()
        if self.ear is not None:
            await self.ear.close()
        if self._simulator is not None:
            await self._simulator.close()

    def _rungs(self, wanted: str) -> tuple[str, ...]:
        url = self._config.realtime_url  # a server of one's own may want no key
        key = url is not None or bool(secret_for("realtime", url))
        # Who chose a server of their own for the one did not choose OpenAI's for the other.
        second = bool(secret_for("text", self._config.text_url)) and (url is None or self._config.text_url is not None)
        rungs = ladder(wanted, key=key, second=second, local=self._gguf is not None)
        if not _paid(rungs[0]):
            return rungs
        if self._config.cheaper is not None:
            rungs = (rungs[0], self._config.cheaper, *rungs[1:])
        paid = [rung for rung in rungs if _paid(rung)]
        # An answer that is known is better than an authored deflection; a model that was chosen alone stays alone.
        return (*paid, "cache", *rungs[len(paid) :]) if self._spare is not None and len(rungs) > len(paid) else rungs

    def _look(self) -> tuple[LocalModel | None, Embedder | None]:
        from townsfolk.models.local_files import find_local_model

        kind = self._config.model.partition(":")[0]
        found = find_local_model(self._config.gguf) if kind in ("auto", "local") else None
        return found, None if kind == "scripted" else find_embedder()

    def _build(self, rung: str) -> Model:
        if rung not in self._built:
            self._built[rung] = self._new(rung)
        return self._built[rung]

    def _new(self, rung: str) -> Model:
        # Each model's module loads what only it needs, so that a host starts no slower than it must.
        config = self._config
        kind, _, detail = rung.partition(":")
        match kind:
            case "realtime":
                from townsfolk.models.realtime import Realtime

                return Realtime(
                    model=detail or config.realtime_model,
                    api_key=secret_for("realtime", config.realtime_url),
                    base_url=config.realtime_url,
                    sockets=config.realtime_sockets,
                    in_flight=config.realtime_in_flight,
                    sees=can_see(config, "realtime"),
                    voiced=self._native,
                )
            case "simulator":
                from townsfolk.models.realtime import Realtime

                assert self._simulator is not None
                return Realtime(
                    model=config.realtime_model,
                    api_key="simulator",
                    base_url=self._simulator.url,
                    paid=False,
                    voiced=self._native,
                )
            case "text":
                from townsfolk.models.text import TextModel

                key, sees = secret_for("text", config.text_url), can_see(config, "text")
                return TextModel(detail or config.text_model, api_key=key, base_url=config.text_url, sees=sees)
            case "local":
                from townsfolk.models.local import Local

                return Local(self._gguf or config.gguf, prefix=self._prefix)
            case "cache":
                assert self._dear is not None
                assert self._spare is not None
                return Remembered(self._dear, self._spare)
            case "scripted":
                from townsfolk.models.scripted import Scripted

                return Scripted.from_file(detail) if detail else Scripted()
            case _:
                from townsfolk.models.authored import Authored

                return Authored(
                    embedder=self._embedder,
                    topics=kind != "deflect",
                    deflect=kind != "topics",
                    words_per_second=config.words_per_second,
                )

    def _prefix(self, persona: Persona) -> str:
        return instructions(stable_parts(persona, self._cast.world, self._config.budget))


def _paid(rung: str) -> bool:
    return rung.partition(":")[0] in _REMOTE


def find_embedder() -> Embedder | None:
    """The best embedder that is installed; it takes half a second to load."""
    from townsfolk.memory.embed import MiniLM

    try:
        return MiniLM()
    except TownsfolkError:
        return None  # the authored model says once that it matches words only


def find_voice(name: str | None) -> Voice | None:
    """The voice of that name.

    Raises:
        UsageError: There is none.
    """
    match name:
        case None:
            return None
        case "tones":
            from townsfolk.speech.tones import Tones

            return Tones()
    raise UsageError("bad_argument", f"{name!r} is no voice", hint=f"Choose one of {', '.join(VOICES)}.")


def find_ear(config: Config, url: str | None) -> Ear | None:
    """The ear that is configured; ``url`` is where a realtime one listens.

    Raises:
        UsageError: There is none.
    """
    match config.ear:
        case None:
            return None
        case "tones":
            from townsfolk.speech.spelling import ToneEar

            return ToneEar()
        case "realtime":
            from townsfolk.models.connect import Connector
            from townsfolk.speech.realtime_ear import RealtimeEar

            connector = Connector(config.realtime_model, secret_for("realtime", url), url)
            return RealtimeEar(connector, model=config.ear_model, language=config.ear_language)
    raise UsageError("bad_argument", f"{config.ear!r} is no ear", hint=f"Choose one of {', '.join(EARS)}.")
