"""What a player says, taken apart."""

import pytest

from townsfolk.phrases import is_follow_up, plain, sentences


def texts(text: str, names: tuple[str, ...] = ()) -> list[str]:
    return [sentence.text for sentence in sentences(text, names)]


def test_sentences_come_apart_and_stand_together() -> None:
    assert texts("Hello. Is the road safe?") == ["Hello.", "Is the road safe?", "Hello. Is the road safe?"]
    assert texts("one\ntwo") == ["one", "two", "one two"]
    assert texts("Is the road safe?") == ["Is the road safe?"]


def test_a_number_with_a_point_is_no_end() -> None:
    assert texts("It cost 3.50 in Carrow") == ["It cost 3.50 in Carrow"]


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "\n\n", "🙂"])
def test_nothing_said_gives_nothing(text: str) -> None:
    assert sentences(text) == []


def test_of_a_long_speech_the_beginning_and_the_end_count() -> None:
    found = texts(" ".join(f"Number {n}." for n in range(500)))
    assert found == ["Number 0.", "Number 1.", *(f"Number {n}." for n in range(494, 500))]


def test_what_a_player_plays_is_not_what_is_said() -> None:
    assert texts("*leans on the counter* Where is she?") == ["Where is she?"]
    assert texts("Well. *sighs* Go on.") == ["Well.", "Go on.", "Well. Go on."]
    assert texts("*nods slowly*") == ["*nods slowly*"]
    assert texts("2 * 3 is 6") == ["2 * 3 is 6"]


def test_what_asks_is_known_without_a_question_mark() -> None:
    asks = {text: sentences(text)[0].asks for text in ("who are you", "And where is she", "I am lost", "so it is")}
    assert asks == {"who are you": True, "And where is she": True, "I am lost": False, "so it is": False}


def test_calling_somebody_by_name_asks_nothing() -> None:
    names = ("Mara Venn", "Mara", "Venn")
    assert plain("Mara, is the road safe?", names) == "is the road safe?"
    assert plain("Is the road safe, Mara Venn?", names) == "Is the road safe?"
    assert plain("Who is Mara?", names) == "Who is Mara?"
    assert plain("Mara!", names) == "Mara!"
    assert plain("Maraschino, please", names) == "Maraschino, please"


@pytest.mark.parametrize(
    "text", ["why?", "And then?", "go on...", "Tell me more!", "oh really?", "Well, go on", "How so?", "Why’s that?"]
)
def test_follow_ups_are_known(text: str) -> None:
    assert is_follow_up(text)


@pytest.mark.parametrize("text", ["", "?", "why is the road closed?", "hello", "more ale", "how are you", "and you?"])
def test_what_has_a_subject_is_no_follow_up(text: str) -> None:
    assert not is_follow_up(text)
