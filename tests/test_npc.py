"""One character at run time: what it is told, what it says, what it keeps."""

import asyncio
from pathlib import Path

import pytest

from townsfolk import (
    LineAccepted,
    LineAudio,
    LineDelta,
    LineDone,
    LineFailed,
    LineHeard,
    LineStarted,
    LineThinking,
    LineTiming,
    ModelError,
    StoreError,
)
from townsfolk.cast import load_cast
from townsfolk.memory.recall import Recall
from townsfolk.memory.record import Memory
from townsfolk.models.base import Audio, Call, Image, Spoken, Text, Timing
from townsfolk.models.scripted import Scripted
from townsfolk.npc import Npc
from townsfolk.pictures import Picture, Sight
from townsfolk.turn import Deadlines, Turn

CAST = load_cast(Path(__file__).parent / "cast")


class World:
    """A character with everything round it at hand."""

    def __init__(self, model=None, npc="ada", memories=(), facts=None, deadlines=Deadlines()):  # noqa: B008
        self.facts = {**{id: fact.start for id, fact in CAST.world.facts.items()}, **(facts or {})}
        self.kept, self.noted, self.closed, self.events = [], [], [], []
        self.fail = None
        self.now = 1000.0
        self.npc = Npc(
            CAST.personas[npc],
            CAST.world,
            Recall(memories),
            model or Scripted(["Knots all day."]),
            self.keep,
            facts=self.facts,
            clock=lambda: self.now,
            deadlines=deadlines,
        )

    def keep(self, memories=(), open_lines=(), closed=()):
        done = asyncio.get_running_loop().create_future()
        if self.fail:
            done.set_exception(self.fail)
            done.exception()
        else:
            self.kept += memories
            self.noted += [line.text for line in open_lines]
            self.closed += closed
            done.set_result(None)
        return done

    def say(self, text, line="l1", player="ana"):
        turn = Turn(line, self.npc.persona.id, player, text)
        asyncio.run(self.npc.reply(turn, self.events.append))
        return self.events[-1]


class Asked:
    """A model that notes what it was asked, and says what it is told to."""

    name = "asked"

    def __init__(self, say=None):
        self.requests, self._say = [], say

    async def speak(self, request, emit):
        self.requests.append(request)
        if self._say is not None:
            await self._say(emit)
        emit(Text("Aye."))
        return Spoken(self.name)


def test_a_turn_is_heard_answered_and_kept():
    world = World()
    done = world.say("What are you doing?")
    assert done == LineDone("l1", "ada", "Knots all day.", "complete", "scripted")
    assert [(m.kind, m.speaker, m.text, m.turn) for m in world.kept] == [
        ("heard", "ana", "What are you doing?", "l1"),
        ("said", "ada", "Knots all day.", "l1"),
    ]
    assert world.noted == [""] and world.closed == ["l1"]
    assert LineAccepted("l1", "ada") in world.events
    assert "".join(e.text for e in world.events if isinstance(e, LineDelta)) == "Knots all day."


def test_locked_things_are_not_in_the_prompt_and_open_ones_are():
    model = Asked()
    world = World(model)
    world.say("Do you have a wick? Did you put out the lamp?")
    shut = str(model.requests[0].prompt)
    assert "spare wick" not in shut and "put out the lamp herself" not in shut and not model.requests[0].actions
    world.facts["trust_ada"] = 5
    world.say("Do you have a wick? Did you put out the lamp?", "l2")
    opened = str(model.requests[1].prompt)
    assert "spare wick" in opened and "put out the lamp herself" in opened
    tool = model.requests[1].actions["give_item"]["parameters"]
    assert tool["properties"]["item"] == {"type": "string", "enum": ["wick", "net"]} and tool["required"] == ["item"]


def test_lore_is_told_to_who_knows_it():
    told = {}
    for npc in ("ada", "bo"):
        model = Asked()
        World(model, npc).say("Who is the harbour master?")
        told[npc] = str(model.requests[0].prompt)
    assert "Ruan Pell" in told["ada"] and "Ruan Pell" not in told["bo"]


