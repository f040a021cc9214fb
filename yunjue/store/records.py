"""Tools, verdicts, cases and calls as rows of :class:`yunjue.store.database.Database`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from yunjue.errors import LibraryError, NameTaken
from yunjue.store.code import CodeFiles
from yunjue.store.database import Database
from yunjue.types import CallOutcome, Case, Tool, Verdict

INPUTS_BYTES = 4096
"""What is kept of the inputs of a call."""

_JSON_COLUMNS = ("input_schema", "output_schema", "requirements", "origin")
_TEXT_COLUMNS = ("id", "name", "description", "signature")


@dataclass(frozen=True, slots=True)
class Addition:
    """One tool of several that are added together.

    Attributes:
        active: whether it is put into use; an earlier version is not.
        why: for the history.
        instead_of: id of the active tool of the same name that is retired for it; or "".
    """

    tool: Tool
    verdict: Verdict
    active: bool = True
    why: str = ""
    instead_of: str = ""


def embedded_text(name: str, description: str, signature: str) -> str:
    """What of a tool is turned into its vector."""
    return f"{name.replace('_', ' ')}\n{description}\n{signature}"


class Records:
    """Reads and writes rows; a tool's source goes to ``code`` before its row is committed."""

    def __init__(self, database: Database, code: CodeFiles) -> None:
        self._db = database
        self._code = code

    def add(self, tool: Tool, verdict: Verdict) -> None:
        """Make ``tool`` active and keep the verdict with its cases, or do nothing if it is
        active already.

        Raises:
            NameTaken: another active tool has the name.
        """
        self._code.write(tool.source)
        with self._db.write() as db:
            self._add(db, tool, verdict)

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Add these tools in one transaction: all of them or, if anything is wrong, none.

        Raises:
            NameTaken: another active tool has the name of one.
        """
        with self._db.write() as db:
            for one in additions:
                if one.instead_of:
                    _retire(db, one.instead_of, one.why)
            for one in additions:  # before any file is written
                _holder(db, one.tool)
            for one in additions:
                self._code.write(one.tool.source)
                if one.active:
                    self._add(db, one.tool, one.verdict, one.why)
                else:
                    self._add_retired(db, one)

    def _add(self, db: Any, tool: Tool, verdict: Verdict, why: str = "") -> None:
        if _holder(db, tool):
            return
        now = _now()
        old = db.execute("SELECT 1 FROM tools WHERE id = ?", [tool.id]).fetchone()
        if old:
            db.execute("UPDATE tools SET status = 'active' WHERE id = ?", [tool.id])
            db.execute("DELETE FROM cases WHERE tool_id = ?", [tool.id])
        else:
            self._insert(db, tool, now)
        _evidence(db, tool, verdict, now)
        _note(db, tool.id, "added", why)

    def _add_retired(self, db: Any, one: Addition) -> None:
        """An earlier version, for the history; nothing if it is known already."""
        if db.execute("SELECT 1 FROM tools WHERE id = ?", [one.tool.id]).fetchone():
            return
        now = _now()
        self._insert(db, one.tool, now, "retired")
        _evidence(db, one.tool, one.verdict, now)
        _note(db, one.tool.id, "added", f"{one.why}, as an earlier version")

    def _insert(self, db: Any, tool: Tool, now: str, status: str = "active") -> None:
        texts = {column: getattr(tool, column) for column in _TEXT_COLUMNS}
        jsons = {column: _to_json(getattr(tool, column)) for column in _JSON_COLUMNS}
        db["tools"].insert({**texts, **jsons, "created": now, "status": status})
        db["tools_fts"].insert(texts)

    def retire(self, tool_id: str, why: str) -> None:
        """Take a tool out of use and free its name; everything about it is kept."""
        with self._db.write() as db:
            _retire(db, tool_id, why)

    def restore(self, tool_id: str, why: str, instead_of: str = "") -> None:
        """Put a retired tool into use again.

        Args:
            instead_of: the id of the active tool to retire in the same step; "" for none.

        Raises:
            NameTaken: another active tool has its name.
        """
        with self._db.write() as db:
            if instead_of:
                _retire(db, instead_of, why)
            try:
                changed = db.execute(
                    "UPDATE tools SET status = 'active' WHERE id = ? AND status = 'retired'",
                    [tool_id],
                )
            except sqlite3.IntegrityError:
                raise NameTaken("Another active tool has this name.") from None
            if changed.rowcount:
                _note(db, tool_id, "restored", why)

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All tools that ever had the name, oldest first: ``id``, ``status``, ``created``
        (ISO time in UTC), ``signature``, ``origin``."""
        rows = self._db.rows(
            "SELECT id, status, created, signature, origin FROM tools WHERE name = ? "
            "ORDER BY created, rowid",
            [name],
        )
        return [{**dict(row), "origin": json.loads(row["origin"])} for row in rows]

    def history(self, name: str) -> list[dict[str, Any]]:
        """What became of the tools of that name, oldest first: ``id``, ``what`` (added,
        retired, restored), ``why``, ``created``."""
        rows = self._db.rows(
            "SELECT tool_id AS id, what, why, history.created FROM history "
            "JOIN tools ON tools.id = history.tool_id WHERE name = ? ORDER BY number",
            [name],
        )
        return [dict(row) for row in rows]

    def names(self) -> list[str]:
        """Every name a tool has or had, sorted."""
        return [row["name"] for row in self._db.rows("SELECT DISTINCT name FROM tools ORDER BY 1")]

    def by_name(self, name: str) -> Tool | None:
        """The active tool of that name."""
        rows = self._db.rows("SELECT * FROM tools WHERE name = ? AND status = 'active'", [name])
        return self._tool(rows[0]) if rows else None

    def by_id(self, tool_id: str) -> Tool | None:
        """The tool with that id, active or retired."""
        rows = self._db.rows("SELECT * FROM tools WHERE id = ?", [tool_id])
        return self._tool(rows[0]) if rows else None

    def active(self) -> dict[str, str]:
        """id -> name of the active tools, in the order of their names."""
        rows = self._db.rows("SELECT id, name FROM tools WHERE status = 'active' ORDER BY name")
        return {row["id"]: row["name"] for row in rows}

    def texts(self) -> dict[str, str]:
        """id -> :func:`embedded_text` of the active tools."""
        rows = self._db.rows(
            "SELECT id, name, description, signature FROM tools WHERE status = 'active'"
        )
        return {
            row["id"]: embedded_text(row["name"], row["description"], row["signature"])
            for row in rows
        }

    def matching(self, match: str, most: int) -> list[str]:
        """Ids of active tools for an FTS5 query, best first by BM25."""
        rows = self._db.rows(
            "SELECT tools_fts.id FROM tools_fts JOIN tools ON tools.id = tools_fts.id "
            "WHERE tools_fts MATCH ? AND status = 'active' ORDER BY rank, tools.name LIMIT ?",
            [match, most],
        )
        return [row["id"] for row in rows]

    def add_verdict(self, verdict: Verdict) -> None:
        """Keep a later verdict on a tool; its cases stay as they are."""
        with self._db.write() as db:
            row = {"tool_id": verdict.tool_id, "verdict": _to_json(verdict.model_dump())}
            db["verdicts"].insert({**row, "created": _now()})

    def verdict(self, tool_id: str) -> Verdict | None:
        """The last verdict on a tool."""
        rows = self._db.rows(
            "SELECT verdict FROM verdicts WHERE tool_id = ? ORDER BY number DESC LIMIT 1", [tool_id]
        )
        return Verdict.model_validate(json.loads(rows[0]["verdict"])) if rows else None

    def cases(self, tool_id: str) -> list[Case]:
        rows = self._db.rows("SELECT * FROM cases WHERE tool_id = ? ORDER BY number", [tool_id])
        return [
            Case(
                inputs=json.loads(row["inputs"]),
                expected=json.loads(row["expected"]),
                raises=bool(row["raises"]),
                origin=row["origin"],
            )
            for row in rows
        ]

    def record_call(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: Mapping[str, Any]
    ) -> None:
        """Keep what a call came to; a second time with the same run and call is no news.

        Raises:
            LibraryError: the library has no such tool.
        """
        with self._db.write() as db:
            try:
                db.execute(
                    "INSERT INTO calls (run, call, tool_id, status, reason, seconds, inputs, "
                    "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, call) DO NOTHING",
                    [
                        run,
                        call,
                        tool_id,
                        outcome.status,
                        outcome.reason,
                        outcome.seconds,
                        _to_json(dict(inputs))[:INPUTS_BYTES],
                        _now(),
                    ],
                )
            except sqlite3.IntegrityError:
                raise LibraryError(f"The library has no tool with the id {tool_id!r}.") from None

    def stats(self, tool_id: str) -> dict[str, Any]:
        """How the tool's calls went: ``calls``, ``ok``, ``input_errors``, ``failed``,
        ``seconds`` (their sum), ``last_used`` (ISO time in UTC, or None)."""
        row = self._db.rows(
            "SELECT count(*) AS calls, total(status = 'ok') AS ok, "
            "total(status = 'input_error') AS input_errors, total(status = 'failed') AS failed, "
            "total(seconds) AS seconds, max(created) AS last_used FROM calls WHERE tool_id = ?",
            [tool_id],
        )[0]
        counts = {name: int(row[name]) for name in ("calls", "ok", "input_errors", "failed")}
        return {**counts, "seconds": row["seconds"], "last_used": row["last_used"]}

    def check(self) -> list[str]:
        """Tools that full text does not find, and code files that are not what they were."""
        ids = [row["id"] for row in self._db.rows("SELECT id FROM tools ORDER BY name")]
        listed = {row["id"] for row in self._db.rows("SELECT id FROM tools_fts")}
        problems = [f"full text lacks the tool {missing}" for missing in set(ids) - listed]
        for tool_id in ids:
            try:
                self._code.read(tool_id)
            except LibraryError as error:
                problems.append(error.message)
        return problems

    def _tool(self, row: sqlite3.Row) -> Tool:
        texts = {column: row[column] for column in _TEXT_COLUMNS}
        jsons = {column: json.loads(row[column]) for column in _JSON_COLUMNS}
        return Tool(**texts, **jsons, source=self._code.read(row["id"]))


