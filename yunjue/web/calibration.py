"""How good the imagination is: every prediction beside what happened, and what follows.

One SQLite file, ``HOME/web/calibration.sqlite``. Predictions of one world model are judged
together, over all runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunjue.config import home
from yunjue.store.database import Database
from yunjue.store.migrations import Schema
from yunjue.web.facts import Agreement

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtils
    from sqlite_utils import Migrations

FILE = "calibration.sqlite"
PRIOR = {1: 0.73, 2: 0.52}
"""Agreement expected of a world model before it is known, by depth: the published quality of
WebEvolver's at depths 1 and 2 (72.9 and 52.3 of 100)."""
PRIOR_WEIGHT = 5
"""Predictions that the prior counts as."""
RECENT = 100
"""Predictions and scores that are looked at, the newest: models and sites change."""
COIN = 0.25
"""Brier score of a critic that always says 0.5."""
LEAST_OUTCOMES = 5
"""Scores with a known outcome, below which the critic is not doubted."""
PRIOR_OF_DEFAULT = 0.5
"""How much the first proposal is worth where nothing is known of what actions do."""
POOR = PRIOR_OF_DEFAULT / (1 + PRIOR_OF_DEFAULT)
"""With this weight or less, no score can win against the first proposal; see :func:`weighed`."""


def weighed(weight: float, score: float, default: bool) -> float:
    """The value of a candidate, from the critic's ``score`` of what was imagined.

    ``weight * score + (1 - weight) * p``, where p is :data:`PRIOR_OF_DEFAULT` for the first
    proposal and 0 for the others. So another candidate is taken only if its score is higher by
    more than ``p (1 - weight) / weight``: by .19 at weight .73, by .46 at .52, and never at a
    third or less, as scores differ by 1 at most.
    """
    return weight * score + (1 - weight) * (PRIOR_OF_DEFAULT if default else 0.0)


def weight_of(agreements: float, count: int, depth: int, brier: float | None) -> float:
    """How far imagination is to be trusted, from 0 to 1.

    The mean agreement (F1) of the predictions, smoothed by :data:`PRIOR`, times the critic's
    skill: 1 up to the Brier score of a coin, from there down to 0 for one that is always sure
    and always wrong.

    Args:
        agreements: sum of the F1 of ``count`` predictions.
        brier: mean squared error of the critic's scores; None while too few are known.
    """
    quality = (agreements + PRIOR[depth] * PRIOR_WEIGHT) / (count + PRIOR_WEIGHT)
    skill = 1.0 if brier is None else 1 - max(0.0, brier - COIN) / (1 - COIN)
    return quality * skill


@dataclass(frozen=True, slots=True)
class Prediction:
    """One pair: what was foreseen of an action, and how it agrees with what happened.

    Attributes:
        kind: of the action.
        depth: 1 for what was foreseen of the page itself, 2 of an imagined one.
    """

    run: str
    step: int
    depth: int
    kind: str
    model: str
    agreement: Agreement


