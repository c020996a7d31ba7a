"""Answers that were dear, kept for whoever asks the same when nothing they stood on has changed. Pure; asks no model.

An answer is found again only where all of this is the same as when it was given:

* the character, and what it is called upon to be (the stable part of the prompt);
* the facts that any gate of the character or of the world's lore looks at;
* the events that it remembers for the question, and what it has before its eyes;
* the actions that it might propose;
* the question's meaning. One that makes sense only after what was said before is neither kept nor found.

An answer whose prompt held anything private of one player (what the two had said before, or what it remembers of them)
is kept for that player alone; so is one to a line in which players speak of themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from townsfolk.gates import Fact, Gate, facts_in
from townsfolk.lore import World
from townsfolk.persona import Persona
from townsfolk.phrases import is_follow_up, plain
from townsfolk.prompt import Prompt
from townsfolk.wordmatch import stems

__all__ = ["Answer", "AnswerCache", "Question", "facts_read"]

_FILLERS: Final = frozenset(stems("a an the please well oh so now then hey tell me say just really actually and but"))
_ASKS: Final = frozenset(stems("who whom whose what where when why how which"))
_SELF: Final = frozenset("i me my mine myself we us our ours ourselves im ive id ill".split())
_POINTS: Final = frozenset("he him his she her hers it its they them their theirs this that these those there".split())
_NOT: Final = frozenset(stems("not never no nobody nothing none neither nor without except un"))
_PLAIN_WORD: Final = re.compile(r"[^\W_]+")
_BINDS: Final = frozenset(
    stems(
        "do does did done is are was were be been am has have had can could will would shall should may might must get"
        " got of in at to on for about with by as from it its this that these those you your what which who where when"
        " why how me any some there here not never no"
    )
)
_ONE_BUCKET: Final = 32
"""Questions that are kept for one state of things."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom, in which state of things.

    Attributes:
        npc: Who is asked.
        player: The player it is private to; None where anybody may have the answer.
        state: What the answer stands on, as a digest.
        text: The player's words, without the character's name called in them.
        words: The same, word by word without endings and fillers.
        bare: Whether it makes sense by itself. What does not ("and why?") is neither kept nor found.
    """

    npc: str
    player: str | None
    state: str
    text: str
    words: tuple[str, ...]
    bare: bool

    @classmethod
    def of(
        cls,
        persona: Persona,
        prompt: Prompt,
        facts: Mapping[str, Fact],
        text: str,
        player: str,
        *,
        reads: Sequence[str],
        actions: Sequence[str] = (),
    ) -> Question:
        """The question that a player's line is.

        Args:
            persona: Who is asked.
            prompt: What a model would be told; its last message is the player's line.
            facts: What the game says is so.
            text: The player's line.
            player: Who says it.
            reads: The facts that gates look at; see :func:`facts_read`.
            actions: What the character could propose.
        """
        asked = plain(text, _names(persona.name))
        said = {word.lower() for word in _PLAIN_WORD.findall(asked.replace("'", "").replace("\u2019", ""))}
        own = prompt.private or not _SELF.isdisjoint(said) or player.lower() in said
        words = tuple(word for word in stems(asked) if word not in _FILLERS)
        bare = (
            not _BINDS.issuperset(words)
            and not is_follow_up(text)
            and not (prompt.private and not _POINTS.isdisjoint(said))
        )
        return cls(
            persona.id, player if own else None, _state(persona, prompt, facts, reads, actions), asked, words, bare
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and by which model."""

    text: str
    model: str


@dataclass(slots=True)
class _Kept:
    question: Question
    answer: Answer
    until: float


