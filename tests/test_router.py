"""Which models speak, in which order."""

import pytest

from townsfolk.errors import UsageError
from townsfolk.router import ladder


@pytest.mark.parametrize(
    ("model", "key", "local", "rungs"),
    [
        ("auto", False, False, ("topics", "deflect")),
        ("auto", False, True, ("topics", "local", "deflect")),
        ("auto", True, False, ("realtime", "topics", "deflect")),
        ("auto", True, True, ("realtime", "topics", "local", "deflect")),
        ("authored", True, True, ("topics", "deflect")),
        ("realtime", False, False, ("realtime",)),
        ("scripted:a/b.yaml", False, False, ("scripted:a/b.yaml",)),
    ],
)
def test_ladders(model, key, local, rungs):
    assert ladder(model, key=key, local=local) == rungs


def test_a_model_that_is_none_is_told_with_those_that_are():
    with pytest.raises(UsageError) as caught:
        ladder("gpt", key=True, local=True)
    assert caught.value.code == "no_such_model" and "realtime" in caught.value.hint