def test_what_it_thinks_of_somebody_is_told_when_they_come_up():
    model = Asked()
    world = World(model)
    world.say("Is Bo a good man?")
    world.say("Nice weather.", "l2", player="ben")
    assert ["Bo talks too much" in str(request.prompt) for request in model.requests] == [True, False]


def test_the_model_is_told_what_was_said_last_and_which_topics_answered():
    memories = [
        Memory("ada", "heard", "ana", "What do you do?", 1.0, player="ana", turn="l0"),
        Memory("ada", "said", "ada", "Knots.", 1.0, player="ana", turn="l0", topic="nets"),
        Memory("ada", "said", "ada", "To another.", 1.0, player="ben", turn="x", topic="lamp"),
    ]
    model = Asked()
    World(model, memories=memories).say("And the lamp?")
    request = model.requests[0]
    assert request.said == ("Knots.",) and request.asked == {"nets"}
    assert "To another." not in str(request.prompt)


def test_a_call_that_was_not_offered_is_dropped():
    async def call(emit):
        emit(Call("1", "give_item", {"item": "wick"}))
        emit(Call("2", "burn_down", {}))

    world = World(Asked(call), facts={"trust_ada": 3})
    world.say("Give me the wick")
    assert [event.name for event in world.events if type(event).__name__ == "ActionRequested"] == ["give_item"]


def test_a_model_that_fails_leaves_a_bark_that_is_remembered_as_said():
    world = World(Scripted([[{"fail": "timeout"}]]))
    failed = world.say("Hello")
    assert (
        isinstance(failed, LineFailed)
        and failed.code == "timeout"
        and failed.text == "Not now. The tide waits for nobody."
    )
    assert (world.kept[-1].text, world.kept[-1].ending) == (failed.text, "bark")
    assert "timeout" in world.npc.last["ana"].error


def test_a_model_that_breaks_is_a_defect_that_reaches_the_game_as_a_code():
    class Broken(Asked):
        async def speak(self, request, emit):
            raise ZeroDivisionError("oops")

    failed = World(Broken()).say("Hello")
    assert failed.code == "internal" and "oops" in failed.message


def test_a_model_that_says_nothing_is_a_failure():
    class Silent(Asked):
        async def speak(self, request, emit):
            return Spoken("silent")

    assert World(Silent()).say("Hello").code == "empty_reply"


def test_a_model_lost_in_mid_line_leaves_what_was_shown():
    world = World(Scripted([["Well, it ", {"fail": "interrupted"}]]))
    assert world.say("Hello") == LineDone("l1", "ada", "Well, it ", "interrupted", "scripted")
    assert (world.kept[-1].text, world.kept[-1].ending) == ("Well, it ", "interrupted")


def test_a_cancelled_line_is_remembered_as_shown():
    world = World(Scripted([["Well, ", {"wait": 30}, "no."]]))

    async def cancelled():
        task = asyncio.create_task(world.npc.reply(Turn("l1", "ada", "ana", "Hello"), world.events.append))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(cancelled())
    assert world.events[-1].reason == "interrupted"
    assert world.kept[-1].text == "Well, " and world.closed == ["l1"]


def test_what_is_shown_is_noted_while_the_line_grows():
    world = World()

    async def slow(emit):
        for _ in range(4):
            emit(Text("word "))
            world.now += 0.3

    world.npc.model = Asked(slow)
    world.say("Hello")
    assert world.noted == ["", "word word word ", "word word word word Aye."]  # at 0, 0.6 and 1.2 s


def test_a_disk_that_refuses_does_not_silence_a_character():
    world = World()
    world.fail = StoreError("save_full", "no room")
    assert world.say("Hello").reason == "complete"
    assert not any(isinstance(event, LineAccepted) for event in world.events)  # it was not kept, so it is not said
    assert len(world.npc.recall) == 2  # but it is remembered while the game runs


def test_trying_a_line_changes_nothing():
    world = World()
    why = world.npc.prepare("What of the lamp?", "ana")
    assert "lighthouse lamp" in str(why.prompt) and len(world.npc.recall) == 0