class AnswerCache:
    """At most so many answers, each for so long; those that nobody asked for longest go first.

    Args:
        most: Answers at most; 0 keeps none.
        seconds: How long one is good.
        alike: The least likeness in meaning of two questions that are the same. Likeness alone is not trusted: MiniLM
            finds "did she go up the hill" and "... down the hill" more alike (0.97) than most paraphrases. One question
            must hold all words of the other that mean something by themselves, and both the same denials.
    """

    def __init__(self, *, most: int = 1000, seconds: float = 3600.0, alike: float = 0.9) -> None:
        self._most = most
        self._seconds = seconds
        self._alike = alike
        self._kept: OrderedDict[tuple[str, str | None, str, tuple[str, ...]], _Kept] = OrderedDict()
        self._buckets: dict[tuple[str, str | None, str], dict[tuple[str, ...], None]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, asked: Question, now: float) -> Answer | None:
        """The answer to the same question in the same words."""
        if not asked.bare:
            return None
        return self._take((asked.npc, asked.player, asked.state, asked.words), now)

    def near(self, asked: Question) -> list[str]:
        """The questions that might mean the same, to be compared by meaning with :meth:`find_alike`."""
        if not asked.bare:
            return []
        found = self._buckets.get((asked.npc, asked.player, asked.state), {})
        kept = (self._kept[asked.npc, asked.player, asked.state, words].question for words in found)
        return [each.text for each in kept if _may_mean(asked.words, each.words)]

    def find_alike(self, asked: Question, likeness: Mapping[str, float], now: float) -> Answer | None:
        """The answer to the question that is most alike in meaning, if it is alike enough.

        Args:
            likeness: Of the texts that :meth:`near` gave.
        """
        allowed = set(self.near(asked))  # the state of things may have changed while they were compared
        for text, score in sorted(likeness.items(), key=lambda each: -each[1]):
            if score < self._alike:
                break
            if text in allowed:
                words = tuple(word for word in stems(text) if word not in _FILLERS)
                if (found := self._take((asked.npc, asked.player, asked.state, words), now)) is not None:
                    return found
        return None

    def keep(self, asked: Question, answer: Answer, now: float) -> bool:
        """Keeps an answer; says whether it may be kept."""
        if not asked.bare or self._most < 1:
            return False
        bucket = (asked.npc, asked.player, asked.state)
        words = self._buckets.setdefault(bucket, {})
        if len(words) >= _ONE_BUCKET and asked.words not in words:
            self._drop((*bucket, next(iter(words))))
            words = self._buckets.setdefault(bucket, {})
        words[asked.words] = None
        key = (*bucket, asked.words)
        self._kept[key] = _Kept(asked, answer, now + self._seconds)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._drop(next(iter(self._kept)))
        return True

    def _take(self, key: tuple[str, str | None, str, tuple[str, ...]], now: float) -> Answer | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if now >= kept.until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.answer

    def _drop(self, key: tuple[str, str | None, str, tuple[str, ...]]) -> None:
        del self._kept[key]
        bucket = self._buckets[key[:3]]
        del bucket[key[3]]
        if not bucket:
            del self._buckets[key[:3]]


def _may_mean(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two questions could be the same, before their meaning is compared."""
    if sorted(one) == sorted(other):
        return False  # the same words in another order: who hit whom?
    denied, asked = _NOT.isdisjoint(one), _ASKS.intersection(one)
    if denied != _NOT.isdisjoint(other) or asked != _ASKS.intersection(other):
        return False
    first, second = set(one) - _BINDS, set(other) - _BINDS
    return bool(first and second) and (first <= second or second <= first)


def _state(
    persona: Persona, prompt: Prompt, facts: Mapping[str, Fact], reads: Sequence[str], actions: Sequence[str]
) -> str:
    """A digest of all that an answer stands on, but for the question."""
    made = hashlib.blake2b(digest_size=16)

    def add(*parts: object) -> None:
        for part in parts:
            data = repr(part).encode("utf-8", "backslashreplace")
            made.update(len(data).to_bytes(4, "big") + data)

    add(persona.id, prompt.instructions, sorted(prompt.events), sorted(actions))
    add(*(part.text for part in prompt.parts if part.name == "picture"))
    add(prompt.picture.digest if prompt.picture is not None else None)
    for name in reads:
        value = facts.get(name)
        add(name, type(value).__name__, value)
    return made.hexdigest()


def facts_read(persona: Persona, world: World) -> tuple[str, ...]:
    """The facts that any gate looks at which decides what a character knows, wants or can do."""
    gates: list[Gate] = [goal.when for goal in persona.goals]
    gates += [each.when for each in (*persona.knows, *persona.secrets)]
    gates += [topic.when for topic in persona.topics.values()] + [each.when for each in persona.actions.values()]
    gates += [lore.when for lore in world.lore.values()]
    return tuple(sorted(frozenset[str]().union(*map(facts_in, gates))))


@lru_cache(maxsize=1024)
def _names(name: str) -> tuple[str, ...]:
    return name, *(part for part in name.split() if part[:1].isupper() and len(part) > 2)
