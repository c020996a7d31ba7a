"""The shape of a SQLite save, as numbered steps. Runs none of them; `sqlite.py` does."""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS"]

APPLICATION_ID: Final = 0x746F776E  # "town"

M001: Final = """
CREATE TABLE memory(
    seq INTEGER PRIMARY KEY,
    npc TEXT NOT NULL,
    kind TEXT NOT NULL,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    player TEXT,
    turn TEXT,
    ending TEXT NOT NULL,
    topic TEXT,
    at REAL NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_npc ON memory(npc, seq);
CREATE UNIQUE INDEX memory_turn ON memory(turn, kind) WHERE turn IS NOT NULL;
CREATE TABLE open_line(
    turn TEXT PRIMARY KEY,
    npc TEXT NOT NULL,
    player TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""

M002: Final = """
CREATE TABLE spent(
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    session TEXT NOT NULL,
    npc TEXT NOT NULL,
    player TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    line TEXT NOT NULL,
    input_text INTEGER NOT NULL,
    input_audio INTEGER NOT NULL,
    input_image INTEGER NOT NULL,
    cached_text INTEGER NOT NULL,
    cached_audio INTEGER NOT NULL,
    cached_image INTEGER NOT NULL,
    output_text INTEGER NOT NULL,
    output_audio INTEGER NOT NULL,
    money INTEGER,
    estimated INTEGER NOT NULL
) STRICT;

CREATE INDEX spent_at ON spent(at);
"""

MIGRATIONS: Final = (M001, M002)
"""Step n brings a save of version n to version n + 1. Steps are only ever added."""
