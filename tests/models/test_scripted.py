"""Scripted: which reply is said, what happens in it, and what is told of a script with mistakes."""

from __future__ import annotations

import asyncio
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from townsfolk.errors import ModelError, UsageError
from townsfolk.models import scripted
from townsfolk.models.base import Call, Mood, Request, Spoken, Text
from townsfolk.models.scripted import Fail, Reply, Scripted, Wait


def said(model: Scripted, request: Request) -> str:
    pieces: list[str] = []
    asyncio.run(model.speak(request, lambda event: pieces.append(event.text) if isinstance(event, Text) else None))
    return "".join(pieces)


def test_replies_in_turn_and_again_from_the_start(ask: Any) -> None:
    model = Scripted(["One.", "Two, then."])
    assert [said(model, ask()) for _ in range(5)] == ["One.", "Two, then.", "One.", "Two, then.", "One."]


def test_words_come_one_by_one(ask: Any, heard: Any) -> None:
    spoken = asyncio.run(Scripted("The old  road is shut.").speak(ask(), heard))
    assert heard == [Text("The "), Text("old  "), Text("road "), Text("is "), Text("shut.")]
    assert spoken == Spoken("scripted")


def test_a_fitting_reply_comes_first(ask: Any) -> None:
    script = {"mine": "It is shut.", "/^is .* safe/": "Nothing is.", "/beer|ale/": "Two coppers."}
    model = Scripted(script)
    assert said(model, ask("Tell me of the MINE")) == "It is shut."
    assert said(model, ask("Is the road safe?")) == "Nothing is."
    assert said(model, ask("An ale!")) == "Two coppers."
    mixed = Scripted([{"when": "a.b", "say": "Dots are dots."}, "Otherwise."])
    assert said(mixed, ask("a.b")) == "Dots are dots." and said(mixed, ask("axb")) == "Otherwise."


def test_without_a_script_the_seed_picks_a_bark(ask: Any, persona: Any, heard: Any) -> None:
    lines = [said(Scripted(), ask("xyzzy", seed=seed)) for seed in range(6)]
    assert lines == list(persona.barks.deflect) * 2
    assert asyncio.run(Scripted({"mine": "x"}).speak(ask("beer"), heard)).reason == "bark"


def test_everything_that_a_line_may_hold(ask: Any, heard: Any) -> None:
    model = Scripted.from_data(
        [["Well, ", {"emotion": "sad"}, "gone. ", {"gesture": "shrug"}, {"call": "ring", "args": {"n": 2}},
          {"call": "open"}, {"wait": 0.2}, "Bye."]]
    )  # fmt: skip
    began = time.monotonic()
    asyncio.run(model.speak(ask(), heard))
    assert time.monotonic() - began >= 0.2
    assert heard == [
        Text("Well, "), Mood("emotion", "sad"), Text("gone. "), Mood("gesture", "shrug"),
        Call("call-4", "ring", {"n": 2}), Call("call-5", "open", {}), Text("Bye."),
    ]  # fmt: skip


def test_it_fails_where_it_is_told_to(ask: Any, heard: Any) -> None:
    model = Scripted([Reply.of("Two words", Fail("quota", fatal=True), "never")])
    with pytest.raises(ModelError) as caught:
        asyncio.run(model.speak(ask(), heard))
    assert (caught.value.code, caught.value.fatal, heard.text) == ("quota", True, "Two words")


def test_a_reply_without_words_is_an_empty_one(ask: Any, heard: Any) -> None:
    with pytest.raises(ModelError) as caught:
        asyncio.run(Scripted([Reply((Wait(0.0),))]).speak(ask(), heard))
    assert caught.value.code == "empty_reply"


def test_the_pace(ask: Any, heard: Any) -> None:
    began = time.monotonic()
    asyncio.run(Scripted(["a b c d"], pace_s=0.05).speak(ask(), heard))
    assert time.monotonic() - began >= 0.2


def test_a_script_in_a_file(tmp_path: Path, ask: Any) -> None:
    file = tmp_path / "lines.yaml"
    file.write_text(
        "pace_s: 0\nreplies:\n  - Evening.\n  - when: mine\n    say: [Shut., {wait: 0}]\n", encoding="utf-8"
    )
    model = Scripted.from_file(file)
    assert said(model, ask("Hello")) == "Evening." and said(model, ask("the mine")) == "Shut."
    assert asyncio.run(model.health()).detail == "2 scripted replies"


def test_the_script_in_the_docstring_runs(ask: Any) -> None:
    assert scripted.__doc__ is not None
    script = textwrap.dedent(scripted.__doc__.partition("::\n")[2])
    model = Scripted.from_data(yaml.safe_load(script))
    assert said(model, ask("Hello")) == "Evening."
    assert said(model, ask("The mine")) == "The mine? Shut."
    with pytest.raises(ModelError, match="timeout"):
        said(model, ask("the bridge"))


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (3, "list of replies"),
        ([3], r"replies\[0\]"),
        ([{"answer": "x"}], r"replies\[0\]"),
        ([{"say": "x", "whn": "y"}], "'whn'"),
        ([["a", {"wait": -1}]], r"replies\[0\]\[1\]"),
        ([["a", {"wait": "long"}]], r"replies\[0\]\[1\]"),
        ([["a", {"call": "x", "args": 3}]], r"replies\[0\]\[1\]"),
        ([["a", {"fail": "nonsense"}]], "no error code"),
        ({"/(/": "x"}, "regular expression"),
        ({"replies": ["x"], "pace": 1}, "'pace'"),
        ({"replies": ["x"], "pace_s": "slow"}, "pace_s"),
    ],
)
def test_a_mistake_has_its_place(script: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        Scripted.from_data(script)
    assert caught.value.code == "bad_argument" and "docs/models.md" in caught.value.hint


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "lines.yaml"
    broken.write_text("replies: [", encoding="utf-8")
    for path in (tmp_path / "none.yaml", broken):
        with pytest.raises(UsageError, match=path.name):
            Scripted.from_file(path)


def test_the_script_in_the_docs_runs(ask: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    model = Scripted.from_data(yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0]))
    assert said(model, ask("Hello")) == "Evening."
    assert said(model, ask("The mine")) == "The mine? Shut. Go home."
    with pytest.raises(ModelError, match="timeout"):
        said(model, ask("the bridge"))
