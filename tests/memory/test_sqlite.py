"""The SQLite store: what it keeps, what it refuses, and what it says about it."""

import contextlib
import os
import subprocess
import sys
import time

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from townsfolk.errors import StoreError
from townsfolk.ledger import Spent, Tokens
from townsfolk.memory.migrations import APPLICATION_ID, M001
from townsfolk.memory.record import Memory, OpenLine, checksum
from townsfolk.memory.sqlite import SqliteStore, read_only_copy, read_spent


def memory(text="hello", turn="t1", kind="heard", npc="ada"):
    return Memory(npc, kind, "ana", text, 1.5, player="ana", turn=turn)


def texts(store, npc="ada"):
    return [each.text for each in store.load(npc)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "save.db"


def test_what_is_kept_comes_back_whole(path):
    kept = [
        memory(),
        Memory("ada", "said", "ada", "née 橋 \U0001f600", 2.25, "ana", "t1", "interrupted", "nets"),
        Memory("bo", "observed", "", "rain", 3.0),
    ]
    store = SqliteStore(path)
    store.add(kept)
    store.close()
    store = SqliteStore(path)
    loaded = store.load("ada") + store.load("bo")
    assert [(each.seq, each) for each in loaded] == [(n, each) for n, each in zip((1, 2, 3), loaded, strict=True)]
    assert [checksum(each) for each in loaded] == [checksum(each) for each in kept]
    store.close()


def test_every_commit_is_on_disk_before_it_returns(path):
    store = SqliteStore(path)
    assert next(iter(store._db.execute("PRAGMA synchronous")))[0] == 2  # FULL
    assert next(iter(store._db.execute("PRAGMA journal_mode")))[0] == "wal"
    store.close()


def test_a_turn_told_twice_is_kept_once(path):
    store = SqliteStore(path)
    store.add([memory("first")])
    store.add([memory("second"), memory("answer", kind="said")])
    assert texts(store) == ["first", "answer"]
    store.close()


def test_all_or_nothing(path):
    store = SqliteStore(path)
    with pytest.raises(Exception):  # noqa: B017 - whatever SQLite says of a type that is none
        store.add([memory(), memory(text=object(), turn="t2")])
    assert texts(store) == []
    store.close()


def test_a_line_that_a_crash_left_open_becomes_an_interrupted_memory(path):
    store = SqliteStore(path)
    store.add([memory("Tell me", "t9")], [OpenLine("t9", "ada", "ana", "", 1.0), OpenLine("t8", "ada", "ana", "", 1.0)])
    store.add([], [OpenLine("t9", "ada", "ana", "Well, it was", 1.0)])
    store.close()  # as after a crash: nothing closed the lines
    for _ in range(2):
        store = SqliteStore(path)
        assert [(each.text, each.kind, each.ending) for each in store.load("ada")] == [
            ("Tell me", "heard", "complete"),
            ("Well, it was", "said", "interrupted"),
        ]
        store.close()


def test_a_line_that_ended_leaves_no_note(path):
    store = SqliteStore(path)
    store.add([], [OpenLine("t1", "ada", "ana", "Well", 1.0)])
    store.add([memory("Well, yes.", kind="said")], closed=["t1"])
    store.close()
    store = SqliteStore(path)
    assert texts(store) == ["Well, yes."]
    store.close()


def test_a_second_owner_is_refused_and_told_who_the_first_is(path):
    store = SqliteStore(path)
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert caught.value.code == "save_locked" and f"process {os.getpid()}" in caught.value.message
    store.close()
    SqliteStore(path).close()


def test_a_killed_owner_holds_nothing(path):
    code = (
        "import sys, time; from pathlib import Path; from townsfolk.memory.sqlite import SqliteStore;"
        "store = SqliteStore(Path(sys.argv[1])); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(StoreError) as caught:
            SqliteStore(path)
        assert f"process {owner.pid}" in caught.value.message
        owner.kill()
        owner.wait()
    SqliteStore(path).close()


def test_a_save_of_a_newer_version_is_left_as_it_is(path):
    store = SqliteStore(path)
    store.add([memory()])
    store.close()
    db = apsw.Connection(str(path))
    db.execute("PRAGMA user_version=99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert caught.value.code == "save_newer" and path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"This is a diary, not a database.\n" * 60, os.urandom(4096), b"SQLite format 3\0" + b"\xff" * 500]
)
def test_a_file_that_is_no_save_is_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert caught.value.code == "save_unreadable" and path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE bookmark(url)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert caught.value.code == "save_unreadable" and path.read_bytes() == before


def test_places_that_cannot_hold_a_save(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, code in [(tmp_path / "file" / "save.db", "save_readonly"), (tmp_path, "save_unreadable")]:
        with pytest.raises(StoreError) as caught:
            SqliteStore(path)
        assert caught.value.code == code


def test_a_folder_without_write_permission_is_told_and_can_still_be_read(path):
    """Root may write anywhere, so a process without its rights looks."""
    store = SqliteStore(path)
    store.add([memory("old times")])
    store.close()
    code = (
        "import os, sys; from pathlib import Path\n"
        "from townsfolk.memory.sqlite import SqliteStore, read_only_copy; from townsfolk.errors import StoreError\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "path = Path(sys.argv[1])\n"
        "try: SqliteStore(path)\n"
        "except StoreError as error: print(error.code)\n"
        "print([memory.text for memory in read_only_copy(path).load('ada')])\n"
    )
    for each in [path, path.parent, *list(path.parents)[1:4]]:
        each.chmod(0o555 if each.is_dir() else 0o444)
    try:
        run = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd="/", check=False
        )
    finally:
        for each in [*list(path.parents)[1:4], path.parent]:
            each.chmod(0o755)
    assert run.stdout.split("\n")[:2] == ["save_readonly", "['old times']"], run.stderr


def test_a_damaged_memory_is_noticed_and_left_out(path):
    store = SqliteStore(path)
    store.add([memory("the key is under the stone", "t1"), memory("fine", "t2")])
    store.close()
    raw = path.read_bytes()
    assert raw.count(b"under the stone") == 1
    path.write_bytes(raw.replace(b"under the stone", b"under the stonf"))
    store = SqliteStore(path)
    assert texts(store) == ["fine"] and store.damaged == 1
    store.close()


def test_a_copy_of_what_cannot_be_read_is_empty(tmp_path):
    assert read_only_copy(tmp_path / "nothing.db").load("ada") == []


def test_a_full_disk_is_told_and_writing_goes_on_when_there_is_room(path):
    store = SqliteStore(path)
    pages = next(iter(store._db.execute("PRAGMA page_count")))[0]
    store._db.execute(f"PRAGMA max_page_count={pages + 2}")  # SQLite's own "disk full"
    with pytest.raises(StoreError) as caught:
        for n in range(100):
            store.add([memory("x" * 500, f"t{n}")])
    assert caught.value.code == "save_full"
    kept = len(texts(store))
    store._db.execute("PRAGMA max_page_count=100000")
    store.add([memory("room again", "last")])
    assert len(texts(store)) == kept + 1
    store.close()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=80), st.sampled_from(["heard", "said"])), max_size=20))
