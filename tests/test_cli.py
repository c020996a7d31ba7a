"""The command line, run as a user runs it: a process, its standard input and output."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import apsw
import pytest

TALK = [sys.executable, "-m", "townsfolk"]


def run(*args, stdin="", cwd=None, **env):
    return subprocess.run(
        [*TALK, *map(str, args)],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=100,
        check=False,
        env={**os.environ, **env},
    )


@pytest.fixture
def here(cast_folder, tmp_path):
    """Arguments for a character of the small cast with a save of its own."""
    return ["--characters", cast_folder, "--save", tmp_path / "talk.db"]


def test_lines_from_standard_input_are_answered_and_remembered(here):
    script = ["--model", "authored", "--set", "words_per_second=null"]
    first = run("talk", "ada", *here, *script, stdin="What are you doing?\nWhy is the lighthouse dark?\n")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert len(lines) == 2 and all(re.match(r"Ada Penrose: \S", line) for line in lines)
    second = run("talk", "ada", *here, *script, stdin="/memory\n")
    assert "remembers 4 things" in second.stdout
    for said in ["You: What are you doing?", "You: Why is the lighthouse dark?", *lines]:
        assert said in second.stdout


def test_the_shipped_cast_answers_a_newcomer(root, tmp_path):
    out = run(
        "talk", "tamsin", "--save", tmp_path / "s.db", "--set", "words_per_second=null",
        stdin="Hello\nIs the mine road safe?\n/quit\nnever said\n", cwd=root,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    hello, road = [line for line in out.stdout.splitlines() if line.startswith("Tamsin Reeve: ")]
    assert len(hello) > 20 and re.search("shut|road|adit|rope|fall", road, re.IGNORECASE)
    assert "never said" not in out.stdout


def test_the_commands_of_a_conversation(here):
    out = run(
        "talk", "ada", *here, "--model", "scripted",
        stdin="Hello\n/why\n/why the lamp?\n/who\n/to bo\nAhoy\n/save\n/help\n/nonsense\n",
    ).stdout  # fmt: skip
    assert "[persona]" in out and "of 1200 tokens" in out and "[player]" in out
    assert "Ada Penrose, net mender" in out and "Now you face Bo Trewin" in out and "Bo Trewin: " in out
    assert "on disk" in out and "There is no '/nonsense' here" in out


def test_why_shows_a_prompt_without_a_word_being_said(here):
    out = run("why", "ada", "Who is the harbour master?", *here, "--model", "scripted")
    assert out.returncode == 0 and "Ruan Pell" in out.stdout and "[model]" not in out.stdout
    assert "remembers 0 things" in run("talk", "ada", *here, "--model", "scripted", stdin="/memory\n").stdout


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (["talk", "nobody", "--characters", "{cast}", "--model", "scripted"], 2, "There are: ada, bo."),
        (["talk", "ada", "--characters", "{tmp}"], 2, "townsfolk new"),
        (["talk", "ada", "--characters", "{cast}", "--model", "gpt"], 2, "Choose one of"),
        (["talk", "ada", "--characters", "{cast}", "--set", "nonsense=1"], 2, "no setting 'nonsense'"),
        (["talk", "ada", "--characters", "{cast}", "--set", "api_key=sk-1"], 2, "OPENAI_API_KEY"),
        (["talk", "ada", "--characters", "{cast}", "--model", "scripted:{tmp}/no.yaml"], 2, "no.yaml"),
        (["check", "{tmp}/none"], 1, "none"),
        (["new", "{cast}"], 2, "not empty"),
        (["serve", "--tcp", "nonsense", "--characters", "{cast}"], 2, "is no address"),
        (["serve", "--tcp", "0.0.0.0:0", "--characters", "{cast}"], 2, "token"),
        (["serve", "--token-file", "{tmp}/none", "--characters", "{cast}"], 2, "cannot be read"),
        (["simulate", "--characters", "{tmp}"], 2, "townsfolk new"),
        ([], 2, "required"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_to_do(cast_folder, tmp_path, args, status, told):
    out = run(*(arg.format(cast=cast_folder, tmp=tmp_path) for arg in args), cwd=tmp_path)
    assert out.returncode == status
    assert told in out.stdout + out.stderr
    assert "Traceback" not in out.stdout + out.stderr


def test_check_lists_every_mistake_with_its_place(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "persona.yaml").write_text("name: Ada\nmaner: dry\n")
    out = run("check", tmp_path)
    assert out.returncode == 1 and re.search(r"ada/persona\.yaml:2:\d+: P\d+ error", out.stdout)
    assert re.search(r"\d+ errors, \d+ warnings?", out.stdout)


def test_check_is_content_with_what_ships(root, cast_folder):
    for folder in (root / "characters", cast_folder):
        out = run("check", folder)
        assert (out.returncode, out.stdout.splitlines()[-1]) == (0, "0 errors, 0 warnings"), out.stdout


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"--model": "realtime"}, "missing_key"),
        ({"--model": "realtime", "url": "ws://127.0.0.1:9/v1", "key": "sk-x"}, "connect_failed"),
        ({"--model": "text", "text": "http://127.0.0.1:9/v1", "key": "sk-x"}, "connect_failed"),
        ({"--model": "local"}, "no_local_model"),
    ],
)
def test_a_model_that_cannot_speak_says_why_and_the_character_still_answers(here, settings, code):
    more = []
    if "url" in settings:
        more += ["--set", f"realtime_url={settings['url']}"]
    if "text" in settings:
        more += ["--set", f"text_url={settings['text']}"]
    out = run(
        "talk", "ada", *here, "--model", settings["--model"], *more, stdin="Hello\n",
        OPENAI_API_KEY=settings.get("key", ""), TOWNSFOLK_CACHE=str(here[3].parent),
    )  # fmt: skip
    assert out.stdout.strip() == "Ada Penrose: Not now. The tide waits for nobody."
    assert f"[{code}]" in out.stderr and "Traceback" not in out.stderr


def test_auto_goes_on_with_authored_lines_when_the_realtime_model_cannot_be_reached(here):
    out = run(
        "talk", "ada", *here, "--set", "realtime_url=ws://127.0.0.1:9/v1", stdin="What are you doing?\n",
        OPENAI_API_KEY="sk-x",
    )  # fmt: skip
    assert re.match("Ada Penrose: (Mending|Knots)", out.stdout)
    assert out.stderr.count("[connect_failed]") == 1


def test_the_simulator_plays_the_whole_realtime_path(here):
    out = run("talk", "ada", *here, "--model", "simulator", stdin="What are you doing?\n/why\n")
    assert re.match("Ada Penrose: (Mending|Knots)", out.stdout), out.stderr
    assert "[model] realtime:gpt-realtime-2.1-mini" in out.stdout


def test_doctor_names_vendors_and_what_their_models_can(cast_folder):
    out = run(
        "doctor", "--json", "--characters", cast_folder,
        "--set", "realtime_url=https://127.0.0.1:9/openai/v1", "--set", "realtime_model=dep",
        AZURE_OPENAI_API_KEY="a", TOWNSFOLK_REALTIME_KEY_COMMAND="echo k",
    )  # fmt: skip
    realtime, text = json.loads(out.stdout)["servers"]
    assert realtime == {
        "kind": "realtime", "vendor": "compatible", "host": "127.0.0.1", "model": "dep",
        "key": "TOWNSFOLK_REALTIME_KEY_COMMAND", "sees": False, "speaks": True,
    }  # fmt: skip
    assert (text["vendor"], text["host"], text["key"], text["sees"]) == ("OpenAI", "api.openai.com", "", True)


def test_simulate_serves_any_realtime_client(here, cast_folder):
    with subprocess.Popen(
        [*TALK, "simulate", "--port", "0", "--characters", str(cast_folder)], stdout=subprocess.PIPE, text=True
    ) as server:
        url = server.stdout.readline().split()[0]
        out = run(
            "talk", "ada", *here, "--model", "realtime", "--set", f"realtime_url={url}",
            stdin="Why is the lighthouse dark?\n", OPENAI_API_KEY="sk-anything",
        )  # fmt: skip
        server.send_signal(signal.SIGINT)
        assert server.wait(10) in (0, 130)
    assert re.match("Ada Penrose: (No oil|Ask the keeper)", out.stdout), out.stderr


def test_a_locked_save_is_told_and_the_talk_goes_on(here):
    with subprocess.Popen(
        [*TALK, "serve", "--tcp", "127.0.0.1:0", *map(str, here), "--model", "scripted"],
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        owner.stdout.readline()
        out = run("talk", "ada", *here, "--model", "scripted", stdin="Hello\n")
        owner.terminate()
        owner.wait(10)
    assert "[save_locked]" in out.stderr and f"process {owner.pid}" in out.stderr
    assert out.stdout.startswith("Ada Penrose: ")


def test_a_save_of_a_newer_version_is_told_left_alone_and_the_talk_goes_on(here):
    save = here[3]
    run("talk", "ada", *here, "--model", "scripted", stdin="Hello\n")
    db = apsw.Connection(str(save))
    db.execute("PRAGMA user_version=99")
    db.close()
    before = save.read_bytes()
    out = run("talk", "ada", *here, "--model", "scripted", stdin="Hello\n/memory\n")
    assert out.stderr.count("[save_newer]") == 1 and "nothing new is kept" in out.stderr
    assert out.stdout.startswith("Ada Penrose: ") and "remembers 2 things" in out.stdout
    assert save.read_bytes() == before


def test_broken_characters_are_told_with_their_place(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "persona.yaml").write_text("name: [Ada\n")
    out = run("talk", "ada", "--characters", tmp_path, "--save", tmp_path / "s.db", stdin="Hello\n")
    assert out.returncode == 2 and re.search(r"ada/persona\.yaml:\d+: ", out.stderr) and "townsfolk check" in out.stderr


def test_doctor_says_what_there_is(cast_folder):
    out = run("doctor", "--characters", cast_folder, "--json")
    report = json.loads(out.stdout)
    assert report["sqlite_ok"] and report["characters"].startswith("2 in")
    models = {model["name"].split(":")[0]: model for model in report["models"]}
    assert not models["realtime"]["ok"] and "OPENAI_API_KEY" in models["realtime"]["detail"]
    assert models["authored"]["ok"] and models["authored"]["first_word_ms"] is not None
    assert out.returncode == 0
    people = run("doctor", "--characters", cast_folder.parent / "nowhere").stdout
    assert "characters   none" in people and "SQLite" in people


def test_in_a_terminal_it_prompts_streams_and_leaves_with_control_d(here):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*TALK, "talk", "ada", *map(str, here), "--model", "scripted"])
    screen = b""

    def until(text):
        nonlocal screen
        deadline = time.monotonic() + 30
        while text not in screen and time.monotonic() < deadline:
            if select.select([fd], [], [], 0.2)[0]:
                screen += os.read(fd, 4096)
        assert text in screen, screen

    until(b"You:")
    os.write(fd, b"Hello\n")
    until(b"Ada Penrose\x1b[0m: ")
    screen = screen[screen.rindex(b"Ada Penrose") :]
    until(b"You:")
    os.write(fd, b"\x04")
    until(b"Kept in")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(fd)
