"""What an evolution's batch changes in the library: all of it in one transaction, once, and
reversibly.

A row for each absorbed step says how every tool it touched stood before and after, so that
the step can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from yunjue.errors import LibraryError
from yunjue.store.calls import Calls, Rule
from yunjue.store.database import Database
from yunjue.store.records import Addition, Records
from yunjue.store.refusals import Refusals
from yunjue.store.rows import IN_USE, now, set_status, status_of, to_json
from yunjue.types import CallOutcome


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool in a run."""

    run: str
    call: str
    tool_id: str
    outcome: CallOutcome
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A tool that the author ``model`` could not write in ``run``."""

    name: str
    model: str
    why: str
    run: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What one step brings.

    Attributes:
        retired: (id, why) of tools that go out of use; done first.
        additions: tools that come in, and earlier versions for the history.
        calls: of tools that the library then has.
        passed_over: (name, model) of refusals that counted.
        summary: JSON to keep with the step.
    """

    retired: Sequence[tuple[str, str]] = ()
    additions: Sequence[Addition] = ()
    calls: Sequence[Call] = ()
    refused: Sequence[Refused] = ()
    passed_over: Sequence[tuple[str, str]] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)

    def touched(self) -> list[str]:
        """Ids of all tools that may change, each once."""
        ids = [tool_id for tool_id, _ in self.retired]
        ids += [one.tool.id for one in self.additions]
        return list(dict.fromkeys(ids + [call.tool_id for call in self.calls]))

    def names(self) -> list[str]:
        """Names whose refusals may change."""
        names = [one.name for one in self.refused] + [name for name, _ in self.passed_over]
        names += [one.tool.name for one in self.additions]
        return sorted(set(names))


@dataclass(frozen=True, slots=True)
class Absorption:
    """One absorbed step: id -> status before and after it ("" for a tool that was not known),
    how many tools were in use after it, the moves that calls caused, and what undoing needs."""

    evolution: str
    step: int
    before: Mapping[str, str]
    after: Mapping[str, str]
    size: int
    summary: Mapping[str, Any]
    moves: Sequence[Mapping[str, str]] = ()
    runs: Sequence[str] = ()
    refusals: Sequence[Mapping[str, Any]] = ()
    names: Sequence[str] = field(default_factory=list)


class Absorptions:
    """The absorbed steps of a database."""

    def __init__(self, database: Database, records: Records, calls: Calls) -> None:
        self._db = database
        self._records = records
        self._calls = calls
        self._refusals = Refusals(database)

    def all(self, evolution: str) -> list[Absorption]:
        """The steps of ``evolution`` that stand, in their order."""
        rows = self._db.rows(
            "SELECT * FROM absorptions WHERE evolution = ? ORDER BY step", [evolution]
        )
        return [_absorption(row) for row in rows]

    def apply(
        self, evolution: str, step: int, changes: Changes, rule: Rule, window: int
    ) -> Absorption:
        """Do all of ``changes`` or, if anything is wrong, nothing. A step that was absorbed
        already is not absorbed again.

        Raises:
            NameTaken: another tool in use has the name of one that comes in.
        """
        with self._db.write() as db:
            row = db.execute(
                "SELECT * FROM absorptions WHERE evolution = ? AND step = ?", [evolution, step]
            ).fetchone()
            if row is not None:
                return _absorption(row)
            touched, names = changes.touched(), changes.names()
            before = {tool_id: status_of(db, tool_id) for tool_id in touched}
            refusals = _refusals(db, names)
            moves = self._do(db, changes, rule, window)
            done = Absorption(
                evolution=evolution,
                step=step,
                before=before,
                after={tool_id: status_of(db, tool_id) for tool_id in touched},
                size=db.execute("SELECT count(*) FROM in_use").fetchone()[0],
                summary=changes.summary,
                moves=moves,
                runs=list(dict.fromkeys(call.run for call in changes.calls)),
                refusals=refusals,
                names=names,
            )
            db["absorptions"].insert(_row(done))
        return done

    def _do(self, db: Any, changes: Changes, rule: Rule, window: int) -> list[dict[str, str]]:
        for tool_id, why in changes.retired:
            if status_of(db, tool_id) in IN_USE:
                set_status(db, tool_id, "retired", "retired", why)
        self._records.add_all(changes.additions)
        moves = []
        for call in changes.calls:
            move = self._calls.record(
                call.run, call.call, call.tool_id, call.outcome, call.inputs, rule, window
            )
            if move:
                moves.append({"id": call.tool_id, "status": move.status, "why": move.why})
        for name, model in changes.passed_over:
            self._refusals.count(name, model)
        for one in changes.refused:
            self._refusals.add(one.name, one.model, one.why, one.run)
        self._refusals.forget([one.tool.name for one in changes.additions if one.active])
        return moves

    def undo(self, evolution: str, step: int) -> list[str]:
        """Take the last step of ``evolution`` back: tools that came in are retired, those that
        went out are in use again, its calls and refusals are as if they had not been.

        Returns:
            Ids of tools that were left as they are, because they have changed since.

        Raises:
            LibraryError: it is not the last step that stands.
            NameTaken: a tool that would come back finds its name taken; nothing is undone.
        """
        with self._db.write() as db:
            row = db.execute(
                "SELECT * FROM absorptions WHERE evolution = ? ORDER BY step DESC", [evolution]
            ).fetchone()
            if row is None or row["step"] != step:
                raise LibraryError(
                    f"Step {step} of {evolution} is not the last that stands.",
                    hint="`yunjue evolve show` lists the steps; the last is undone first.",
                )
            done = _absorption(row)
            runs = json.dumps(list(done.runs))
            db.execute("DELETE FROM calls WHERE run IN (SELECT value FROM json_each(?))", [runs])
            changed = _put_back(db, done)
            self._refusals.forget(done.names)
            db["refusals"].insert_all(done.refusals)
            db.execute(
                "DELETE FROM absorptions WHERE evolution = ? AND step = ?", [evolution, step]
            )
        return changed


def _put_back(db: Any, done: Absorption) -> list[str]:
    why = f"step {done.step} of {done.evolution} was undone"
    to = {tool_id: status or "retired" for tool_id, status in done.before.items()}
    differing = [tool_id for tool_id in to if done.after[tool_id] not in ("", to[tool_id])]
    changed = [one for one in differing if status_of(db, one) != done.after[one]]
    # Those that leave first: they hold names of those that come back.
    for tool_id in sorted(differing, key=lambda one: to[one] in IN_USE):
        if tool_id not in changed:
            set_status(db, tool_id, to[tool_id], "undone", why)
    return changed


def _refusals(db: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    chosen = "SELECT * FROM refusals WHERE name IN (SELECT value FROM json_each(?))"
    return list(db.query(chosen, [json.dumps(names)]))


def _row(done: Absorption) -> dict[str, Any]:
    record = {
        name: value for name, value in asdict(done).items() if name not in ("evolution", "step")
    }
    return {
        "evolution": done.evolution,
        "step": done.step,
        "record": to_json(record),
        "created": now(),
    }


def _absorption(row: Any) -> Absorption:
    return Absorption(row["evolution"], row["step"], **json.loads(row["record"]))
