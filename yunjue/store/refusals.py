"""Tools that could not be made: how often each was tried, and when to try again.

A tool that one model failed to write it will mostly fail to write again, and each try costs
as much as a success. So after the nth refusal the next 2^n needs of it are passed over: the
cost of a kind of task that is too hard grows with the logarithm of the number of such tasks,
and a model that is lucky at last still gets its chance.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from yunjue.store.database import Database
from yunjue.store.rows import now

MOST_PASSED_OVER = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """A tool that could not be made.

    Attributes:
        name: what its specification called it.
        model: the author's.
        times: how often it was refused.
        passed_over: how often it was wanted since, and not tried.
        why: the reason of the last refusal.
        last: its time, ISO in UTC.
    """

    name: str
    model: str
    times: int
    passed_over: int
    why: str
    last: str

    @property
    def left(self) -> int:
        """How many more needs of it are passed over."""
        return max(0, min(2**self.times, MOST_PASSED_OVER) - self.passed_over)


class Refusals:
    """The refusals of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[Refusal]:
        """Those that are kept, the newest first."""
        rows = self._db.rows(
            "SELECT name, model, times, passed_over, why, last FROM refusals ORDER BY last DESC, "
            "name, model"
        )
        return [Refusal(**row) for row in rows]

    def add(self, name: str, model: str, why: str, run: str) -> None:
        """Keep a refusal; once per run, which may be resumed and do it again."""
        with self._db.write() as db:
            db.execute(
                "INSERT INTO refusals (name, model, times, passed_over, why, run, last) "
                "VALUES (:name, :model, 1, 0, :why, :run, :now) "
                "ON CONFLICT (name, model) DO UPDATE SET times = times + 1, passed_over = 0, "
                "why = :why, run = :run, last = :now WHERE run <> :run",
                {"name": name, "model": model, "why": why, "run": run, "now": now()},
            )

    def due(self, name: str, model: str) -> Refusal | None:
        """The refusal because of which the tool is not to be tried now, or None to try it."""
        rows = self._db.rows(
            "SELECT name, model, times, passed_over, why, last FROM refusals "
            "WHERE name = ? AND model = ?",
            [name, model],
        )
        refusal = Refusal(**rows[0]) if rows else None
        return refusal if refusal is not None and refusal.left else None

    def count(self, name: str, model: str) -> None:
        """One more need of the tool was passed over."""
        with self._db.write() as db:
            db.execute(
                "UPDATE refusals SET passed_over = passed_over + 1 WHERE name = ? AND model = ?",
                [name, model],
            )

    def pass_over(self, name: str, model: str) -> Refusal | None:
        """What :meth:`due` says, and it counts."""
        with self._db.write():
            refusal = self.due(name, model)
            if refusal is not None:
                self.count(name, model)
        return refusal

    def forget(self, names: Collection[str]) -> int:
        """Forget the refusals of these names; how many that were."""
        with self._db.write() as db:
            return sum(
                db.execute("DELETE FROM refusals WHERE name = ?", [name]).rowcount for name in names
            )
