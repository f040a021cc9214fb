"""The schema of principles.db, as numbered steps. Append; never edit a released one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from yunjue.store.migrations import Schema

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

NAMES = ("m001_principles", "m002_lessons")


@cache
def migrations() -> Migrations:
    """All steps in order."""
    from sqlite_utils import Migrations

    steps = Migrations("yunjue.principles")

    @steps()
    def m001_principles(db: Database) -> None:
        # `succ` and `use` repeat what `uses` says, so that a search need not count.
        db.executescript(
            """
            CREATE TABLE principles (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL CHECK (kind IN ('guiding', 'cautionary')),
                sentence TEXT NOT NULL,
                same TEXT NOT NULL,
                triples TEXT NOT NULL,
                domain TEXT NOT NULL,
                tools TEXT NOT NULL,
                errors TEXT NOT NULL,
                author TEXT NOT NULL CHECK (author IN ('model', 'person')),
                pinned INTEGER NOT NULL DEFAULT 0,
                status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'pruned')),
                succ INTEGER NOT NULL DEFAULT 0,
                use INTEGER NOT NULL DEFAULT 0,
                created TEXT NOT NULL,
                UNIQUE (kind, same)
            );
            CREATE INDEX principles_by_status ON principles (status);
            CREATE TABLE evidence (
                principle TEXT NOT NULL REFERENCES principles (id),
                run TEXT NOT NULL,
                steps TEXT NOT NULL,
                PRIMARY KEY (principle, run)
            ) WITHOUT ROWID;
            CREATE TABLE uses (
                principle TEXT NOT NULL REFERENCES principles (id),
                run TEXT NOT NULL,
                credit TEXT NOT NULL CHECK (credit IN ('success', 'failure', 'none')),
                created TEXT NOT NULL,
                PRIMARY KEY (principle, run)
            ) WITHOUT ROWID;
            CREATE TABLE runs (run TEXT PRIMARY KEY, finished TEXT NOT NULL);
            CREATE TABLE changes (
                number INTEGER PRIMARY KEY,
                principle TEXT NOT NULL REFERENCES principles (id),
                what TEXT NOT NULL,
                why TEXT NOT NULL,
                created TEXT NOT NULL
            );
            CREATE INDEX changes_by_principle ON changes (principle);
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
            INSERT INTO meta VALUES ('created', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
            """
        )

    @steps()
    def m002_lessons(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE lessons (
                number INTEGER PRIMARY KEY,
                run TEXT NOT NULL UNIQUE,
                trace TEXT NOT NULL,
                state TEXT NOT NULL DEFAULT 'waiting'
                    CHECK (state IN ('waiting', 'learnt', 'nothing', 'failed')),
                tries INTEGER NOT NULL DEFAULT 0,
                tokens INTEGER NOT NULL DEFAULT 0,
                cost_usd REAL NOT NULL DEFAULT 0,
                why TEXT NOT NULL DEFAULT '',
                created TEXT NOT NULL
            );
            CREATE INDEX lessons_by_state ON lessons (state);
            """
        )

    return steps


PRINCIPLES = Schema(NAMES, migrations)
"""The schema of principles.db."""
