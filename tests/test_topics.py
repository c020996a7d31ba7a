"""Which topic answers. Likeness is by words here, so that each case can be read; test_authored.py uses meaning."""

from typing import Any

import pytest

from townsfolk.everyday import EVERYDAY, HEAD
from townsfolk.persona import Persona
from townsfolk.topics import WORDS, Repertoire
from townsfolk.wordmatch import likeness

BARKS = {kind: ["Hm."] for kind in ("greeting", "thinking", "busy", "offline", "farewell", "deflect")}
TOPICS: dict[str, Any] = {
    "mine_road": {"asks": ["Is the mine road safe?", "Can I walk up to the mine?"], "says": ["Goats use it.", "No."]},
    "linnet": {
        "asks": ["Where is Linnet?", "Who saw Linnet last?", "What sort of girl is Linnet?"],
        "says": ["Gone."],
        "when": {"found": False},
    },
    "linnet_home": {"asks": ["Where is Linnet?"], "says": ["Home."], "when": {"found": True}},
    "name": {"asks": ["What's your name?", "Are you Mara Venn?"], "says": ["Mara."]},
    "beer": {"asks": ["Mara, pour me a dark beer"], "says": ["Here."]},
    "thanks": {"asks": ["Thank you"], "says": ["Never mind."]},
}
FACTS = {"found": False}


def repertoire(**more: Any) -> Repertoire:
    parts = {"id": "mara", "name": "Mara Venn", "description": "An innkeeper.", "manner": "Dry."}
    persona = Persona.model_validate({**parts, "barks": BARKS, "topics": TOPICS, **more})
    return Repertoire(persona, likeness, WORDS)


def found(text: str, said: tuple[str, ...] = (), facts: dict[str, Any] = FACTS, **more: Any) -> str | None:
    match, _ = repertoire(**more).find(text, facts, said)
    return None if match is None else match.topic


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("is the mine road safe", "mine_road"),
        ("Where's Linnet?", "linnet"),
        ("Pour me a dark beer, Mara.", "beer"),
        ("purple monkey dishwasher", None),
        ("...", None),
        ("", None),
    ],
)
def test_the_topic_that_is_meant(text: str, topic: str | None) -> None:
    assert found(text) == topic


def test_a_shut_topic_does_not_exist() -> None:
    assert found("Where is Linnet?", facts={"found": True}) == "linnet_home"
    assert found("Where is Linnet?", facts={}) is None
    assert found("Where is Linnet?") == "linnet"


def test_everyday_wordings_find_the_topic_that_samples_one_of_them() -> None:
    assert found("Much obliged") == "thanks"
    assert found("Who am I speaking with?") == "name"
    assert found("I'm starving, what have you got?") is None  # no topic here samples anything about food


def test_barks_answer_greeting_and_farewell_where_no_topic_does() -> None:
    match, _ = repertoire().find("Good day", FACTS)
    assert match is not None
    assert (match.topic, match.bark) == ("greeting", True)
    assert found("See you around") == "farewell"
    match, _ = repertoire(topics={"hello": {"asks": ["Hello"], "says": ["Hi."]}}).find("Good day", FACTS)
    assert match is not None
    assert (match.topic, match.bark) == ("hello", False)


def test_a_topic_may_be_called_as_a_bark_is() -> None:
    match, _ = repertoire(topics={"greeting": {"asks": ["Tell me of bees"], "says": ["They hum."]}}).find("Hello", {})
    assert match is not None
    assert match.bark


def test_a_persona_without_topics_has_its_barks() -> None:
    assert found("Hello", topics={}) == "greeting"
    assert found("Is the mine road safe?", topics={}) is None


def test_a_question_is_answered_before_a_courtesy() -> None:
    assert found("Thank you. Is the mine road safe?") == "mine_road"
    assert found("Is the mine road safe? Thank you!") == "mine_road"
    assert found("Thank you! Purple monkey dishwasher.") == "thanks"


def test_a_follow_up_is_about_what_was_just_said() -> None:
    match, _ = repertoire().find("why?", FACTS, ("Goats use it.",))
    assert match is not None
    assert (match.topic, match.more) == ("mine_road", True)
    assert found("why?", ("Goats use it.", "No.")) is None  # nothing is left to say
    assert found("why?", ("Something a language model said.",)) is None
    assert found("why?") is None
    assert found("why?", ("Home.",)) is None  # its topic is shut now


def test_she_is_the_one_who_was_spoken_of() -> None:
    assert found("Where is she?", ("Gone.",)) == "linnet"
    assert found("Where is she?") is None
    assert found("Where is she?", ("Goats use it.",)) is None
    assert found("Is she safe on the mine road?", ("Gone.",)) == "mine_road"  # as it was said it fits already


def test_between_two_guesses_neither_is_taken() -> None:
    two = {"door": {"asks": ["The red door"], "says": ["I."]}, "gate": {"asks": ["The red gate"], "says": ["He."]}}
    match, considered = repertoire(topics=two).find("The red barn", {})
    assert match is None
    assert considered[0].score == pytest.approx(considered[1].score)
    assert considered[0].score > considered[0].needs
    assert found("The red door", topics=two) == "door"


def test_who_is_not_why() -> None:
    two = {"why": {"asks": ["Why open the mine?"], "says": ["Silver."]}, "who": {"asks": ["Who opened the mine?"],
           "says": ["She."]}}  # fmt: skip
    assert found("who opens the mine", topics=two) == "who"
    assert found("well, why open the mine", topics=two) == "why"
    bare = repertoire(topics=two).find("Why opened the mine?", {})[1]
    assert [match.topic for match in bare[:2]] == ["why", "who"]


def test_a_courtesy_must_fit_better() -> None:
    needs = {match.topic: match.needs for match in repertoire().find("Thank you, is the mine road safe?", FACTS)[1]}
    assert needs["thanks"] > needs["mine_road"] == WORDS.accept


def test_all_texts_are_told_beforehand() -> None:
    texts = repertoire().texts()
    assert {"Is the mine road safe?", "Where is Linnet?", "pour me a dark beer", "Much obliged"} <= set(texts)
    assert len(texts) == len(set(texts))


def test_the_phrase_book_is_in_order() -> None:
    wordings = [wording for group in EVERYDAY.values() for wording in group]
    assert len(wordings) == len(set(wordings))
    assert all(
        len(group) > HEAD and all(wording.strip() == wording for wording in group) for group in EVERYDAY.values()
    )
