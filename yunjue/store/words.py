"""Search by words over the tools in use, at a cost that does not grow with the library."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from yunjue.store.database import Database
from yunjue.store.fulltext import any_of

EVERYWHERE = 1000
"""A word in so many tools does not tell them apart, and ranking all of them takes time."""

_SIMILAR = 300
"""Names that are compared with one that is not there."""


class Words:
    """Reads of the full-text table, and what else decides whether a tool may be found."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def matching(self, words: Sequence[str], most: int) -> list[str]:
        """Ids of tools that have any of the words, best first by BM25."""
        match = any_of(self._telling(words))
        if not match:
            return []
        rows = self._db.rows(
            "SELECT id FROM (SELECT rowid AS place, rank AS fit FROM tools_fts "
            "WHERE tools_fts MATCH ? ORDER BY rank LIMIT ?) "
            "JOIN tools ON tools.number = place ORDER BY fit, name",
            [match, most],
        )
        return [row["id"] for row in rows]

    def _telling(self, words: Sequence[str]) -> list[str]:
        """The words without those that are everywhere, unless all are; then the first one."""
        told = [word for word in words if 0 < self._tools_with(word) <= EVERYWHERE]
        return told or list(words[:1])

    def _tools_with(self, word: str) -> int:
        """In how many tools the word is, counted to just beyond ``EVERYWHERE``."""
        rows = self._db.rows(
            "SELECT count(*) AS n FROM (SELECT 1 FROM tools_fts WHERE tools_fts MATCH ? LIMIT ?)",
            [any_of([word]), EVERYWHERE + 1],
        )
        return rows[0]["n"]

    def findable(
        self, ids: Collection[str], domain: str | None, permissions: Collection[str] | None
    ) -> dict[str, str]:
        """id -> status of those of ``ids`` that are in use and pass the filters.

        Args:
            domain: tools of this domain, and those of none; None for all.
            permissions: tools that need no others; None for all.
        """
        granted = None if permissions is None else json.dumps(sorted(permissions))
        rows = self._db.rows(
            "SELECT in_use.id, status FROM json_each(?) AS asked "
            # CROSS: else SQLite may walk over all tools and look each up among the ids.
            "CROSS JOIN in_use ON in_use.id = value "
            "WHERE (? IS NULL OR domain IN ('', ?)) "
            "AND (? IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(in_use.permissions) AS needed "
            "WHERE needed.value NOT IN (SELECT value FROM json_each(?))))",
            [json.dumps(list(ids)), domain, domain, granted, granted],
        )
        return {row["id"]: row["status"] for row in rows}

    def similar_names(self, name: str, ever: bool) -> list[str]:
        """Some names that share a word or the beginning with ``name``, which is not one.

        Args:
            ever: also of tools that are no longer in use.
        """
        found = []
        for start in (name[:3], name[:1]):
            found += self._db.rows(
                "SELECT DISTINCT name FROM tools WHERE name >= ? AND name < ? "
                "AND (? OR status IN ('active', 'suspect')) LIMIT ?",
                [start, start + "\U0010ffff", ever, _SIMILAR],
            )
        words = [word for word in name.split("_") if word.isalnum()]
        if words:
            match = "name : (" + " OR ".join(f'"{word}"*' for word in words) + ")"
            found += self._db.rows(
                "SELECT DISTINCT tools.name FROM tools_fts JOIN tools ON tools.number = "
                "tools_fts.rowid WHERE tools_fts MATCH ? LIMIT ?",
                [match, _SIMILAR],
            )
        return sorted({row["name"] for row in found})