def test_any_text_survives(rows):
    store = SqliteStore(None)
    cleaned = [(text.encode("utf-8", "ignore").decode(), kind) for text, kind in rows]
    store.add([memory(text, f"t{n}", kind) for n, (text, kind) in enumerate(cleaned)])
    assert [(each.text, each.kind) for each in store.load("ada")] == cleaned and store.damaged == 0
    store.close()


def test_opening_is_quick_enough_to_do_again(path):
    started = time.monotonic()
    for _ in range(20):
        SqliteStore(path).close()
    assert time.monotonic() - started < 60  # a hang, not a benchmark


def spent(at, **more):
    plain = {"money": 7, "tokens": Tokens(1, 2, 3, 4, 5, 6, 7, 8), "estimated": False}
    return Spent(at, "run", "ada", "ana", "m", "completed", "s-1", **{**plain, **more})


def test_what_was_spent_comes_back_exactly_also_while_a_host_uses_the_save(path):
    entries = [spent(1.5), spent(2.5, money=None, estimated=True), spent(3.5, tokens=Tokens(), money=0)]
    store = SqliteStore(path)
    store.spend(entries[:2])
    store.spend(entries[2:])
    assert store.spent() == entries and store.spent(2.5) == entries[1:]
    assert read_spent(path) == entries
    store.close()
    assert read_spent(path) == entries


def test_a_save_from_before_the_ledger_is_brought_up_to_date(path):
    path.parent.mkdir()
    with contextlib.closing(apsw.Connection(str(path))) as db:
        db.execute(M001)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version=1")
    assert read_spent(path) == []
    store = SqliteStore(path)
    store.spend([spent(1.0)])
    assert len(store.spent()) == 1
    store.close()


def test_a_ledger_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(StoreError):
        read_spent(tmp_path / "none.save")
    (tmp_path / "other.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError):
        read_spent(tmp_path / "other.db")
