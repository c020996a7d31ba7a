"""How strongly a player feels about what he says: a small count of English words that tell it. Pure; no model.

What it is: about 200 words with a strength each, turned round by "not", raised by "very", by shouting and by
exclamation marks. What it is not: it knows no irony ("oh, wonderful"), no quotation ("she said she hates you"), no
other language, and no feeling that has none of its words ("she is gone"). It decides which model is asked, and nothing
that a player sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from townsfolk.wordmatch import stems

__all__ = ["Feeling", "feeling"]

_SAYS: Final[tuple[tuple[float, str], ...]] = (
    (-0.9, "murder murderer kill killed killer slaughter rape torture suicide massacre"),
    (-0.8, "hate despise loathe betray betrayed betrayal traitor agony despair hopeless horrify horrible monster"
           " dying"),
    (-0.7, "dead death die grief mourn heartbroken terrify terrified terror desperate furious rage evil cruel liar"
           " cheat revenge doomed damn curse bastard scum disgust disgusting unbearable"),
    (-0.6, "afraid scared fear angry anger cry weep sob tears alone lonely lost miss pain suffer suffering hurt wound"
           " threaten threat blame guilt guilty ashamed shame lie lying stole steal idiot fool stupid coward pathetic"
           " useless awful dread panic sorrow miserable broken orphan widow grave funeral"),
    (-0.35, "sad sorry worry worried upset regret wrong bad trouble problem sick ill tired poor nasty ugly terrible"
            " annoy annoyed bother jealous nervous sorrowful gloomy unfair"),
    (0.35, "glad nice good kind fine thank thanks please hope pretty lovely pleased welcome fun smile"),
    (0.6, "happy love loved beautiful wonderful joy proud grateful adore sweetheart darling dear brave trust amazing"
          " great delight marry marriage"),
    (0.8, "overjoyed ecstatic bliss saved rescued miracle beloved thrilled"),
)  # fmt: skip
_STRENGTH: Final = {word: value for value, words in _SAYS for word in stems(words)}
_NOT: Final = frozenset(stems("not never no nobody nothing without hardly cannot don doesn didn isn wasn won wouldn"))
_VERY: Final = frozenset(stems("very so really truly deeply utterly completely totally absolutely ever always all"))
_REACH: Final = 3
"""So many words after it a "not" still counts."""
_SHOUTED: Final = 0.7
"""Of the letters, so many are capitals when somebody shouts."""
_LETTERS: Final = 6


@dataclass(frozen=True, slots=True)
class Feeling:
    """What was found.

    Attributes:
        valence: From -1 (wretched) to 1 (glad).
        strength: How much feeling there is of either kind, from 0 to 1.
        words: The words that told it.
    """

    valence: float
    strength: float
    words: tuple[str, ...] = ()


def feeling(text: str) -> Feeling:
    """How strongly the speaker feels. Two words of feeling add up as chances do: 0.6 and 0.6 make 0.84."""
    heard = stems(text)
    calm, summed, told = 1.0, 0.0, []
    for n, word in enumerate(heard):
        value = _STRENGTH.get(word)
        if value is None:
            continue
        before = heard[max(0, n - _REACH) : n]
        if not _NOT.isdisjoint(before):
            value *= -0.5
        if before and before[-1] in _VERY:
            value *= 1.3
        calm *= 1 - min(1.0, abs(value))
        summed += value
        told.append(word)
    loud = 0.1 * min(3, text.count("!"))
    letters = [char for char in text if char.isalpha()]
    if len(letters) >= _LETTERS and sum(map(str.isupper, letters)) > _SHOUTED * len(letters):
        loud += 0.25
    strength = min(1.0, 1 - calm * (1 - loud))
    return Feeling(max(-1.0, min(1.0, summed)), strength, tuple(dict.fromkeys(told)))
