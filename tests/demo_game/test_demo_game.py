"""The demo's window, frame by frame, without a display: typing, streaming, choosing, resizing, and what is drawn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
try:
    import pygame
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("pygame is missing: pip install 'townsfolk[demo]'", allow_module_level=True)

from demo_game.app import App
from demo_game.scenes.transcript import Transcript
from demo_game.script import Script, press
from demo_game.ui import PAPER, Field, Type, wrap
from demo_game.village import Village
from townsfolk import UsageError

CAST = Path(__file__).parents[1] / "cast"
LONG = "The lamp went out on the third night, and nobody has climbed the stair since, for the keeper has the only key."
SCRIPT = f"""
pace_s: 0.004
replies:
  - when: slow
    say: [{{emotion: stern}}, "{(LONG + " ") * 6}"]
  - when: wick
    say: [{{emotion: warm}}, "Take it. ", {{call: give_item, args: {{item: wick}}}}, "Mind the flame."]
  - "{LONG}"
"""


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., App]]:
    villages: list[Village] = []
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT)

    def begin(characters: Path = CAST, size: tuple[int, int] = (1280, 720), **how: Any) -> App:
        settings = {"save": str(tmp_path / "demo.db"), "model": f"scripted:{script}", "player": "player", **how}
        villages.append(Village(str(characters), host="thread", **settings))
        return App(villages[-1], "demo.db", size)

    yield begin
    for village in villages:
        village.close()


def play(app: App, until: Callable[[], object], frames: int = 900) -> int:
    """Frames until something holds, as fast as they come; returns how many there were."""
    for n in range(frames):
        app.step(1 / 60)
        if until():
            return n
        time.sleep(0.005)
    raise AssertionError(f"it did not come to be within {frames} frames")


def ready(app: App) -> None:
    play(app, lambda: app.scene.village.person)
    for _ in range(6):  # the title card
        app.step(0.3)


def write(words: str) -> None:
    for letter in words:
        pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text=letter))
    press(pygame.K_RETURN)


def paper(app: App) -> int:
    """Pixels of the window that are the paper of a speech bubble."""
    return pygame.mask.from_threshold(app.screen, PAPER, (4, 4, 4, 255)).count()


def test_a_line_is_typed_and_the_answer_streams_and_ends(start: Callable[..., App], tmp_path: Path) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    assert paper(app) < 200
    write("Go slow, Ada.")
    play(app, lambda: village.speaking)
    answer = village.people["ada"].lines[-1]
    play(app, lambda: len(answer.text) > 60)
    some, drawn = len(answer.text), paper(app)
    assert answer.speaking and drawn > 5000
    assert answer.mood == village.people["ada"].mood == "stern"
    play(app, lambda: not village.speaking)
    assert len(answer.text) > some and paper(app) > drawn
    assert [line.kind for line in village.people["ada"].lines] == ["player", "npc"]
    assert village.people["ada"].lines[0].text == "Go slow, Ada."
    assert village.model == "scripted" and village.first_word_ms[0] > 0
    for _ in range(200):
        app.step(1 / 60)
    assert app.running
    pygame.image.save(app.screen, str(tmp_path / "talk.png"))
    assert (tmp_path / "talk.png").stat().st_size > 20_000


def test_finished_lines_are_drawn_once_and_a_streaming_one_at_most_once_a_frame(
    start: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    write("Hello.")
    play(app, lambda: not village.speaking and village.people["ada"].lines)
    app.step(1 / 60)
    painted: list[int] = []
    paint = Transcript._paint

    def counted(self: Transcript, line: Any, width: int, kind: Type) -> pygame.Surface:
        painted.append(id(line))
        return paint(self, line, width, kind)

    monkeypatch.setattr(Transcript, "_paint", counted)
    write("Again, slow.")
    play(app, lambda: len(village.people["ada"].lines) == 4)
    frames = play(app, lambda: not village.speaking) + 2
    first, second = village.people["ada"].lines[:2], village.people["ada"].lines[2:]
    assert not {id(line) for line in first} & set(painted)
    assert painted.count(id(second[0])) == 1
    assert 3 < painted.count(id(second[1])) <= frames + 1


def test_a_proposed_action_is_told(start: Callable[..., App]) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    village.engine.set(trust_ada=2)
    write("I need a wick")
    play(app, lambda: village.people["ada"].lines and not village.speaking)
    assert [line.text for line in village.people["ada"].lines if line.kind == "action"] == [
        "Ada wants to give item: wick"
    ]


def test_characters_are_chosen_by_number_tab_and_click(start: Callable[..., App]) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    assert village.chosen == "ada"
    press(pygame.K_2, "2")
    pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text="2"))  # which SDL sends after the key
    app.step(1 / 60)
    assert village.chosen == "bo" and app.scene.field.text == ""
    press(pygame.K_TAB, "\t")
    app.step(1 / 60)
    assert village.chosen == "ada"
    boxes = {id: box for id, _, box in app.scene._layout.medals(list(village.people), village.chosen)}
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, button=1, pos=boxes["bo"].center))
    app.step(1 / 60)
    assert village.chosen == "bo"
    write("I have 2 of them.")  # a number inside a line is a number
    play(app, lambda: village.people["bo"].lines and not village.speaking)
    assert village.people["bo"].lines[0].text == "I have 2 of them."
    assert village.people["ada"].lines == []


def test_an_opener_can_be_clicked(start: Callable[..., App]) -> None:
    app = start()
    ready(app)
    box, words = app.scene._openers[0]
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, button=1, pos=box.center))
    play(app, lambda: app.scene.village.people["ada"].lines)
    assert app.scene.village.people["ada"].lines[0].text == words


@pytest.mark.parametrize("size", [(640, 480), (800, 600), (1920, 1080), (700, 1000), (2400, 600)])
def test_every_window_holds_it_all(start: Callable[..., App], size: tuple[int, int]) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    write("Hello.")
    play(app, lambda: village.people["ada"].lines and not village.speaking)
    app.screen = pygame.display.set_mode(size, pygame.RESIZABLE)
    press(pygame.K_F3)
    for _ in range(5):
        app.step(1 / 60)
    assert app.screen.get_size() == size
    whole, layout = app.screen.get_rect(), app.scene._layout
    boxes = [layout.talk, layout.field, layout.status, *(box for _, _, box in layout.medals(["ada", "bo"], "ada"))]
    assert all(whole.contains(box) for box in boxes)
    assert not layout.talk.colliderect(layout.field) and layout.talk.height > 100 and layout.talk.width > 200
    assert paper(app) > 2000


def test_escape_cuts_in_first_and_leaves_then(start: Callable[..., App]) -> None:
    app = start()
    ready(app)
    village = app.scene.village
    write("slow")
    play(app, lambda: village.speaking and village.people["ada"].lines[-1].text)
    press(pygame.K_ESCAPE)
    play(app, lambda: not village.speaking)
    answer = village.people["ada"].lines[-1]
    assert answer.cut and app.running and len(answer.text) < len(LONG * 5)
    press(pygame.K_ESCAPE)
    app.step(1 / 60)
    assert not app.running


def test_what_was_said_on_another_evening_is_there(start: Callable[..., App]) -> None:
    first = start()
    ready(first)
    write("Hello.")
    play(first, lambda: first.scene.village.people["ada"].lines and not first.scene.village.speaking)
    first.scene.village.close()
    time.sleep(0.01)
    second = start()
    ready(second)
    play(second, lambda: second.scene.village.people["ada"].lines)
    lines = second.scene.village.people["ada"].lines
    assert [(line.kind, line.text, line.earlier) for line in lines] == [
        ("player", "Hello.", True),
        ("npc", LONG, True),
    ]
    write("And again.")
    play(second, lambda: len(lines) == 4 and not second.scene.village.speaking)
    assert [line.earlier for line in lines] == [True, True, False, False]
    assert paper(second) > 4000


def test_a_long_conversation_scrolls_and_stays_where_it_is_read(start: Callable[..., App]) -> None:
    app = start(size=(800, 600))
    ready(app)
    village, transcript = app.scene.village, app.scene.transcript
    for n in range(6):
        write(f"Hello {n}.")
        play(app, lambda n=n: len(village.people["ada"].lines) == 2 * n + 2 and not village.speaking)
    press(pygame.K_PAGEUP)
    for _ in range(40):
        app.step(1 / 60)
    assert transcript.offset > 100
    before = transcript.offset
    village.say("One more.")
    play(app, lambda: not village.speaking)
    assert transcript.offset > before + 20  # new lines came below, and what is read did not move
    pygame.event.post(pygame.event.Event(pygame.MOUSEWHEEL, y=-200, x=0))
    for _ in range(60):
        app.step(1 / 60)
    assert transcript.offset < 1


def test_broken_characters_are_told_in_the_window(start: Callable[..., App], tmp_path: Path) -> None:
    bad = tmp_path / "cast" / "eve"
    bad.mkdir(parents=True)
    (bad / "persona.yaml").write_text("name: Eve\nrolle: none\n")
    app = start(bad.parent)
    play(app, lambda: app.scene.village.fatal)
    before = pygame.mask.from_threshold(app.screen, (248, 236, 214), (8, 8, 8, 255)).count()
    app.step(1 / 60)
    assert before > 100 and app.running and app.scene.village.trouble is not None
    press(pygame.K_ESCAPE)
    app.step(1 / 60)
    assert not app.running


# --- the field ------------------------------------------------------------------------------------------------------


def key(field: Field, code: int, mod: int = 0) -> str | None:
    return field.handle(pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod, unicode="", scancode=0))


def test_the_field_edits_at_its_caret() -> None:
    field = Field()
    field.handle(pygame.event.Event(pygame.TEXTINPUT, text="Is the road saf"))
    key(field, pygame.K_HOME)
    field.handle(pygame.event.Event(pygame.TEXTINPUT, text="So: "))
    key(field, pygame.K_END)
    field.handle(pygame.event.Event(pygame.TEXTINPUT, text="er"))
    key(field, pygame.K_BACKSPACE)
    assert field.text == "So: Is the road safe"
    key(field, pygame.K_BACKSPACE, pygame.KMOD_CTRL)
    assert field.text == "So: Is the road "
    for _ in range(2):
        key(field, pygame.K_LEFT, pygame.KMOD_CTRL)
    key(field, pygame.K_DELETE)
    assert field.text == "So: Is he road "
    assert key(field, pygame.K_RETURN) == "So: Is he road" and field.text == ""
    assert key(field, pygame.K_RETURN) is None


def test_the_field_leaves_keys_to_an_input_method_while_it_composes() -> None:
    field = Field()
    field.handle(pygame.event.Event(pygame.TEXTEDITING, text="にほ", start=0, length=2))
    assert key(field, pygame.K_RETURN) is None and key(field, pygame.K_BACKSPACE) is None
    assert field.composing == "にほ" and field.text == ""
    field.handle(pygame.event.Event(pygame.TEXTINPUT, text="日本"))
    assert field.composing == "" and key(field, pygame.K_RETURN) == "日本"


def test_the_field_turns_through_what_was_said() -> None:
    field = Field()
    for words in ("one", "two"):
        field.insert(words)
        key(field, pygame.K_RETURN)
    field.insert("thr")
    seen = []
    for code in (pygame.K_UP, pygame.K_UP, pygame.K_UP, pygame.K_DOWN, pygame.K_DOWN):
        key(field, code)
        seen.append(field.text)
    assert seen == ["two", "one", "one", "two", "thr"]


def test_the_field_takes_no_control_characters_and_not_too_much() -> None:
    field = Field()
    field.insert("a\x00b\x1b[31m\nc")
    assert field.text == "ab[31m c"
    field.insert("x" * 5000)
    assert len(field.text) == Field.LIMIT


def test_no_row_is_wider_than_asked_and_no_word_is_lost() -> None:
    pygame.font.init()
    font = Type(1.0).body
    words = f"{LONG} {'m' * 200} end\nnew paragraph"
    rows = wrap(font, words, 300)
    assert all(font.size(row)[0] <= 300 for row in rows)
    assert "".join(rows).replace(" ", "") == "".join(words.split())
    assert rows[-1] == "new paragraph" and wrap(font, "", 300) == [""]


# --- scripts --------------------------------------------------------------------------------------------------------


def test_a_script_plays_and_keeps_a_picture(start: Callable[..., App], tmp_path: Path) -> None:
    steps = tmp_path / "evening.txt"
    picture = tmp_path / "pictures" / "one.png"
    steps.write_text(
        f"until quiet\nwait 1.8  # the title\ntype Hello.\nuntil quiet\npress tab\nwait 0.1\nshot {picture}\n"
    )
    app, script = start(), Script.read(str(steps))
    for _ in range(3000):
        if not script.update(app, 1 / 60):
            break
        app.step(1 / 60)
        time.sleep(0.002)
    assert picture.stat().st_size > 20_000
    assert app.scene.village.people["ada"].lines[0].text == "Hello." and app.scene.village.chosen == "bo"


def test_a_bad_script_is_told_with_its_line(tmp_path: Path) -> None:
    steps = tmp_path / "evening.txt"
    steps.write_text("wait 1\ndance wildly\n")
    with pytest.raises(UsageError, match=r"evening\.txt:2: 'dance' is no step"):
        Script.read(str(steps))
    with pytest.raises(UsageError, match="cannot be read"):
        Script.read(str(tmp_path / "none.txt"))