class Calibration:
    """The file of predictions and scores."""

    def __init__(self, path: Path | None = None) -> None:
        self._database = Database(path or home() / "web" / FILE, schema=CALIBRATION)

    def add(self, one: Prediction) -> None:
        """Keep a pair; a pair of the same run, step and depth is kept once."""
        row = {
            "run": one.run,
            "step": one.step,
            "depth": one.depth,
            "kind": one.kind,
            "model": one.model,
            "hits": one.agreement.hits,
            "foreseen": one.agreement.foreseen,
            "actual": one.agreement.actual,
            "f1": one.agreement.f1,
            "time": time.time(),
        }
        with self._database.write() as db:
            db["predictions"].upsert(row, pk=("run", "step", "depth"))

    def score(self, run: str, step: int, critic: str, value: float) -> None:
        """Keep the critic's score of an action that was taken; what came of it is not known yet."""
        row = {"run": run, "step": step, "critic": critic, "value": value, "time": time.time()}
        with self._database.write() as db:
            db["scores"].upsert({**row, "outcome": None}, pk=("run", "step"))

    def cost(self, run: str, step: int, acting: int, imagining: int) -> None:
        """Keep the tokens of one decision: for the first proposal, and for comparing others."""
        row = {"run": run, "step": step, "acting": acting, "imagining": imagining}
        with self._database.write() as db:
            db["costs"].upsert(row, pk=("run", "step"))

    def costs(self) -> dict[str, int]:
        """Tokens of all decisions, and how many of them compared actions."""
        (row,) = self._database.rows(
            "SELECT COUNT(*) AS decisions, COALESCE(SUM(imagining > 0), 0) AS compared, "
            "COALESCE(SUM(acting), 0) AS acting, COALESCE(SUM(imagining), 0) AS imagining "
            "FROM costs"
        )
        return dict(row)

    def ended(self, run: str, solved: bool) -> None:
        """The run's scores get their outcome."""
        with self._database.write() as db:
            db.execute("UPDATE scores SET outcome = ? WHERE run = ?", [int(solved), run])

    def weight(self, model: str, critic: str, depth: int) -> dict[str, Any]:
        """``weight`` for looking ``depth`` actions ahead, with the numbers it comes from.

        With depth 2 both depths count: an outcome two actions away is as good as the worse.
        """
        brier, outcomes = self.brier(critic)
        told = brier if outcomes >= LEAST_OUTCOMES else None
        sums = {each: self._recent(model, each) for each in range(1, depth + 1)}
        weights = [weight_of(total, count, each, told) for each, (total, count) in sums.items()]
        return {
            "weight": min(weights),
            "predictions": sum(count for _, count in sums.values()),
            "brier": told,
        }

    def _recent(self, model: str, depth: int) -> tuple[float, int]:
        rows = self._database.rows(
            "SELECT f1 FROM predictions WHERE model = ? AND depth = ? ORDER BY time DESC LIMIT ?",
            [model, depth, RECENT],
        )
        return sum(row["f1"] for row in rows), len(rows)

    def brier(self, critic: str) -> tuple[float | None, int]:
        """Mean squared difference of score and outcome, and of how many; lower is better."""
        rows = self._database.rows(
            "SELECT value, outcome FROM scores WHERE critic = ? AND outcome IS NOT NULL "
            "ORDER BY time DESC LIMIT ?",
            [critic, RECENT],
        )
        if not rows:
            return None, 0
        errors = [(row["value"] - row["outcome"]) ** 2 for row in rows]
        return sum(errors) / len(errors), len(errors)

    def table(self) -> list[Mapping[str, Any]]:
        """Sums by world model, depth and kind of action, over all that is kept."""
        return [
            dict(row)
            for row in self._database.rows(
                "SELECT model, depth, kind, COUNT(*) AS predictions, SUM(hits) AS hits, "
                "SUM(foreseen) AS foreseen, SUM(actual) AS actual, AVG(f1) AS f1 "
                "FROM predictions GROUP BY model, depth, kind ORDER BY model, depth, kind"
            )
        ]

    def critics(self) -> list[str]:
        """Models that have scored actions."""
        rows = self._database.rows("SELECT DISTINCT critic FROM scores ORDER BY critic")
        return [row["critic"] for row in rows]

    def close(self) -> None:
        self._database.close()


@cache
def _migrations() -> Migrations:
    from sqlite_utils import Migrations

    steps = Migrations("yunjue.web")

    @steps()
    def m001_predictions(db: SqliteUtils) -> None:
        db.executescript(
            """
            CREATE TABLE predictions (
                run TEXT NOT NULL, step INTEGER NOT NULL, depth INTEGER NOT NULL,
                kind TEXT NOT NULL, model TEXT NOT NULL,
                hits INTEGER NOT NULL, foreseen INTEGER NOT NULL, actual INTEGER NOT NULL,
                f1 REAL NOT NULL, time REAL NOT NULL,
                PRIMARY KEY (run, step, depth)
            );
            CREATE INDEX predictions_newest ON predictions (model, depth, time);
            CREATE TABLE scores (
                run TEXT NOT NULL, step INTEGER NOT NULL, critic TEXT NOT NULL,
                value REAL NOT NULL, outcome INTEGER, time REAL NOT NULL,
                PRIMARY KEY (run, step)
            );
            CREATE INDEX scores_newest ON scores (critic, time);
            CREATE TABLE costs (
                run TEXT NOT NULL, step INTEGER NOT NULL,
                acting INTEGER NOT NULL, imagining INTEGER NOT NULL,
                PRIMARY KEY (run, step)
            );
            """
        )

    return steps


CALIBRATION = Schema(("m001_predictions",), _migrations)
