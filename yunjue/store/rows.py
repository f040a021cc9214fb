"""What every writer of the library's rows shares: JSON, time, history, and the status of a tool.

A tool's status, its place in full text and its history change together, here and nowhere
else. The history's numbers only grow: what follows the library (the vector index) asks what
came after the number it saw last.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from yunjue.errors import LibraryError, NameTaken
from yunjue.types import Case, Tool

IN_USE = ("active", "suspect")
"""What search finds, and the view ``in_use`` holds. A name belongs to one tool in use."""

STATUSES = ("candidate", *IN_USE, "retired", "deleted")

TEXTS = ("id", "name", "description", "signature")
JSONS = ("input_schema", "output_schema", "requirements", "origin")


def insert_tool(db: Any, tool: Tool) -> None:
    """A row for the tool, a candidate until :func:`set_status` says otherwise."""
    texts = {column: getattr(tool, column) for column in TEXTS}
    jsons = {column: to_json(getattr(tool, column)) for column in JSONS}
    (number,) = db.execute("SELECT coalesce(max(number), 0) + 1 FROM tools").fetchone()
    domain, permissions = tool.origin.get("domain"), tool.origin.get("permissions")
    needed = permissions if isinstance(permissions, list) else []
    db["tools"].insert(
        {
            **texts,
            **jsons,
            "created": now(),
            "status": "candidate",
            "number": number,
            "domain": domain if isinstance(domain, str) else "",
            "permissions": to_json([one for one in needed if isinstance(one, str)]),
        }
    )


def set_status(db: Any, tool_id: str, status: str, what: str, why: str) -> None:
    """Give the tool a status and note what became of it and why. Its calls are judged anew.

    Raises:
        NameTaken: it would be in use, and another tool in use has its name.
    """
    try:
        db.execute(
            "UPDATE tools SET status = ?, judged_from = (SELECT coalesce(max(number), 0) "
            "FROM calls) WHERE id = ?",
            [status, tool_id],
        )
    except sqlite3.IntegrityError:
        raise NameTaken("Another tool in use has this name.") from None
    db.execute(
        "DELETE FROM tools_fts WHERE rowid = (SELECT number FROM tools WHERE id = ?)", [tool_id]
    )
    if status in IN_USE:
        db.execute(
            "INSERT INTO tools_fts (rowid, name, description, signature) "
            "SELECT number, name, description, signature FROM tools WHERE id = ?",
            [tool_id],
        )
    note(db, tool_id, what, why)


def status_of(db: Any, tool_id: str) -> str:
    """The status of a tool, or "" if there is none with that id."""
    row = db.execute("SELECT status FROM tools WHERE id = ?", [tool_id]).fetchone()
    return row["status"] if row else ""


def holder_of(db: Any, name: str) -> str:
    """Id of the tool in use of that name, or ""."""
    row = db.execute("SELECT id FROM in_use WHERE name = ?", [name]).fetchone()
    return row["id"] if row else ""


def note(db: Any, tool_id: str, what: str, why: str) -> None:
    """One line of history."""
    db["history"].insert({"tool_id": tool_id, "what": what, "why": why, "created": now()})


def case_row(tool_id: str, case: Case) -> dict[str, Any]:
    return {
        "tool_id": tool_id,
        "inputs": to_json(case.inputs),
        "expected": to_json(case.expected),
        "raises": int(case.raises),
        "origin": case.origin,
    }


def to_json(value: Any) -> str:
    """ASCII, because a lone surrogate, which JSON can carry, has no UTF-8."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise LibraryError(f"A tool's data is not JSON: {error}.") from error


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
