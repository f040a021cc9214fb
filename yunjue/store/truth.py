"""What the vector index must follow: the tools in use, and what changed since it last looked.

The history is written with every change of a tool's status, and its numbers only grow. So an
index that remembers the last number it saw asks for what came after, whatever the library's
size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from yunjue.store.database import Database


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes.

    Attributes:
        upto: the number to ask from next time.
        texts: id -> text to embed, of tools now in use.
        gone: ids of tools not in use.
        more: the page is full; there may be others.
    """

    upto: int
    texts: dict[str, str]
    gone: list[str]
    more: bool


class Followed(Protocol):
    """What a vector index can follow: :class:`Truth` for tools; others for other things."""

    def identity(self) -> str:
        """The same as long as it is the same database."""

    def changes(self, since: int, most: int) -> Changes:
        """What became of things after the number ``since``, in at most ``most`` steps."""

    def latest(self) -> int:
        """The number of the last change."""

    def ids(self) -> tuple[int, set[str]]:
        """The last number, and the ids of all that should be found at it."""

    def count(self) -> tuple[int, int]:
        """The last number, and how many should be found at it."""

    def texts(self, ids: list[str]) -> dict[str, str]:
        """id -> text of those of ``ids`` that should be found."""


def embedded_text(name: str, description: str, signature: str) -> str:
    """What of a tool is turned into its vector."""
    return f"{name.replace('_', ' ')}\n{description}\n{signature}"


class Truth:
    """The tools in use of a database, for :class:`yunjue.store.index.VectorIndex`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def identity(self) -> str:
        """The same as long as it is the same library."""
        rows = self._db.rows("SELECT value FROM meta WHERE key = 'created'")
        return rows[0]["value"] if rows else ""

    def changes(self, since: int, most: int) -> Changes:
        """What became of tools after the number ``since``, in at most ``most`` steps."""
        rows = self._db.rows(
            "SELECT history.number AS upto, id, name, description, signature, "
            "status IN ('active', 'suspect') AS used "
            "FROM history JOIN tools ON tools.id = history.tool_id "
            "WHERE history.number > ? ORDER BY history.number LIMIT ?",
            [since, most],
        )
        texts = {
            row["id"]: embedded_text(row["name"], row["description"], row["signature"])
            for row in rows
            if row["used"]
        }
        gone = sorted({row["id"] for row in rows if not row["used"]})
        return Changes(rows[-1]["upto"] if rows else since, texts, gone, len(rows) == most)

    def latest(self) -> int:
        """The number of the last change."""
        return self._db.rows("SELECT coalesce(max(number), 0) AS n FROM history")[0]["n"]

    def ids(self) -> tuple[int, set[str]]:
        """The last number, and the ids of all tools in use at it."""
        with self._db.snapshot():
            latest = self.latest()
            rows = self._db.rows("SELECT id FROM in_use")
        return latest, {row["id"] for row in rows}

    def count(self) -> tuple[int, int]:
        """The last number, and how many tools are in use at it."""
        with self._db.snapshot():
            latest = self.latest()
            rows = self._db.rows("SELECT count(*) AS n FROM in_use")
        return latest, rows[0]["n"]

    def texts(self, ids: list[str]) -> dict[str, str]:
        """id -> text of those of ``ids`` that are in use."""
        rows = self._db.rows(
            # json_each has a column `id` of its own.
            "SELECT in_use.id, name, description, signature FROM json_each(?) AS asked "
            "CROSS JOIN in_use ON in_use.id = asked.value",
            [json.dumps(ids)],
        )
        return {
            row["id"]: embedded_text(row["name"], row["description"], row["signature"])
            for row in rows
        }