def _holder(db: Any, tool: Tool) -> bool:
    """Whether the tool is active already; NameTaken if another of its name is."""
    holder = db.execute(
        "SELECT id FROM tools WHERE name = ? AND status = 'active'", [tool.name]
    ).fetchone()
    if holder and holder["id"] != tool.id:
        raise NameTaken(f"There is another tool named {tool.name!r}.")
    return holder is not None


def _evidence(db: Any, tool: Tool, verdict: Verdict, now: str) -> None:
    db["verdicts"].insert(
        {"tool_id": tool.id, "verdict": _to_json(verdict.model_dump()), "created": now}
    )
    db["cases"].insert_all(_case_row(tool.id, case) for case in verdict.cases)


def _retire(db: Any, tool_id: str, why: str) -> None:
    changed = db.execute(
        "UPDATE tools SET status = 'retired' WHERE id = ? AND status = 'active'", [tool_id]
    )
    if changed.rowcount:
        _note(db, tool_id, "retired", why)


def _note(db: Any, tool_id: str, what: str, why: str) -> None:
    db["history"].insert({"tool_id": tool_id, "what": what, "why": why, "created": _now()})


def _case_row(tool_id: str, case: Case) -> dict[str, Any]:
    return {
        "tool_id": tool_id,
        "inputs": _to_json(case.inputs),
        "expected": _to_json(case.expected),
        "raises": int(case.raises),
        "origin": case.origin,
    }


def _to_json(value: Any) -> str:
    """ASCII, because a lone surrogate, which JSON can carry, has no UTF-8."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise LibraryError(f"A tool's data is not JSON: {error}.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