@pytest.mark.parametrize("code", ["missing_key", "bad_key", "connect_failed", "no_such_model"])
def test_the_reason_and_its_hint_reach_the_game(code):
    class Failing(Asked):
        async def speak(self, request, emit):
            raise ModelError(code, "because")

    failed = World(Failing()).say("Hello")
    assert failed.code == code and failed.hint and failed.text


SHORT = Deadlines(thinking=0.03, first_word=0.12, whole_line=0.3)


def test_a_slow_model_makes_the_character_say_that_it_thinks():
    world = World(Scripted([[{"wait": 0.06}, "Aye."]]), deadlines=SHORT)
    assert world.say("Hello").text == "Aye."
    thinking = [event for event in world.events if isinstance(event, LineThinking)]
    assert len(thinking) == 1 and thinking[0].text in CAST.personas["ada"].barks.thinking
    assert world.kept[-1].text == "Aye."  # the bark is no part of the line


def test_a_fast_model_needs_no_bark():
    world = World(deadlines=SHORT)
    world.say("Hello")
    assert not any(isinstance(event, LineThinking) for event in world.events)


def test_a_model_without_a_word_is_given_up_in_time():
    world = World(Scripted([[{"wait": 30}, "Aye."]]), deadlines=SHORT)
    failed = world.say("Hello")
    assert (failed.code, failed.text in CAST.personas["ada"].barks.offline) == ("timeout", True)
    assert isinstance(world.events[-2], LineThinking)


def test_a_line_that_never_ends_is_cut_in_time():
    world = World(Scripted([["Well, ", {"wait": 30}, "no."]]), deadlines=SHORT)
    assert world.say("Hello") == LineDone("l1", "ada", "Well, ", "interrupted", "scripted")
    assert world.kept[-1].text == "Well, " and "timeout" in world.npc.last["ana"].error


def test_a_disk_that_hangs_holds_up_no_end():
    world = World(deadlines=SHORT)
    world.keep = lambda *_, **__: asyncio.get_running_loop().create_future()
    world.npc._keep = world.keep
    assert world.say("Hello").reason == "complete"


def test_cancelling_again_takes_nothing_away():
    world = World(Scripted([["Well, ", {"wait": 30}, "no."]]))
    held = []

    def keep(memories=(), open_lines=(), closed=()):
        held.append(asyncio.get_running_loop().create_future())
        return held[-1]

    world.npc._keep = keep

    async def cancelled():
        task = asyncio.create_task(world.npc.reply(Turn("l1", "ada", "ana", "Hello"), world.events.append))
        for _ in range(3):  # the later ones come while the disk is waited for
            await asyncio.sleep(0.02)
            task.cancel()
        await asyncio.sleep(0.02)
        for each in held:
            each.set_result(None)
        await task

    asyncio.run(cancelled())
    assert [event.reason for event in world.events if isinstance(event, LineDone)] == ["interrupted"]


class Voiced:
    """A model with a voice: 100 ms a word, much faster than it plays."""

    name = "voiced"

    def __init__(self, words="Mind the step, friend. ", after=None):
        self.words, self.after = words, after

    async def speak(self, request, emit):
        at = 0
        for n, word in enumerate(self.words.split()):
            emit(Text(word + " "))
            emit(Audio(b"\x10\x10" * 2400, 24000))
            emit(Timing(((at, at + len(word), n * 100, n * 100 + 100),), ((n * 100, "B"),)))
            at += len(word) + 1
        if self.after:
            await self.after()
        return Spoken("voiced")


def talk(world, *, play=(), cancel=None, before=0.0):
    """Says hello; reports what was played (ms) at 10 ms intervals, then maybe cancels."""

    async def scenario():
        turn = Turn("l1", "ada", "ana", "Hello")
        task = asyncio.create_task(world.npc.reply(turn, world.events.append))
        await asyncio.sleep(0.02)
        for ms in play:
            turn.hearing.played(ms, asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)
        if cancel:
            task.cancel()
        await task

    asyncio.run(scenario())
    return world.events[-1]


