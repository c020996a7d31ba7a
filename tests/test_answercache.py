"""Answers are found again for the same question in the same state of things, and never across what is private."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk.answercache import Answer, AnswerCache, Question, facts_read
from townsfolk.lore import Lore, World
from townsfolk.memory.recall import Recalled
from townsfolk.memory.record import Memory
from townsfolk.persona import Persona
from townsfolk.prompt import build, stable_parts

BARKS = dict.fromkeys(("greeting", "thinking", "busy", "offline", "farewell", "deflect"), "Hm.")
ANN = Persona.model_validate(
    {
        "id": "ann", "name": "Ann Vale", "description": "A", "manner": "B", "barks": BARKS,
        "secrets": [{"fact": "She did it.", "when": {"trust": {"at_least": 3}}}],
    }
)  # fmt: skip
WORLD = World(name="w", description="d", lore={"slide": Lore(text="A slide.", keys=("slide",), when={"spring": True})})
READS = facts_read(ANN, WORLD)


def memory(text: str, player: str | None, kind: Any = "heard") -> Memory:
    return Memory("ann", kind, player or "", text, 1.0, player=player)


def asked(text: str, player: str = "ana", *, talk: Any = (), recalled: Any = (), facts: Any = None, **more: Any) -> Any:
    persona = more.pop("persona", ANN)
    prompt = build(
        stable_parts(persona, WORLD), text, talk=talk, memories=[Recalled(each, 1.0, ()) for each in recalled]
    )
    return Question.of(persona, prompt, facts or {}, text, player, reads=READS, **more)


def found(first: Question, then: Question, **options: Any) -> bool:
    cache = AnswerCache(**options)
    cache.keep(first, Answer("He did.", "big"), 0.0)
    return cache.find(then, 1.0) is not None


Q = "Who caused the slide?"


def test_the_same_question_has_its_answer_also_for_another_player() -> None:
    assert found(asked(Q), asked(Q)) and found(asked(Q), asked(Q, "ben"))
    assert found(asked(Q), asked("Ann, who caused a slide then?", "ben"))  # a name called, fillers


@pytest.mark.parametrize(
    "then",
    [
        asked("Who cleared the slide?"),
        asked("What caused the slide?"),
        asked(Q, facts={"trust": 3}),
        asked(Q, facts={"spring": True}),
        asked(Q, actions=("give",)),
        asked(Q, recalled=[memory("The bridge fell.", None, "observed")]),
        asked(Q, persona=ANN.model_copy(update={"id": "bo"})),
        asked(Q, persona=ANN.model_copy(update={"manner": "C"})),
    ],
    ids=[
        "another verb",
        "another question word",
        "a gate",
        "lore's gate",
        "an action",
        "an event",
        "an npc",
        "a persona",
    ],
)
def test_what_the_answer_stands_on_decides(then: Question) -> None:
    assert not found(asked(Q), then)


def test_facts_that_no_gate_reads_do_not_matter() -> None:
    assert found(asked(Q, facts={"weather": "rain"}), asked(Q, facts={"weather": "sun"}))


def test_what_two_have_talked_about_is_theirs() -> None:
    talk = [memory("I stole the bell.", "ana"), memory("I shall not tell.", "ana", "said")]
    private = asked(Q, "ana", talk=talk)
    assert not found(private, asked(Q, "ben"))
    assert not found(private, asked(Q, "ben", talk=[memory("Hello.", "ben")]))
    assert found(private, asked(Q, "ana", talk=[*talk, memory("And?", "ana")]))
    assert not found(asked(Q, "ana", recalled=[memory("I stole the bell.", "ana")]), asked(Q, "ben"))


@pytest.mark.parametrize("text", ["Who killed my brother?", "Do you like me?", "What does ana owe?", "Where are we?"])
def test_so_is_what_players_say_of_themselves(text: str) -> None:
    assert not found(asked(text, "ana"), asked(text, "ben"))
    assert found(asked(text, "ana"), asked(text, "ana"))


@pytest.mark.parametrize("text", ["And why?", "Who?", "", "???"])
def test_what_makes_sense_only_after_something_else_is_not_kept(text: str) -> None:
    assert not found(asked(text), asked(text))


def test_who_he_is_depends_on_the_talk() -> None:
    talk = [memory("Tell me of Bram.", "ana")]
    assert not found(asked("Where does he live?", talk=talk), asked("Where does he live?", talk=talk))


def test_an_answer_grows_old() -> None:
    cache = AnswerCache(seconds=10)
    cache.keep(asked(Q), Answer("He did.", "big"), 0.0)
    assert cache.find(asked(Q), 9.9) is not None and cache.find(asked(Q), 10.0) is None and len(cache) == 0


def test_likeness_alone_is_not_trusted() -> None:
    cache = AnswerCache(alike=0.9)
    cache.keep(asked("Did she go up the hill?"), Answer("Up.", "big"), 0.0)
    cache.keep(asked("Did Bram hit Nell?"), Answer("He did.", "big"), 0.0)
    for other in ("Did she go down the hill?", "Did she not go up the hill?", "Why did she go up the hill?"):
        assert cache.near(asked(other)) == []
    assert cache.near(asked("Did Nell hit Bram?")) == []
    then = asked("Did she go up the green hill?")
    [kept] = cache.near(then)
    assert cache.find_alike(then, {kept: 0.95}, 1.0).text == "Up."
    assert cache.find_alike(then, {kept: 0.89}, 1.0) is None
    assert cache.find_alike(asked("A fine day?"), {kept: 0.99}, 1.0) is None


def test_it_stays_small() -> None:
    cache = AnswerCache(most=50)
    for n in range(500):
        cache.keep(asked(f"What of the year {n}?", f"p{n % 7}"), Answer(str(n), "big"), 0.0)
        assert len(cache) <= 50
    assert cache.find(asked("What of the year 499?"), 1.0).text == "499"
    assert not AnswerCache(most=0).keep(asked(Q), Answer("x", "big"), 0.0)


players = st.sampled_from(["ana", "ben"])
lines = st.sampled_from([Q, "Where is the bell?", "Who is my friend?", "Do you know the mill?"])


@given(st.lists(st.tuples(players, lines, st.booleans(), st.booleans()), max_size=30))
def test_nobody_hears_what_was_answered_with_anothers_private_things(steps: Any) -> None:
    """An answer carries whose private things it was made with; it must never reach the other."""
    cache = AnswerCache()
    for player, text, talked, trusted in steps:
        talk = [memory(f"The secret of {player}.", player)] if talked else []
        question = asked(text, player, talk=talk, facts={"trust": 3 if trusted else 0})
        if (got := cache.find(question, 1.0)) is not None:
            of, state = got.text.split("/")
            assert of in ("nobody", player) and state == str(trusted)
        else:
            private = talked or "my" in text
            cache.keep(question, replace(Answer("", "big"), text=f"{player if private else 'nobody'}/{trusted}"), 0.0)
