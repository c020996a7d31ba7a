"""Which authored topic answers what a player says. Pure: how alike two texts are is passed in. Says nothing itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias

from townsfolk.everyday import COURTESIES, EVERYDAY, HEAD
from townsfolk.gates import Fact, is_open
from townsfolk.persona import Persona, Topic
from townsfolk.phrases import Sentence, is_follow_up, plain, sentences

__all__ = ["MEANING", "PLAINEST", "WORDS", "Alike", "Limits", "Match", "Repertoire"]

Alike: TypeAlias = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]
"""For each of the first texts, its likeness to each of the second: 1 for the same meaning, about 0 for none shared."""

_BEST: Final = 0.6
"""The share of the best sample in a topic's score; the rest is the mean of the best three, so that no single odd
sample decides."""
_LEAD: Final = 0.10
"""A topic that leads the next one by less must fit better by what is missing: between two guesses, neither is taken."""
_OTHER_QUESTION: Final = 0.05
"""What a sample loses that asks who where the player asks why."""
_COURTESY: Final = 0.10
"""How much better a courtesy must fit: people say hello in few ways, and long sentences that resemble one mean more."""
_SHARED: Final = 0.08
"""The share of topics from which on a name in their samples tells none of them from the others."""
_ANYBODY: Final = "she"
"""What stands for such a name: two questions about the same person are not alike by that alone."""
_GROUPS: Final = tuple(EVERYDAY)
PLAINEST: Final = tuple(wording for group in EVERYDAY.values() for wording in group[:HEAD])
"""The wordings that stand for the everyday groups."""
_BARKED: Final = ("greeting", "farewell")
"""What barks answer where the author wrote no topic for it."""
_NAME: Final = re.compile(r"(?<=[\w,;] )[A-Z][a-z]{2,}")
_QUESTION_WORD: Final = re.compile(
    r"\W*(?:(?:and|so|but|well|please|now|then|ok|do you (?:know|think))\W+)*(who|what|when|where|why|how)(?:\b|s\b)",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(r"\b(?:she|he|her|him|his|hers)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on texts are alike enough.

    Attributes:
        accept: A topic with such a score answers.
        adopt: A topic with a sample so near to an everyday wording is found by all wordings of its group.
    """

    accept: float
    adopt: float


MEANING: Final = Limits(accept=0.55, adopt=0.80)
"""For MiniLM's cosines: rather a deflection than a wrong answer."""
WORDS: Final = Limits(accept=0.45, adopt=0.90)
"""For the likeness of words."""


@dataclass(frozen=True, slots=True)
class Match:
    """A topic that may answer.

    Attributes:
        topic: Its id; that of a bark where ``bark`` is true.
        score: How well it fits.
        sample: The sample that is most like what was said.
        needs: The score that it takes to answer.
        asks: The sentence that it fits asks something.
        courtesy: It is about something said in passing, such as a greeting.
        more: The player asks for more of what this topic just said.
        bark: It is no topic of the author's; barks answer.
    """

    topic: str
    score: float
    sample: str
    needs: float = 0.0
    asks: bool = False
    courtesy: bool = False
    more: bool = False
    bark: bool = False


@dataclass(frozen=True, slots=True)
class _Samples:
    texts: tuple[str, ...]  # as they are compared
    shown: tuple[str, ...]  # as they were written
    groups: frozenset[str]


