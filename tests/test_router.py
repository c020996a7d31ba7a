"""Which models speak, in which order."""

import pytest

from townsfolk.errors import UsageError
from townsfolk.router import ladder


@pytest.mark.parametrize(
    ("model", "key", "second", "local", "rungs"),
    [
        ("auto", False, False, False, ("topics", "deflect")),
        ("auto", False, False, True, ("topics", "local", "deflect")),
        ("auto", True, False, False, ("realtime", "topics", "deflect")),
        ("auto", True, False, True, ("realtime", "topics", "local", "deflect")),
        ("auto", True, True, True, ("realtime", "text", "topics", "local", "deflect")),
        ("auto", False, True, False, ("topics", "deflect")),
        ("authored", True, True, True, ("topics", "deflect")),
        ("realtime", False, False, False, ("realtime",)),
        ("scripted:a/b.yaml", False, False, False, ("scripted:a/b.yaml",)),
    ],
)
def test_ladders(model, key, second, local, rungs):
    assert ladder(model, key=key, second=second, local=local) == rungs


def test_a_model_that_is_none_is_told_with_those_that_are():
    with pytest.raises(UsageError) as caught:
        ladder("gpt", key=True, second=True, local=True)
    assert caught.value.code == "no_such_model" and "realtime" in caught.value.hint
