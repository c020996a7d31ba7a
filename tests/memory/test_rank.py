"""Finding memories by their words, and by how new they are."""

import random

from hypothesis import given
from hypothesis import strategies as st

from townsfolk.memory.rank import WordIndex, words


def found(index, text, k=3):
    return [hit.doc for hit in index.search(words(text), k)]


def test_words_fold_endings_and_drop_what_says_nothing():
    assert words("Is the miller's daughter mending nets?") == words("miller daughter mends net")
    assert words("the of and is") == []
    assert words("glass") == ["glass"]
    assert words("橋が壊れた") == ["橋が", "が壊", "壊れ", "れた"]
    assert words("Größe, naïve") == ["größe", "naïve"]


def test_the_memory_that_shares_rare_words_comes_first():
    index = WordIndex()
    for text in ["The lamp is dark", "The lamp is lit", "The oil boat is late", "The lamp needs oil"]:
        index.add(text)
    assert found(index, "What about the oil boat?")[0] == 2
    assert set(found(index, "lamp oil", 4)[:1]) == {3}
    assert found(index, "horses") == []


def test_of_two_that_fit_as_well_the_newer_comes_first():
    index = WordIndex()
    for n in range(50):
        index.add("the bridge is broken" if n in (3, 40) else f"filler {n}")
    assert found(index, "bridge", 2) == [40, 3]


def test_relevance_beats_recency():
    index = WordIndex()
    index.add("Mara hid the silver key under the mill")
    for n in range(300):
        index.add(f"a key was mentioned on day {n}")
    assert found(index, "where did Mara hide the silver key")[0] == 0


def test_only_what_is_allowed_is_found():
    index = WordIndex()
    for _ in range(5):
        index.add("a secret")
    assert [hit.doc for hit in index.search(words("secret"), 5, lambda doc: doc == 2)] == [2]


@given(st.lists(st.text(max_size=40), max_size=30), st.text(max_size=40), st.integers(0, 10))
def test_any_text_can_be_kept_and_asked(texts, query, k):
    index = WordIndex()
    for text in texts:
        index.add(text)
    hits = index.search(words(query), k)
    assert len(hits) <= k and len({hit.doc for hit in hits}) == len(hits)
    assert all(set(words(texts[hit.doc])) & set(words(query)) for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_known_line_is_found_among_a_thousand():
    rng, index = random.Random(7), WordIndex()
    vocabulary = [f"word{n}" for n in range(400)]
    texts = [" ".join(rng.choices(vocabulary, k=8)) for _ in range(1000)]
    for text in texts:
        index.add(text)
    missed = sum(found(index, text, 1) != [n] for n, text in enumerate(texts))
    assert missed == 0, f"N=1000 seed=7: {missed} missed"
