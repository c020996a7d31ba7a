"""The catalogue is sound data: one entry a name, successors that exist, and unknown prices that are None, not zero."""

from __future__ import annotations

from townsfolk.catalogue import AS_OF, CATALOGUE, REALTIME, TEXT, find


def test_each_name_is_there_once_and_successors_lead_to_models_that_are_served():
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)
    for entry in CATALOGUE:
        if entry.successor is not None:
            successor = find(entry.successor)
            assert successor in CATALOGUE and successor.successor is None and successor.kind == entry.kind


def test_prices_are_sane():
    for entry in CATALOGUE:
        for price in (entry.text, entry.audio):
            assert price is None or 0 < price.cached <= price.input <= price.output
        assert entry.shutdown is None or entry.shutdown > AS_OF


def test_the_default_is_served_and_priced():
    entry = find(REALTIME)
    assert (entry.kind, entry.context, entry.shutdown, entry.successor) == ("realtime", 128_000, None, None)
    assert entry.text is not None and entry.text.input == 0.60


def test_the_text_default_is_served_and_priced():
    entry = find(TEXT)
    assert (entry.kind, entry.shutdown, entry.successor) == ("text", None, None) and entry.text is not None


def test_unknown_models_cost_nobody_knows_what():
    entry = find("my-own-realtime-model")
    assert (entry.kind, entry.text, entry.audio, entry.successor) == ("realtime", None, None, None)
    assert find("my-own-model").kind == "text"


def test_every_preview_model_has_its_successor():
    for name in ("gpt-4o-mini-realtime-preview", "gpt-4o-mini-realtime-preview-2024-12-17"):
        assert find(name).successor == REALTIME
    assert find("gpt-4o-mini-realtime-preview-2023-01-01").successor == REALTIME
