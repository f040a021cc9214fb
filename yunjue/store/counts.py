"""How the calls of tools went, in numbers; those that ``gc`` deleted are still counted."""

from __future__ import annotations

from typing import Any

from yunjue.store.database import Database

COUNTS = ("calls", "ok", "input_errors", "failed", "runs", "later_runs")

# A later run is one that used a tool with success and did not make it. ``:id`` is one tool, or
# NULL for all in use.
_COUNTS = """
    SELECT tool_id, count(*) AS calls, total(calls.status = 'ok') AS ok,
        total(calls.status = 'input_error') AS input_errors,
        total(calls.status = 'failed') AS failed, count(DISTINCT run) AS runs,
        count(DISTINCT CASE WHEN calls.status = 'ok'
            AND run IS NOT (CASE WHEN json_valid(origin) THEN json_extract(origin, '$.run') END)
            THEN run END) AS later_runs,
        total(seconds) AS seconds, max(calls.created) AS last_used
    FROM calls JOIN tools ON tools.id = calls.tool_id
    WHERE CASE WHEN :id IS NULL THEN tools.status IN ('active', 'suspect')
        ELSE tool_id = :id END
    GROUP BY tool_id
    UNION ALL SELECT * FROM forgotten_calls WHERE :id IS NULL OR tool_id = :id
"""


def nothing() -> dict[str, Any]:
    """The counts of a tool that was never called."""
    return {**dict.fromkeys(COUNTS, 0), "seconds": 0.0, "last_used": None}


class Counts:
    """Reads the counts of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, tool_id: str) -> dict[str, Any]:
        """``calls``, ``ok``, ``input_errors``, ``failed``, ``runs``, ``later_runs`` (that
        used it with success and did not make it), ``seconds`` (their sum), ``last_used``
        (ISO time in UTC, or None)."""
        return _sum(map(dict, self._rows(tool_id)))

    def of_all(self) -> dict[str, dict[str, Any]]:
        """id -> counts as in :meth:`of`, of every tool in use that was called."""
        gathered: dict[str, list[dict[str, Any]]] = {}
        for row in self._rows(None):
            gathered.setdefault(row["tool_id"], []).append(dict(row))
        return {tool_id: _sum(parts) for tool_id, parts in gathered.items()}

    def _rows(self, tool_id: str | None) -> list[Any]:
        return self._db.rows(_COUNTS, {"id": tool_id})


def _sum(parts: Any) -> dict[str, Any]:
    total = nothing()
    for part in parts:
        for name in COUNTS:
            total[name] += int(part[name])
        total["seconds"] += part["seconds"]
        total["last_used"] = max(
            filter(None, (total["last_used"], part["last_used"])), default=None
        )
    return total
