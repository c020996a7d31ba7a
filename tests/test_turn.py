"""A turn as a state machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townsfolk import ActionRequested, Cue, LineDelta, LineDone, LineFailed, LineStarted, LineThinking, ModelError
from townsfolk.turn import MAX_ACTIONS, Phase, Turn


def turn():
    return Turn("l1", "ada", "ana", "Hello")


def test_a_line_starts_once_grows_and_ends_with_all_its_text():
    t = turn()
    events = [*t.hear("  Good "), *t.hear(""), *t.hear("day.\n"), *t.finish("m", bark=False)]
    assert events == [
        LineStarted("l1", "ada"),
        LineDelta("l1", "ada", "Good "),
        LineDelta("l1", "ada", "day. "),
        LineDone("l1", "ada", "Good day. ", "complete", "m"),
    ]
    assert t.phase is Phase.DONE and t.over


def test_cues_and_actions_stand_where_the_line_is():
    t = turn()
    assert t.cue("emotion", "sad") == [Cue("l1", "ada", 0, "emotion", "sad")]
    t.hear("Here: ")
    assert t.act("give", {"item": "wick"}) == [ActionRequested("l1", "ada", 6, "l1/1", "give", {"item": "wick"})]


def test_a_model_in_a_loop_gets_four_actions():
    t = turn()
    assert sum(len(t.act("give", {})) for _ in range(100)) == MAX_ACTIONS


def test_a_thinking_bark_comes_once_and_never_after_a_word():
    t = turn()
    assert t.think("") == []
    assert t.think("Hm...") == [LineThinking("l1", "ada", "Hm...")]
    assert t.think("Hm...") == []
    assert t.hear("Well")[0] == LineStarted("l1", "ada") and t.shown == "Well"
    t = turn()
    t.hear("Well")
    assert t.think("Hm...") == []


def test_a_line_that_is_cut_keeps_what_was_shown():
    t = turn()
    t.hear("Well, ")
    assert t.cut("m") == [LineDone("l1", "ada", "Well, ", "interrupted", "m")]
    assert t.hear("more") == t.cut("m") == t.finish("m", bark=False) == t.act("x", {}) == t.cue("a", "b") == []


def test_a_failure_before_a_word_gives_a_bark_and_after_one_nothing():
    error = ModelError("timeout", "too slow")
    t = turn()
    assert t.fail(error, "Hm.") == [LineFailed("l1", "ada", "Hm.", "timeout", "too slow", error.hint)]
    t = turn()
    t.hear("Well")
    assert t.fail(error, "Hm.") == []


def test_a_line_without_a_word_cannot_be_finished():
    assert turn().finish("m", bark=False) == []


def test_what_was_shown_is_noted_at_most_every_half_second():
    t = turn()
    t.begin(10.0)
    assert not t.due(10.0, 0.5)
    t.hear("a")
    assert [now for now in (10.1, 10.5, 10.6, 11.0, 11.1) if t.due(now, 0.5)] == [10.5, 11.0]
    t.cut("m")
    assert not t.due(99, 0.5)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("hear"), st.text(max_size=12)),
            st.sampled_from([("finish",), ("cut",), ("fail",), ("cue",), ("act",)]),
        )
    )
)
def test_whatever_comes_a_turn_has_at_most_one_end_and_deltas_that_join_to_its_text(steps):
    t, events = turn(), []
    for step in steps:
        match step:
            case ("hear", text):
                events += t.hear(text)
            case ("finish",):
                events += t.finish("m", bark=False)
            case ("cut",):
                events += t.cut("m")
            case ("fail",):
                events += t.fail(ModelError("timeout", "x"), "Hm.")
            case ("cue",):
                events += t.cue("emotion", "sad")
            case ("act",):
                events += t.act("give", {})
    ends = [event for event in events if isinstance(event, LineDone | LineFailed)]
    assert len(ends) <= 1 and bool(ends) == t.over
    assert not ends or events[-1] is ends[0]
    shown = "".join(event.text for event in events if isinstance(event, LineDelta))
    assert shown == t.shown
    if ends and isinstance(ends[0], LineDone):
        assert ends[0].text == shown
    assert sum(isinstance(event, LineStarted) for event in events) == bool(shown)


def test_an_illegal_step_is_a_defect_that_shows():
    t = turn()
    with pytest.raises(AssertionError):
        t._to(Phase.DONE)
