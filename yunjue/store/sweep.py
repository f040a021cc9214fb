"""What can be deleted from a library, and its deletion. Rows that say where a tool came from
and what became of it are never deleted."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from yunjue.store.code import CodeFiles
from yunjue.store.database import Database
from yunjue.store.failures import translated
from yunjue.store.rows import set_status

KEPT_CALLS = 1000
"""Newest calls of a tool that are kept in full; of the others their counts."""

QUARANTINE = "quarantine"
"""Folders of imports that were not finished, next to library.db."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that can be deleted.

    Attributes:
        kind: ``version`` (a retired tool), ``code`` (a file of no tool), ``calls`` (of one
            tool, beyond the newest), ``quarantine`` (a folder).
        id: of the tool, or the path within the library's folder.
        name: for a person.
        size: bytes on disk, about.
        why: since when it is of no use.
    """

    kind: str
    id: str
    name: str
    size: int
    why: str


class Sweep:
    """Finds and deletes leftovers of the library in ``folder``."""

    def __init__(self, database: Database, code: CodeFiles, folder: Path) -> None:
        self._db = database
        self._code = code
        self._folder = folder

    def find(self, older_than_days: float) -> list[Leftover]:
        """All leftovers: versions retired and not called for so many days, files of no tool,
        calls beyond the newest ``KEPT_CALLS`` of each tool, folders in quarantine as old."""
        return [
            *self._versions(_days_ago(older_than_days)),
            *self._files(),
            *self._surplus_calls(),
            *self._quarantined(older_than_days * 86400),
        ]

    def delete(self, leftover: Leftover, older_than_days: float) -> int:
        """Delete it, if it still is a leftover; the bytes that frees."""
        if leftover.kind == "version":
            return self._delete_version(leftover, _days_ago(older_than_days))
        return getattr(self, f"_delete_{leftover.kind}")(leftover)

    def _versions(self, before: str, tool_id: str = "") -> list[Leftover]:
        """Versions retired and not called since the time ``before``; all, or one."""
        rows = self._db.rows(
            """
            SELECT id, name, max(history.created) AS changed,
                (SELECT max(calls.created) FROM calls WHERE tool_id = tools.id) AS used
            FROM tools JOIN history ON history.tool_id = tools.id
            WHERE status = 'retired' AND ? IN ('', id) GROUP BY id
            HAVING changed <= ? AND (used IS NULL OR used <= ?)
            """,
            [tool_id, before, before],
        )
        return [
            Leftover(
                "version",
                row["id"],
                f"{row['name']} {row['id'][:12]}",
                self._size(self._code.path(row["id"])),
                f"retired since {row['changed'][:10]}, "
                f"last used {row['used'][:10] if row['used'] else 'never'}",
            )
            for row in rows
        ]

    def _files(self) -> list[Leftover]:
        # The rows are read after the files: a tool that is added meanwhile has its row.
        paths = sorted(self._code.folder.glob("*/*")) if self._code.folder.is_dir() else []
        rows = self._db.rows("SELECT id FROM tools WHERE status != 'deleted'")
        known = {self._code.path(row["id"]) for row in rows}
        return [
            Leftover("code", self._within(path), path.name, self._size(path), "no tool has it")
            for path in paths
            if path not in known and not self._just_written(path)
        ]

    def _just_written(self, path: Path) -> bool:
        """A temporary file of a writer at work."""
        return path.suffix == ".tmp" and self._age(path) < 3600

    def _surplus_calls(self) -> list[Leftover]:
        rows = self._db.rows(
            "SELECT tool_id, name, count(*) AS n, sum(length(inputs) + "
            "coalesce(length(output), 0)) AS size FROM calls JOIN tools ON tools.id = tool_id "
            "GROUP BY tool_id HAVING n > ?",
            [KEPT_CALLS],
        )
        return [
            Leftover(
                "calls",
                row["tool_id"],
                f"{row['n'] - KEPT_CALLS} calls of {row['name']}",
                row["size"] * (row["n"] - KEPT_CALLS) // row["n"],
                f"beyond the newest {KEPT_CALLS}; their counts are kept",
            )
            for row in rows
        ]

    def _quarantined(self, seconds: float) -> list[Leftover]:
        folder = self._folder / QUARANTINE
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [
            Leftover("quarantine", self._within(path), path.name, _tree_size(path), "left behind")
            for path in found
            if self._age(path) >= seconds
        ]

    def _delete_version(self, found: Leftover, before: str) -> int:
        with self._db.write() as db:
            if not self._versions(before, found.id):
                return 0  # restored, or called, since it was found
            db.execute("DELETE FROM cases WHERE tool_id = ?", [found.id])
            db.execute("DELETE FROM verdicts WHERE tool_id = ?", [found.id])
            _forget_calls(db, found.id, keep=0)
            set_status(db, found.id, "deleted", "deleted", f"gc: {found.why}")
        self._unlink_unused(self._code.path(found.id))
        return found.size

    def _delete_code(self, found: Leftover) -> int:
        return found.size if self._unlink_unused(self._folder / found.id) else 0

    def _delete_calls(self, found: Leftover) -> int:
        with self._db.write() as db:
            _forget_calls(db, found.id, KEPT_CALLS)
        return found.size

    def _delete_quarantine(self, found: Leftover) -> int:
        path = self._folder / found.id
        with translated(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return found.size

    def _unlink_unused(self, path: Path) -> bool:
        """Delete a code file unless a tool has it. A writer puts file and row into one
        transaction, so none can come in between."""
        with self._db.write() as db, translated(path):
            used = db.execute(
                "SELECT 1 FROM tools WHERE id = ? AND status != 'deleted'", [path.stem]
            ).fetchone()
            if used and path == self._code.path(path.stem):
                return False
            path.unlink(missing_ok=True)
            return True

    def _within(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _size(self, path: Path) -> int:
        return path.stat().st_size if path.exists() else 0

    def _age(self, path: Path) -> float:
        """Seconds since it was written."""
        return time.time() - path.stat().st_mtime if path.exists() else 0.0


def _days_ago(days: float) -> str:
    """ISO time in UTC, as rows have it."""
    then = datetime.now(UTC) - timedelta(days=days)
    return then.isoformat(timespec="milliseconds")


def _forget_calls(db: Any, tool_id: str, keep: int) -> None:
    """Delete all but the newest ``keep`` calls of a tool, and add their counts to those of
    calls forgotten before."""
    values = {"id": tool_id, "keep": keep}
    db.execute(_ADD_COUNTS, values)
    db.execute(
        "DELETE FROM calls WHERE tool_id = :id AND number NOT IN "
        "(SELECT number FROM calls WHERE tool_id = :id ORDER BY number DESC LIMIT :keep)",
        values,
    )


# A run that has kept and forgotten calls is counted with the kept ones.
_ADD_COUNTS = """
    WITH kept AS (
        SELECT number, run FROM calls WHERE tool_id = :id ORDER BY number DESC LIMIT :keep
    ), made AS (
        SELECT CASE WHEN json_valid(origin) THEN json_extract(origin, '$.run') END AS run
        FROM tools WHERE id = :id
    )
    INSERT INTO forgotten_calls
    SELECT tool_id, count(*), total(status = 'ok'), total(status = 'input_error'),
        total(status = 'failed'),
        count(DISTINCT CASE WHEN run NOT IN (SELECT run FROM kept) THEN run END),
        count(DISTINCT CASE WHEN status = 'ok' AND run NOT IN (SELECT run FROM kept)
            AND run IS NOT (SELECT run FROM made) THEN run END),
        total(seconds), max(created)
    FROM calls WHERE tool_id = :id AND number NOT IN (SELECT number FROM kept) GROUP BY tool_id
    ON CONFLICT (tool_id) DO UPDATE SET
        calls = calls + excluded.calls, ok = ok + excluded.ok,
        input_errors = input_errors + excluded.input_errors,
        failed = failed + excluded.failed, runs = runs + excluded.runs,
        later_runs = later_runs + excluded.later_runs,
        seconds = seconds + excluded.seconds,
        last_used = max(last_used, excluded.last_used)
"""


def _tree_size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(path)
        for name in names
    )
