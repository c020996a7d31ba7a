"""How alike sentences are by their words alone: for players without the embedder. Finds no paraphrase. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["likeness", "stems"]

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("ly", 5), ("s", 4))
_SHORT_FORMS = {"ve": "have", "re": "are", "ll": "will", "m": "am", "d": "would", "t": "not", "s": "is"}


def likeness(asked: Sequence[str], samples: Sequence[str]) -> list[list[float]]:
    """For each text asked, its likeness to each sample: the cosine of their words, the rarer ones weighing more."""
    bags = [_bag(sample) for sample in samples]
    spread = Counter(word for bag in bags for word in bag)
    # A word that no sample has counts as a rare one: a line of such words is like nothing here.
    weights = {word: math.log((len(bags) + 1) / (count + 0.5)) for word, count in spread.items()}
    rarest = math.log((len(bags) + 1) / 0.5)
    lengths = [_length(bag, weights, rarest) for bag in bags]
    table = []
    for text in asked:
        bag = _bag(text)
        length = _length(bag, weights, rarest)
        row = []
        for sample, other in zip(bags, lengths, strict=True):
            shared = sum(weights[word] ** 2 for word in bag.keys() & sample.keys())
            row.append(shared / (length * other) if shared else 0.0)
        table.append(row)
    return table


def _length(bag: Mapping[str, int], weights: Mapping[str, float], rarest: float) -> float:
    return math.sqrt(sum(weights.get(word, rarest) ** 2 for word in bag))


def stems(text: str) -> list[str]:
    """The words of a text in order, small and without their endings, short forms written out."""
    return [_stem(_SHORT_FORMS.get(word, word)) for word in _WORD.findall(text.lower())]


def _bag(text: str) -> Counter[str]:
    return Counter(stems(text))


def _stem(word: str) -> str:
    for ending, least in _ENDINGS:
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)].rstrip("e") + ("y" if ending == "ies" else "")
    return word.rstrip("e") if len(word) > 3 else word
