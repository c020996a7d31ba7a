"""The catalogue is sound data: one entry a name, successors that exist, and unknown prices that are None, not zero."""

from __future__ import annotations

import json

import pytest

from townsfolk.catalogue import REALTIME, TEXT, as_of, catalogue, find, sees
from townsfolk.errors import UsageError

CATALOGUE = list(catalogue().values())


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
        assert entry.shutdown is None or entry.shutdown > as_of()


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


def own(tmp_path, monkeypatch, text):
    file = tmp_path / "catalogue.json"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("TOWNSFOLK_CATALOGUE", str(file))
    return file


def test_a_file_of_ones_own_adds_models_and_replaces_prices(tmp_path, monkeypatch):
    entries = [
        {"name": "my-model", "kind": "text", "text": [0.05, 0.01, 0.15], "sees": True, "shutdown": "2030-01-01"},
        {"name": TEXT, "kind": "text", "text": [9, 9, 9]},
    ]
    own(tmp_path, monkeypatch, json.dumps({"models": entries}))
    mine = find("my-model")
    assert (mine.text.input, mine.text.output, mine.shutdown.year, sees("my-model")) == (0.05, 0.15, 2030, True)
    assert find(TEXT).text.input == 9 and find(REALTIME).text.input == 0.60


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ([{"kind": "text"}], "models[0]: a model with a `name`"),
        ([{"name": "a", "kind": "txt"}], "models[0] (a): `kind` is one of realtime, text, ear"),
        ([{"name": "a", "kind": "text", "prize": 1}], "there is no 'prize'; known: "),
        ([{"name": "a", "kind": "text", "text": [1, 2]}], "models[0] (a): text: a list of 3 prices"),
        ([{"name": "a", "kind": "text", "text": [1, True, 2]}], "a list of 3 prices"),
        ([{"name": "a", "kind": "text", "image": [1, -2]}], "a list of 2 prices"),
        ([{"name": "a", "kind": "text", "context": "big"}], "models[0] (a): context: a number"),
        ([{"name": "a", "kind": "text", "shutdown": "soon"}], "models[0] (a): shutdown: a day such as"),
        ("none", "a map with a list of `models`"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_place(tmp_path, monkeypatch, models, says):
    file = own(tmp_path, monkeypatch, json.dumps({"models": models}))
    with pytest.raises(UsageError) as caught:
        catalogue()
    assert caught.value.code == "bad_catalogue" and says in str(caught.value) and str(file) in str(caught.value)


def test_a_file_that_is_no_json_is_told(tmp_path, monkeypatch):
    own(tmp_path, monkeypatch, "models:")
    with pytest.raises(UsageError, match="cannot be read as JSON"):
        catalogue()
