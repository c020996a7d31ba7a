"""Finds what matters among a character's memories: words they share with what is said now, and how new they are. Pure.

BM25 (Robertson & Zaragoza 2009, k1 = 1.2, b = 0.75) over postings kept in memory, with a small share for recency: on
held-out conversations relevance finds most old facts, and recency only breaks ties.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import heappush, heappushpop
from operator import itemgetter
from typing import Final

__all__ = ["Hit", "WordIndex", "words"]

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_STOP: Final = frozenset(
    "a about all also am an and any are as at be been but by can could did do does for from get go had has have he her"
    " here him his how i if in into is it its just know like me more my no not now of on one or our out say she so some"
    " tell than that the their them then there they this to up us was we were what when where which who why will with"
    " would you your".split()
)
_K1: Final = 1.2
_B: Final = 0.75
_RECENCY: Final = 0.15
"""The share of the best relevance that the newest memory gets on top."""
_HALF_LIFE: Final = 200
"""Memories after which that share has halved."""


def words(text: str) -> list[str]:
    """The words that count, folded to a common form: lower case, no possessive, no plural or common ending.

    A script without spaces (Chinese, Japanese, Thai) gives pairs of neighbouring characters.
    """
    found = []
    for word in _WORD.findall(text.lower()):
        if word.isascii():
            if word not in _STOP:
                found.append(_stem(word))
        elif "\u0e00" <= word[0] <= "\u0eff" or word[0] >= "\u2e80":
            found.extend(word[n : n + 2] for n in range(max(1, len(word) - 1)))
        else:
            found.append(word)
    return found


def _stem(word: str) -> str:
    if word.endswith("'s"):
        word = word[:-2]
    for ending, least in (("ing", 6), ("ed", 5), ("ies", 5), ("es", 5), ("s", 4)):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            stem = word[: -len(ending)]
            return stem + "y" if ending == "ies" else stem.rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that was found. ``reasons`` say why, in words, for `/why`."""

    doc: int
    score: float
    reasons: tuple[str, ...]


class WordIndex:
    """Postings of documents that are only ever added. Documents are numbered from 0 in the order they came."""

    def __init__(self) -> None:
        # word: documents, each with how often it has the word, and its length
        self._postings: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        self._count = 0
        self._total = 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> int:
        """Adds a document; returns its number."""
        doc = self._count
        counted = Counter(words(text))
        length = counted.total()
        for word, count in counted.items():
            self._postings[word][doc] = count, length
        self._count += 1
        self._total += length
        return doc

    def search(
        self, query: Mapping[str, float] | Iterable[str], k: int, allowed: Callable[[int], bool] = lambda _: True
    ) -> list[Hit]:
        """The best ``k`` documents that share a word with the query, best first.

        Args:
            query: Words as :func:`words` gives them, with a weight each where they differ.
            allowed: Which documents may be found at all.
        """
        weights = query if isinstance(query, Mapping) else dict.fromkeys(query, 1.0)
        count = self._count
        if not count or k < 1:
            return []
        mean = self._total / count or 1.0
        matched = {word: self._postings[word] for word in weights if word in self._postings}
        scores: dict[int, float] = {}
        for word, postings in matched.items():
            idf = math.log(1 + (count - len(postings) + 0.5) / (len(postings) + 0.5)) * weights[word]
            gains: dict[tuple[int, int], float] = {}  # few documents differ in what they gain by the word
            for doc, shape in postings.items():
                gain = gains.get(shape)
                if gain is None:
                    times, length = shape
                    gain = idf * times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * length / mean))
                    gains[shape] = gain
                scores[doc] = scores.get(doc, 0.0) + gain
        return [
            Hit(doc, score, (f"shares {', '.join(sorted(word for word in matched if doc in matched[word]))}",))
            for score, doc in _best(scores, count, k, allowed)
        ]


def _best(scores: Mapping[int, float], count: int, k: int, allowed: Callable[[int], bool]) -> list[tuple[float, int]]:
    """The best ``k`` of the documents that are allowed, with the share for recency. Looks at no more than it must."""
    best: list[tuple[float, int]] = []  # a heap: the least of them first
    bonus = 0.0
    for doc, score in sorted(scores.items(), key=itemgetter(1), reverse=True):
        if len(best) == k and score + bonus < best[0][0]:
            break  # not even the newest could come up from here on
        if not allowed(doc):
            continue
        if not best:
            bonus = _RECENCY * score  # the first is the most relevant
        found = score + bonus * 0.5 ** ((count - 1 - doc) / _HALF_LIFE), doc
        if len(best) < k:
            heappush(best, found)
        else:
            heappushpop(best, found)
    return sorted(best, reverse=True)