def test_a_voiced_line_is_remembered_when_it_was_heard():
    world = World(Voiced())
    assert talk(world, play=[100, 250, 400]) == LineHeard("l1", "ada", "Mind the step, friend. ", True)
    kinds = [type(event) for event in world.events if not isinstance(event, LineAccepted)]
    assert kinds[0] is LineStarted and kinds[-2:] == [LineDone, LineHeard]
    assert kinds.count(LineAudio) == kinds.count(LineTiming) == kinds.count(LineDelta) == 4
    sounds = [event for event in world.events if isinstance(event, LineAudio)]
    assert [event.at_ms for event in sounds] == [0, 100, 200, 300] and len(sounds[0].mouth) == 5
    assert (world.kept[-1].text, world.kept[-1].ending) == ("Mind the step, friend. ", "complete")


def test_a_player_who_cuts_in_has_heard_what_was_played():
    world = World(Voiced())
    assert talk(world, play=[100, 250], cancel=True) == LineHeard("l1", "ada", "Mind the", False)
    assert [event.text for event in world.events if isinstance(event, LineDone)] == ["Mind the step, friend. "]
    assert (world.kept[-1].text, world.kept[-1].ending) == ("Mind the", "interrupted")
    assert world.closed == ["l1"]


def test_a_player_who_cuts_in_while_the_model_speaks():
    async def forever():
        await asyncio.sleep(30)

    world = World(Voiced(after=forever))
    assert talk(world, play=[100, 400], cancel=True) == LineHeard("l1", "ada", "Mind the step, friend.", False)
    assert [event.reason for event in world.events if isinstance(event, LineDone)] == ["interrupted"]


def test_a_line_cut_before_its_first_word_was_heard_is_not_remembered():
    world = World(Voiced())
    assert talk(world, play=[50], cancel=True) == LineHeard("l1", "ada", "", False)
    assert [memory.kind for memory in world.kept] == ["heard"] and world.closed == ["l1"]


def test_a_game_that_never_reports_has_heard_all_of_it():
    world = World(Voiced("Aye. No."))
    assert talk(world) == LineHeard("l1", "ada", "Aye. No. ", True)


def test_how_far_a_voiced_line_was_heard_is_noted_while_it_plays():
    world = World(Voiced("one two three four five six seven eight nine ten eleven twelve"))
    talk(world, play=[0, 100, 250, 400, 600, 600, 600, 600, 600, 600, 600], cancel=True)
    assert world.noted[-1] == "one two three four five six" == world.kept[-1].text


def test_a_picture_is_in_view_for_some_lines_and_some_time():
    model = Asked()
    world = World(model)
    world.npc.sight = Sight("high", lines=2, seconds=60.0)
    picture = Picture("image/png", 512, 512, b"x", "A map of the bay.")
    kept = world.npc.observe("A map of the bay.", picture)
    assert (kept.kind, kept.text, kept.speaker) == ("observed", "A map of the bay.", f"picture:{picture.digest}")
    world.npc.prepare("What do I see?", "ana")  # asking why is no line
    for n in range(3):
        world.say("Where is that?", f"l{n}")
    image = Image("image/png", b"x", "A map of the bay.", "high")
    assert [request.images for request in model.requests] == [(image,), (image,), ()]
    world.npc.observe("The same map.", picture)
    world.now += 59.0
    world.say("And now?", "l4")
    world.now += 1.0
    world.say("And then?", "l5")
    assert [bool(request.images) for request in model.requests[3:]] == [True, False]


def test_a_newer_picture_takes_the_place_of_the_older():
    model = Asked()
    world = World(model)
    world.npc.sight = Sight("low")
    old, new = (Picture("image/png", 1, 1, name, str(name)) for name in (b"old", b"new"))
    world.npc.observe("The old one.", old)
    world.npc.observe("The new one.", new)
    world.npc.describe(old, "Something late.")  # of what is no longer in view: remembered only
    world.say("Well?")
    assert [image.data for image in model.requests[0].images] == [b"new"]
    assert world.npc.view.words == ""