class Repertoire:
    """What one character can be asked, and how."""

    def __init__(self, persona: Persona, alike: Alike, limits: Limits) -> None:
        parts = [part for part in persona.name.split() if part[:1].isupper() and len(part) > 2]
        self.persona = persona
        self._names = tuple(dict.fromkeys((persona.name, *parts)))
        self._alike = alike
        self._limits = limits
        self._samples: dict[str, _Samples] = {}
        self._shared = _shared_names(persona, self._names)

    def texts(self) -> tuple[str, ...]:
        """All texts that will be compared with what players say, for an embedder to know beforehand."""
        found = [text for id in self.persona.topics for text in self._plain(id)]
        found += [wording for group in EVERYDAY.values() for wording in group]
        return tuple(dict.fromkeys(found))

    def find(self, text: str, facts: Mapping[str, Fact], said: Sequence[str] = ()) -> tuple[Match | None, list[Match]]:
        """The topic that answers, if one does, and what was considered, best first.

        Args:
            said: The character's latest lines to this player, newest last: what "why?" and "her" are about.
        """
        last = self._topic_of(said[-1], facts) if said else None
        if last is not None and is_follow_up(text) and self._has_more(last, said):
            return Match(last, 1.0, text.strip(), asks=True, more=True), []
        heard = sentences(text, self._names)
        match, considered = self._best(heard, facts)
        if match is None and last is not None and (name := _main_name(self.persona.topics[last])) is not None:
            heard = [named for sentence in heard if (named := _with_name(sentence, name)) is not None]
            match, more = self._best(heard, facts)
            considered = more or considered
        return match, considered

    def _best(self, heard: Sequence[Sentence], facts: Mapping[str, Fact]) -> tuple[Match | None, list[Match]]:
        ranked = [matches for matches in self._rank(heard, facts) if matches]
        considered = sorted((match for matches in ranked for match in matches[:3]), key=lambda match: -match.score)
        fitting = [matches[0] for matches in ranked if _clear(matches)]
        # Of all that was said, a question comes before a remark, and a courtesy last.
        fitting.sort(key=lambda match: (match.courtesy, not match.asks, -match.score))
        return (fitting[0] if fitting else None), considered

    def _rank(self, heard: Sequence[Sentence], facts: Mapping[str, Fact]) -> Iterator[list[Match]]:
        """For each sentence the open topics, best first."""
        known = self._open(facts)
        texts = [text for samples in known.values() for text in samples.texts]
        table = self._alike([self._bare(sentence.text) for sentence in heard], texts) if heard and texts else ()
        for sentence, row in zip(heard, table, strict=False):
            word, matches, start = _question_word(sentence.text), [], 0
            for id, samples in known.items():
                scores = [
                    score - _OTHER_QUESTION if word and (other := _question_word(text)) and other != word else score
                    for score, text in zip(row[start : start + len(samples.texts)], samples.texts, strict=True)
                ]
                start += len(samples.texts)
                top = sorted(scores, reverse=True)[:3]
                courtesy = bool(samples.groups & COURTESIES)
                matches.append(
                    Match(
                        id,
                        score=_BEST * top[0] + (1 - _BEST) * sum(top) / len(top),
                        sample=samples.shown[scores.index(top[0])],
                        needs=self._limits.accept + _COURTESY * courtesy,
                        asks=sentence.asks,
                        courtesy=courtesy,
                        bark=id not in self.persona.topics,
                    )
                )
            yield sorted(matches, key=lambda match: -match.score)

    def _open(self, facts: Mapping[str, Fact]) -> dict[str, _Samples]:
        ids = [id for id, topic in self.persona.topics.items() if is_open(topic.when, facts)]
        self._learn([id for id in ids if id not in self._samples])
        known = {id: self._samples[id] for id in ids}
        covered = frozenset[str]().union(*(samples.groups for samples in known.values()))
        for group in _BARKED:
            if group not in covered:
                known[group if group not in known else f"{group}_bark"] = _Samples(
                    EVERYDAY[group], EVERYDAY[group], frozenset([group])
                )
        return known

    def _learn(self, ids: Sequence[str]) -> None:
        """Gives topics the everyday wordings that go with their samples."""
        if not ids:
            return
        asks = {id: self._plain(id) for id in ids}
        table = self._alike(PLAINEST, [text for texts in asks.values() for text in texts])
        start = 0
        for id, texts in asks.items():
            groups: dict[str, None] = {}
            for n in range(start, start + len(texts)):
                nearest = max(range(len(table)), key=lambda wording: table[wording][n])
                if table[nearest][n] >= self._limits.adopt:
                    groups[_GROUPS[nearest // HEAD]] = None
            start += len(texts)
            wordings = [wording for group in groups for wording in EVERYDAY[group]]
            compared = dict(zip((*texts, *wordings), (*self.persona.topics[id].asks, *wordings), strict=True))
            self._samples[id] = _Samples(tuple(compared), tuple(compared.values()), frozenset(groups))

    def _plain(self, id: str) -> tuple[str, ...]:
        return tuple(self._bare(plain(ask, self._names)) for ask in self.persona.topics[id].asks)

    def _bare(self, text: str) -> str:
        """The text without the names that tell no topic from another."""
        return text if self._shared is None else self._shared.sub(_ANYBODY, text)

    def _has_more(self, id: str, said: Sequence[str]) -> bool:
        topic = self.persona.topics[id]
        return any(line not in said for line in (*topic.again, *topic.says))

    def _topic_of(self, line: str, facts: Mapping[str, Fact]) -> str | None:
        for id, topic in self.persona.topics.items():
            if line in topic.says or line in topic.again:
                return id if is_open(topic.when, facts) else None
        return None


def _shared_names(persona: Persona, own: Sequence[str]) -> re.Pattern[str] | None:
    """The names that so many topics speak of that they tell none from another: of a girl who is missing, say."""
    counts = Counter(
        name for topic in persona.topics.values() for name in {n for ask in topic.asks for n in _NAME.findall(ask)}
    )
    least = max(4, _SHARED * len(persona.topics))
    names = [name for name, count in counts.items() if count >= least and name not in own]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE) if names else None


def _main_name(topic: Topic) -> str | None:
    """The proper name that a topic is about: most of its samples that name anybody name this one."""
    names = Counter(name for ask in topic.asks for name in set(_NAME.findall(ask)))
    if not names:
        return None
    name, count = names.most_common(1)[0]
    return name if count >= 2 else None


def _with_name(sentence: Sentence, name: str) -> Sentence | None:
    """How the sentence reads when he or she is the one who was spoken of; ``None`` if it speaks of nobody."""
    if not _PRONOUN.search(sentence.text) or _NAME.search(sentence.text):
        return None
    return replace(sentence, text=_PRONOUN.sub(name, sentence.text))


def _clear(ranked: Sequence[Match]) -> bool:
    """Whether the best topic fits well enough, and enough better than the next."""
    lead = ranked[0].score - ranked[1].score if len(ranked) > 1 else _LEAD
    return ranked[0].score >= ranked[0].needs + max(0.0, _LEAD - lead)


@lru_cache(maxsize=8192)
def _question_word(text: str) -> str:
    found = _QUESTION_WORD.match(text)
    return found[1].lower() if found is not None else ""
