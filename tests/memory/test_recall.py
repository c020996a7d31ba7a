"""What a character recalls, and whose."""

from townsfolk.memory.recall import Recall
from townsfolk.memory.record import Memory


def heard(text, player="ana", **more):
    return Memory("ada", "heard", player, text, 0.0, player=player, **more)


def said(text, player="ana", **more):
    return Memory("ada", "said", "ada", text, 0.0, player=player, **more)


def test_private_talk_is_not_recalled_for_another_player():
    recall = Recall([heard("My name is the Red Fox"), Memory("ada", "observed", "", "A red fox ran by", 0.0)])
    assert [each.memory.text for each in recall.find("red fox", "ben", 5)] == ["A red fox ran by"]
    assert len(recall.find("red fox", "ana", 5)) == 2


def test_the_talk_is_per_player_and_in_order():
    recall = Recall([heard("one"), said("two"), heard("other", "ben"), heard("three")])
    assert [memory.text for memory in recall.talk("ana", 2)] == ["two", "three"]
    assert recall.said("ana", 3) == ("two",) and recall.said("ben", 3) == ()
    assert recall.talk("nobody", 5) == []


def test_topics_that_answered_are_known():
    recall = Recall([said("x", topic="nets"), said("y", topic="lamp"), said("z", "ben", topic="wick")])
    assert recall.topics("ana") == ["nets", "lamp"]


def test_the_previous_line_gives_the_question_its_subject():
    recall = Recall([Memory("ada", "observed", "", "Mara left by the mill gate", 0.0), said("Mara? I saw her.")])
    talk = recall.talk("ana", 5)
    assert [each.memory.text for each in recall.find("and then?", "ana", 1, skip=talk)] == [
        "Mara left by the mill gate"
    ]


def test_what_is_shown_already_is_skipped():
    memory = heard("the blue door")
    recall = Recall([memory])
    assert recall.find("blue door", "ana", 3, skip=[memory]) == []


def test_newest_are_oldest_first():
    recall = Recall([heard(str(n)) for n in range(5)])
    assert [memory.text for memory in recall.newest(2)] == ["3", "4"]
    assert recall.newest(0) == [] and len(recall) == 5
