"""The schema of library.db, as numbered steps. Append; never edit a released one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


NAMES = (
    "m001_tools",
    "m002_evidence",
    "m003_calls",
    "m004_history",
    "m005_life",
    "m006_use",
    "m007_refusals",
    "m008_absorptions",
)


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database is brought to.

    Attributes:
        names: of all steps, in order.
        steps: makes them; called late, because sqlite_utils is imported late.
    """

    names: tuple[str, ...]
    steps: Callable[[], Migrations]

    def applied_by_newer(self, db: Database) -> str:
        """The last step of ``db`` that this version does not know; empty if there is none."""
        applied = [step.name for step in self.steps().applied(db)]
        return next((name for name in reversed(applied) if name not in self.names), "")


@cache
def migrations() -> Migrations:
    """All steps in order (sqlite_utils is imported late, hence a function)."""
    from sqlite_utils import Migrations

    steps = Migrations("yunjue.library")

    @steps()
    def m001_tools(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE tools (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                description TEXT NOT NULL,
                signature TEXT NOT NULL,
                input_schema TEXT NOT NULL,
                output_schema TEXT NOT NULL,
                requirements TEXT NOT NULL,
                origin TEXT NOT NULL,
                created TEXT NOT NULL,
                status TEXT NOT NULL CHECK (status IN ('active', 'retired'))
            );
            CREATE UNIQUE INDEX one_active_tool_per_name ON tools (name) WHERE status = 'active';
            CREATE VIRTUAL TABLE tools_fts USING fts5 (
                id UNINDEXED, name, description, signature, tokenize = 'porter unicode61'
            );
            """
        )

    @steps()
    def m002_evidence(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE verdicts (
                number INTEGER PRIMARY KEY,
                tool_id TEXT NOT NULL REFERENCES tools (id),
                verdict TEXT NOT NULL,
                created TEXT NOT NULL
            );
            CREATE INDEX verdicts_by_tool ON verdicts (tool_id);
            CREATE TABLE cases (
                number INTEGER PRIMARY KEY,
                tool_id TEXT NOT NULL REFERENCES tools (id),
                inputs TEXT NOT NULL,
                expected TEXT NOT NULL,
                raises INTEGER NOT NULL,
                origin TEXT NOT NULL
            );
            CREATE INDEX cases_by_tool ON cases (tool_id);
            """
        )

    @steps()
    def m003_calls(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE calls (
                run TEXT NOT NULL,
                call TEXT NOT NULL,
                tool_id TEXT NOT NULL REFERENCES tools (id),
                status TEXT NOT NULL,
                reason TEXT NOT NULL,
                seconds REAL NOT NULL,
                inputs TEXT NOT NULL,
                created TEXT NOT NULL,
                PRIMARY KEY (run, call)
            );
            CREATE INDEX calls_by_tool ON calls (tool_id);
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
            INSERT INTO meta VALUES ('created', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
            """
        )

    @steps()
    def m004_history(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE history (
                number INTEGER PRIMARY KEY,
                tool_id TEXT NOT NULL REFERENCES tools (id),
                what TEXT NOT NULL,
                why TEXT NOT NULL,
                created TEXT NOT NULL
            );
            CREATE INDEX history_by_tool ON history (tool_id);
            CREATE INDEX tools_by_name ON tools (name);
            INSERT INTO history (tool_id, what, why, created)
                SELECT id, 'added', '', created FROM tools ORDER BY created;
            """
        )

    @steps()
    def m005_life(db: Database) -> None:
        # SQLite cannot change a CHECK, so the status moves to a new column of that name.
        db.executescript(
            """
            DROP INDEX one_active_tool_per_name;
            ALTER TABLE tools ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
                CHECK (state IN ('candidate', 'active', 'suspect', 'retired', 'deleted'));
            UPDATE tools SET state = status;
            ALTER TABLE tools DROP COLUMN status;
            ALTER TABLE tools RENAME COLUMN state TO status;
            ALTER TABLE tools ADD COLUMN number INTEGER;
            ALTER TABLE tools ADD COLUMN domain TEXT NOT NULL DEFAULT '';
            ALTER TABLE tools ADD COLUMN permissions TEXT NOT NULL DEFAULT '[]';
            ALTER TABLE tools ADD COLUMN judged_from INTEGER NOT NULL DEFAULT 0;
            UPDATE tools SET number = rowid;
            CREATE UNIQUE INDEX tools_by_number ON tools (number);
            CREATE UNIQUE INDEX one_tool_in_use_per_name ON tools (name)
                WHERE status IN ('active', 'suspect');
            CREATE INDEX tools_by_status ON tools (status);
            CREATE VIEW in_use AS SELECT * FROM tools WHERE status IN ('active', 'suspect');
            DROP TABLE tools_fts;
            CREATE VIRTUAL TABLE tools_fts USING fts5 (
                name, description, signature, tokenize = 'porter unicode61'
            );
            INSERT INTO tools_fts (rowid, name, description, signature)
                SELECT number, name, description, signature FROM tools WHERE status = 'active';
            """
        )

    @steps()
    def m006_use(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE numbered_calls (
                number INTEGER PRIMARY KEY,
                run TEXT NOT NULL,
                call TEXT NOT NULL,
                tool_id TEXT NOT NULL REFERENCES tools (id),
                status TEXT NOT NULL,
                reason TEXT NOT NULL,
                error TEXT NOT NULL DEFAULT '',
                seconds REAL NOT NULL,
                inputs TEXT NOT NULL,
                output TEXT,
                created TEXT NOT NULL,
                UNIQUE (run, call)
            );
            INSERT INTO numbered_calls
                (run, call, tool_id, status, reason, seconds, inputs, created)
                SELECT run, call, tool_id, status, reason, seconds, inputs, created
                FROM calls ORDER BY created, rowid;
            DROP TABLE calls;
            ALTER TABLE numbered_calls RENAME TO calls;
            CREATE INDEX calls_by_tool ON calls (tool_id, number);
            CREATE TABLE forgotten_calls (
                tool_id TEXT PRIMARY KEY REFERENCES tools (id),
                calls INTEGER NOT NULL,
                ok INTEGER NOT NULL,
                input_errors INTEGER NOT NULL,
                failed INTEGER NOT NULL,
                runs INTEGER NOT NULL,
                later_runs INTEGER NOT NULL,
                seconds REAL NOT NULL,
                last_used TEXT
            );
            """
        )

    @steps()
    def m007_refusals(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE refusals (
                name TEXT NOT NULL,
                model TEXT NOT NULL,
                times INTEGER NOT NULL,
                passed_over INTEGER NOT NULL,
                why TEXT NOT NULL,
                run TEXT NOT NULL,
                last TEXT NOT NULL,
                PRIMARY KEY (name, model)
            );
            """
        )

    @steps()
    def m008_absorptions(db: Database) -> None:
        db.executescript(
            """
            CREATE TABLE absorptions (
                evolution TEXT NOT NULL,
                step INTEGER NOT NULL,
                record TEXT NOT NULL,
                created TEXT NOT NULL,
                PRIMARY KEY (evolution, step)
            );
            """
        )

    return steps


LIBRARY = Schema(NAMES, migrations)
"""The schema of library.db."""
