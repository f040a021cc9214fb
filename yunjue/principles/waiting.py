"""Runs that ended and whose lesson is still to be learnt, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from yunjue.store.database import Database
from yunjue.store.rows import now

Settled = Literal["learnt", "nothing", "failed"]
"""It taught something, nothing that the guard let in, or cannot be learnt from."""

MOST_WAITING = 100
"""Runs beyond that are given up, the oldest first: nobody learns from them any more."""

TRIES = 3
"""How often a run is tried whose model fails."""


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run to learn from, and where its trace is."""

    run: str
    trace: Path


class Waiting:
    """Reads and writes the lessons of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run: str, trace: Path) -> None:
        """Let ``run`` wait for its lesson, once."""
        with self._db.write() as db:
            db.execute(
                "INSERT OR IGNORE INTO lessons (run, trace, created) VALUES (?, ?, ?)",
                [run, str(trace), now()],
            )
            db.execute(
                "UPDATE lessons SET state = 'failed', why = 'too many runs were waiting' "
                "WHERE number IN (SELECT number FROM lessons WHERE state = 'waiting' "
                "ORDER BY number DESC LIMIT -1 OFFSET ?)",
                [MOST_WAITING],
            )

    def runs(self, most: int) -> list[WaitingRun]:
        """Those that wait, the oldest first."""
        rows = self._db.rows(
            "SELECT run, trace FROM lessons WHERE state = 'waiting' ORDER BY number LIMIT ?", [most]
        )
        return [WaitingRun(row["run"], Path(row["trace"])) for row in rows]

    def settle(
        self, run: str, state: Settled | Literal["waiting"], why: str, tokens: int, cost_usd: float
    ) -> None:
        """Note what became of a run's lesson, and what finding that out took. One that went
        wrong waits for another try; after :data:`TRIES` it is given up."""
        with self._db.write() as db:
            db.execute(
                "UPDATE lessons SET tries = tries + 1, why = :why, tokens = tokens + :tokens, "
                "cost_usd = cost_usd + :cost_usd, state = CASE WHEN :state = 'waiting' "
                "AND tries + 1 >= :tries THEN 'failed' ELSE :state END WHERE run = :run",
                {
                    "why": why,
                    "tokens": tokens,
                    "cost_usd": cost_usd,
                    "state": state,
                    "tries": TRIES,
                    "run": run,
                },
            )

    def stats(self) -> dict[str, Any]:
        """How many runs wait, taught something, nothing, or were given up; what it took."""
        (row,) = self._db.rows(
            "SELECT total(state = 'waiting') AS waiting, total(state = 'learnt') AS learnt, "
            "total(state = 'nothing') AS taught_nothing, total(state = 'failed') AS given_up, "
            "total(tokens) AS learning_tokens, total(cost_usd) AS learning_cost_usd FROM lessons"
        )
        counts = {name: int(row[name]) for name in row.keys() if name != "learning_cost_usd"}  # noqa: SIM118
        return {**counts, "learning_cost_usd": round(row["learning_cost_usd"], 6)}
