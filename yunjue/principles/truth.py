"""What the vector index must follow: the active principles, by their sentences."""

from __future__ import annotations

import json

from yunjue.store.database import Database
from yunjue.store.truth import Changes


class ActivePrinciples:
    """A :class:`yunjue.store.truth.Followed`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def identity(self) -> str:
        """The same as long as it is the same bank."""
        return self._db.rows("SELECT value FROM meta WHERE key = 'created'")[0]["value"]

    def changes(self, since: int, most: int) -> Changes:
        """What became of principles after the number ``since``, in at most ``most`` steps."""
        rows = self._db.rows(
            "SELECT changes.number AS upto, id, sentence, status FROM changes "
            "JOIN principles ON principles.id = changes.principle "
            "WHERE changes.number > ? ORDER BY changes.number LIMIT ?",
            [since, most],
        )
        texts = {row["id"]: row["sentence"] for row in rows if row["status"] == "active"}
        gone = sorted({row["id"] for row in rows if row["status"] != "active"})
        return Changes(rows[-1]["upto"] if rows else since, texts, gone, len(rows) == most)

    def latest(self) -> int:
        """The number of the last change."""
        return self._db.rows("SELECT coalesce(max(number), 0) AS n FROM changes")[0]["n"]

    def ids(self) -> tuple[int, set[str]]:
        """The last number, and the ids of all active principles at it."""
        with self._db.snapshot():
            latest = self.latest()
            rows = self._db.rows("SELECT id FROM principles WHERE status = 'active'")
        return latest, {row["id"] for row in rows}

    def count(self) -> tuple[int, int]:
        """The last number, and how many principles are active at it."""
        with self._db.snapshot():
            latest = self.latest()
            rows = self._db.rows("SELECT count(*) AS n FROM principles WHERE status = 'active'")
        return latest, rows[0]["n"]

    def texts(self, ids: list[str]) -> dict[str, str]:
        """id -> sentence of those of ``ids`` that are active."""
        rows = self._db.rows(
            "SELECT principles.id, sentence FROM json_each(?) AS asked "
            "CROSS JOIN principles ON principles.id = asked.value "
            "WHERE status = 'active'",
            [json.dumps(ids)],
        )
        return {row["id"]: row["sentence"] for row in rows}
