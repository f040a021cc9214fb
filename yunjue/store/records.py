"""Tools, their verdicts and cases as rows of :class:`yunjue.store.database.Database`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.errors import LibraryError, NameTaken
from yunjue.store.code import CodeFiles
from yunjue.store.database import Database
from yunjue.store.rows import (
    IN_USE,
    JSONS,
    TEXTS,
    case_row,
    holder_of,
    insert_tool,
    now,
    set_status,
    status_of,
    to_json,
)
from yunjue.types import Case, Tool, Verdict


@dataclass(frozen=True, slots=True)
class Addition:
    """One tool of several that are added together.

    Attributes:
        active: whether it is put into use; an earlier version is not.
        why: for the history.
        instead_of: id of the tool in use of the same name that is retired for it; or "".
    """

    tool: Tool
    verdict: Verdict
    active: bool = True
    why: str = ""
    instead_of: str = ""


class Records:
    """Reads and writes rows; a tool's source goes to ``code`` before its row is committed."""

    def __init__(self, database: Database, code: CodeFiles) -> None:
        self._db = database
        self._code = code

    def add(self, tool: Tool, verdict: Verdict) -> None:
        """Make ``tool`` active and keep the verdict with its cases, or do nothing if it is
        in use already.

        Raises:
            NameTaken: another tool in use has the name.
        """
        self.add_all([Addition(tool, verdict)])

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Add these tools in one transaction: all of them or, if anything is wrong, none.

        Raises:
            NameTaken: another tool in use has the name of one.
        """
        with self._db.write() as db:
            for one in additions:
                if one.instead_of:
                    set_status(db, one.instead_of, "retired", "retired", one.why)
            for one in additions:  # before any file is written
                if one.active and holder_of(db, one.tool.name) not in ("", one.tool.id):
                    raise NameTaken(f"There is another tool named {one.tool.name!r}.")
            for one in additions:
                if one.active:
                    self._add(db, one.tool, one.verdict, one.why)
                else:
                    self._add_earlier(db, one)

    def _add(self, db: Any, tool: Tool, verdict: Verdict, why: str) -> None:
        if holder_of(db, tool.name) != tool.id:
            self._put_in_use(db, tool, verdict, "added", why)

    def _add_earlier(self, db: Any, one: Addition) -> None:
        """An earlier version, for the history; nothing if it is known already."""
        if not status_of(db, one.tool.id):
            self._write(db, one.tool)
            self._keep_proof(db, one.verdict)
            why = f"{one.why}, as an earlier version"
            set_status(db, one.tool.id, "retired", "added", why)

    def replace(self, old_id: str, tool: Tool, verdict: Verdict, why: str) -> None:
        """Retire ``old_id`` and put ``tool`` in its place in one step.

        Raises:
            LibraryError: the old one is not in use, or has another name.
        """
        with self._db.write() as db:
            if holder_of(db, tool.name) != old_id:
                raise LibraryError(f"{old_id[:12]} is not the {tool.name} in use any more.")
            if tool.id == old_id:
                raise LibraryError(f"{tool.name} cannot take its own place.")
            set_status(db, old_id, "retired", "retired", why)
            self._put_in_use(db, tool, verdict, "added", why)

    def propose(self, tool: Tool, cases: list[Case], why: str) -> None:
        """Keep ``tool`` as a candidate, which is not found; nothing if it is known already."""
        with self._db.write() as db:
            if status_of(db, tool.id) not in ("", "deleted"):
                return
            self._write(db, tool)
            db["cases"].insert_all(case_row(tool.id, case) for case in cases)
            set_status(db, tool.id, "candidate", "proposed", why)

    def _put_in_use(self, db: Any, tool: Tool, verdict: Verdict, what: str, why: str) -> None:
        self._write(db, tool)
        self._keep_proof(db, verdict)
        set_status(db, tool.id, "active", what, why)

    def _keep_proof(self, db: Any, verdict: Verdict) -> None:
        tool_id = verdict.tool_id
        row = {"tool_id": tool_id, "verdict": to_json(verdict.model_dump()), "created": now()}
        db["verdicts"].insert(row)
        db["cases"].insert_all(case_row(tool_id, case) for case in verdict.cases)

    def _write(self, db: Any, tool: Tool) -> None:
        """File and row; within the transaction, so that nobody sweeps the file meanwhile."""
        self._code.write(tool.source)
        if status_of(db, tool.id):
            db.execute("DELETE FROM cases WHERE tool_id = ?", [tool.id])
        else:
            insert_tool(db, tool)

    def retire(self, tool_id: str, why: str) -> None:
        """Take a tool out of use and free its name; everything about it is kept."""
        with self._db.write() as db:
            if status_of(db, tool_id) in (*IN_USE, "candidate"):
                set_status(db, tool_id, "retired", "retired", why)

    def restore(self, tool_id: str, why: str, replace: bool) -> None:
        """Put a retired tool into use again.

        Args:
            replace: retire the tool in use of the same name in the same step.

        Raises:
            NameTaken: another tool in use has its name.
            LibraryError: it was never proven here, or its file was deleted.
        """
        with self._db.write() as db:
            row = db.execute("SELECT name, status FROM tools WHERE id = ?", [tool_id]).fetchone()
            if row["status"] in IN_USE:
                return
            if row["status"] != "retired":
                raise LibraryError(f"{row['name']} {tool_id[:12]} is {row['status']}.")
            if not _was_admitted(db, tool_id):
                raise LibraryError(f"{row['name']} {tool_id[:12]} was never proven here.")
            holder = holder_of(db, row["name"])
            if holder and not replace:
                raise NameTaken(f"There is another active tool named {row['name']!r}.")
            if holder:
                set_status(db, holder, "retired", "retired", why)
            set_status(db, tool_id, "active", "restored", why)

    def add_verdict(self, verdict: Verdict) -> None:
        """Keep a later verdict on a tool; its cases stay as they are."""
        with self._db.write() as db:
            row = {"tool_id": verdict.tool_id, "verdict": to_json(verdict.model_dump())}
            db["verdicts"].insert({**row, "created": now()})

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All tools that ever had the name, oldest first: ``id``, ``status``, ``in_use``,
        ``created`` (ISO time in UTC), ``signature``, ``origin``."""
        rows = self._db.rows(
            "SELECT id, status, created, signature, origin FROM tools WHERE name = ? "
            "ORDER BY number",
            [name],
        )
        return [
            {
                **dict(row),
                "in_use": row["status"] in IN_USE,
                "origin": json.loads(row["origin"]),
            }
            for row in rows
        ]

    def history(self, name: str) -> list[dict[str, Any]]:
        """What became of the tools of that name, oldest first: ``id``, ``what``, ``why``,
        ``created``."""
        rows = self._db.rows(
            "SELECT tool_id AS id, what, why, history.created FROM history "
            "JOIN tools ON tools.id = history.tool_id WHERE name = ? ORDER BY history.number",
            [name],
        )
        return [dict(row) for row in rows]

    def by_name(self, name: str) -> Tool | None:
        """The tool in use of that name."""
        rows = self._db.rows("SELECT * FROM in_use WHERE name = ?", [name])
        return self._tool(rows[0]) if rows else None

    def by_id(self, tool_id: str) -> Tool | None:
        """The tool with that id, in use or not.

        Raises:
            LibraryError: its file is gone, was changed, or was deleted by ``gc``.
        """
        rows = self._db.rows("SELECT * FROM tools WHERE id = ?", [tool_id])
        return self._tool(rows[0]) if rows else None

    def has(self, tool_id: str) -> bool:
        return bool(self._db.rows("SELECT 1 FROM tools WHERE id = ?", [tool_id]))

    def in_use(self) -> dict[str, str]:
        """id -> name of the tools in use, in the order of their names."""
        rows = self._db.rows("SELECT id, name FROM in_use ORDER BY name")
        return {row["id"]: row["name"] for row in rows}

    def names_after(self, name: str, most: int) -> list[str]:
        """The ids of the first ``most`` tools in use whose names come after ``name``."""
        rows = self._db.rows(
            "SELECT id FROM in_use WHERE name > ? ORDER BY name LIMIT ?", [name, most]
        )
        return [row["id"] for row in rows]

    def origins(self) -> list[dict[str, Any]]:
        """``name``, ``id``, ``status`` and ``origin`` of the tools in use, by name."""
        rows = self._db.rows("SELECT name, id, status, origin FROM in_use ORDER BY name")
        return [{**dict(row), "origin": json.loads(row["origin"])} for row in rows]

    def any_in_use(self) -> bool:
        return bool(self._db.rows("SELECT 1 FROM in_use LIMIT 1"))

    def count(self) -> int:
        """How many tools are in use."""
        return self._db.rows("SELECT count(*) AS n FROM in_use")[0]["n"]

    def status(self, tool_id: str) -> str:
        """One of ``STATUSES``, or "" if there is no such tool."""
        rows = self._db.rows("SELECT status FROM tools WHERE id = ?", [tool_id])
        return rows[0]["status"] if rows else ""

    def verdict(self, tool_id: str) -> Verdict | None:
        """The last verdict on a tool."""
        rows = self._db.rows(
            "SELECT verdict FROM verdicts WHERE tool_id = ? ORDER BY number DESC LIMIT 1", [tool_id]
        )
        return Verdict.model_validate(json.loads(rows[0]["verdict"])) if rows else None

    def cases(self, tool_id: str) -> list[Case]:
        """The cases it was admitted with."""
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

    def check(self) -> list[str]:
        """Tools that full text does not find, and code files that are not what they were."""
        rows = self._db.rows(
            "SELECT tools.id, name, status FROM tools WHERE status != 'deleted' ORDER BY name"
        )
        listed = {row["number"] for row in self._db.rows("SELECT rowid AS number FROM tools_fts")}
        wanted = {
            row["number"]: row["id"] for row in self._db.rows("SELECT number, id FROM in_use")
        }
        problems = [
            f"full text lacks the tool {wanted[number]}" for number in wanted.keys() - listed
        ]
        problems += [
            f"full text has a tool that is not in use ({n})" for n in listed - wanted.keys()
        ]
        for row in rows:
            try:
                self._code.read(row["id"])
            except LibraryError as error:
                problems.append(error.message)
        return problems

    def _tool(self, row: sqlite3.Row) -> Tool:
        if row["status"] == "deleted":
            raise LibraryError(
                f"The version {row['id'][:12]} of {row['name']} was deleted.",
                hint="`yunjue tools history` shows when and why.",
            )
        texts = {column: row[column] for column in TEXTS}
        jsons = {column: json.loads(row[column]) for column in JSONS}
        return Tool(**texts, **jsons, source=self._code.read(row["id"]))


def _was_admitted(db: Any, tool_id: str) -> bool:
    """Whether any proof of the tool let it in; one that was only proposed has none."""
    rows = db.execute("SELECT verdict FROM verdicts WHERE tool_id = ?", [tool_id]).fetchall()
    return any(json.loads(row["verdict"])["admitted"] for row in rows)
