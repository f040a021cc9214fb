"""The rows of the bank. Every change is one transaction; nothing here deletes a principle."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.errors import UnknownPrincipleError, UsageError
from yunjue.principles.credit import Outcome, credit
from yunjue.principles.merge import merged_evidence, merged_uses, wider
from yunjue.principles.types import (
    Credit,
    Draft,
    Evidence,
    Kind,
    Principle,
    Scope,
    Status,
    Triples,
    Use,
    same_text,
)
from yunjue.store.database import Database
from yunjue.store.rows import now

PRUNE_BELOW = 0.3
"""A principle whose score is strictly below is pruned: (0, 1) stays, (0, 2) goes."""

PRUNE_EVERY = 20
"""Finished runs between two prunings. A score moves by whole runs: to look more often only
prunes on less evidence."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a draft: the principle it is now part of, and whether that is new."""

    id: str
    new: bool


class Bank:
    """Reads and writes the principles of a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, principle_id: str) -> Principle:
        """The principle with that id, or the one whose id begins so.

        Raises:
            UnknownPrincipleError: none or more than one is meant.
        """
        rows = self._db.rows(
            "SELECT id FROM principles WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
            [principle_id, principle_id + "\U0010ffff"],
        )
        if not principle_id or len(rows) != 1:
            problem = "More than one principle begins" if rows else "There is no principle"
            raise UnknownPrincipleError(f"{problem} with the id {principle_id!r}.")
        return self.some([rows[0]["id"]])[0]

    def some(self, ids: Sequence[str]) -> list[Principle]:
        """Those of ``ids`` that exist, in that order."""
        asked = [json.dumps(list(ids))]
        with self._db.snapshot():
            rows = self._db.rows(
                "SELECT principles.* FROM json_each(?) AS asked "
                "CROSS JOIN principles ON principles.id = asked.value ORDER BY asked.key",
                asked,
            )
            evidence = self._db.rows(
                "SELECT evidence.* FROM json_each(?) AS asked "
                "CROSS JOIN evidence ON principle = asked.value ORDER BY run",
                asked,
            )
        learnt: dict[str, list[Evidence]] = {}
        for row in evidence:
            one = Evidence(run=row["run"], steps=json.loads(row["steps"]))
            learnt.setdefault(row["principle"], []).append(one)
        return [_principle(row, learnt.get(row["id"], [])) for row in rows]

    def ids(self, kind: Kind | None = None, status: Status | None = "active") -> list[str]:
        """Ids by score, best first; of one kind and status, or of all."""
        rows = self._db.rows(
            "SELECT id FROM principles WHERE kind = coalesce(?, kind) "
            "AND status = coalesce(?, status) ORDER BY (succ + 1.0) / (use + 2) DESC, number",
            [kind, status],
        )
        return [row["id"] for row in rows]

    def facts(self, ids: Collection[str]) -> dict[str, tuple[Kind, str]]:
        """id -> kind and domain, of those of ``ids`` that are active."""
        rows = self._db.rows(
            "SELECT principles.id, kind, domain FROM json_each(?) AS asked "
            "CROSS JOIN principles ON principles.id = asked.value "
            "WHERE status = 'active'",
            [json.dumps(list(ids))],
        )
        return {row["id"]: (row["kind"], row["domain"]) for row in rows}

    def holder(self, kind: Kind, sentence: str) -> str:
        """Id of the principle of that kind and text, of any status; "" if there is none."""
        rows = self._db.rows(
            "SELECT id FROM principles WHERE kind = ? AND same = ?", [kind, same_text(sentence)]
        )
        return rows[0]["id"] if rows else ""

    def uses(self, principle_id: str) -> list[Use]:
        """The runs that were shown it, by run."""
        rows = self._db.rows(
            "SELECT run, credit FROM uses WHERE principle = ? ORDER BY run", [principle_id]
        )
        return [Use(run=row["run"], credit=row["credit"]) for row in rows]

    def changes(self, principle_id: str) -> list[dict[str, str]]:
        """What was done with it, oldest first: ``what``, ``why``, ``created``."""
        rows = self._db.rows(
            "SELECT what, why, created FROM changes WHERE principle = ? ORDER BY number",
            [principle_id],
        )
        return [dict(row) for row in rows]

    def stats(self) -> dict[str, Any]:
        """Numbers of the whole bank."""
        (row,) = self._db.rows(
            "SELECT count(*) AS principles, total(status = 'active') AS active, "
            "total(status = 'pruned') AS pruned, "
            "total(status = 'active' AND kind = 'guiding') AS guiding, "
            "total(status = 'active' AND kind = 'cautionary') AS cautionary, "
            "total(author = 'person') AS by_people, total(pinned) AS pinned, "
            "total(use > 0) AS used, "
            "avg(CASE WHEN status = 'active' THEN (succ + 1.0) / (use + 2) END) AS mean_score "
            "FROM principles"
        )
        (more,) = self._db.rows(
            "SELECT (SELECT count(*) FROM uses) AS uses, (SELECT count(*) FROM evidence) "
            "AS evidence, (SELECT count(*) FROM runs) AS runs"
        )
        whole = {name: int(row[name]) for name in row.keys() if name != "mean_score"}  # noqa: SIM118
        return {**whole, "mean_score": row["mean_score"], **dict(more)}

    def keep(self, draft: Draft, matches: Sequence[str] = (), why: str = "") -> list[Kept]:
        """Link the draft to each principle of ``matches`` that is still active, or to the one
        of its kind and text; insert it if there is none."""
        with self._db.write() as db:
            return _keep(db, draft, matches, why)

    def keep_all(self, drafts: Iterable[tuple[Draft, str, bool, Status]], why: str) -> list[Kept]:
        """Insert drafts, or merge them into those of equal text, all or none.

        Args:
            drafts: each with the id and status to give it if it is new, and whether it is
                pinned. An id that is taken is replaced.
        """
        kept = []
        with self._db.write() as db:
            for draft, wanted, pinned, status in drafts:
                (one,) = _keep(db, draft, (), why, wanted)
                if one.new:
                    db.execute(
                        "UPDATE principles SET pinned = ?, status = ? WHERE id = ?",
                        [pinned, status, one.id],
                    )
                kept.append(one)
        return kept

    def edit(
        self,
        principle_id: str,
        *,
        sentence: str | None = None,
        triples: Triples | None = None,
        scope: Scope | None = None,
    ) -> None:
        """Change what is given; it is a person's from then on. Counts and evidence stay.

        Raises:
            UsageError: another principle of its kind says that already.
        """
        changes: dict[str, Any] = {"author": "person"}
        if sentence is not None:
            kind = self.get(principle_id).kind
            holder = self.holder(kind, sentence)
            if holder not in ("", principle_id):
                raise UsageError(f"The principle {holder} says that already.")
            changes |= {"sentence": sentence, "same": same_text(sentence)}
        if triples is not None:
            changes["triples"] = json.dumps(triples)
        if scope is not None:
            changes |= _scope_columns(scope)
        with self._db.write() as db:
            db["principles"].update(_number(db, principle_id), changes)
            _note(db, principle_id, "edited", "")

    def pin(self, principle_id: str, pinned: bool) -> None:
        """Keep it from being pruned, or no longer."""
        with self._db.write() as db:
            db.execute("UPDATE principles SET pinned = ? WHERE id = ?", [pinned, principle_id])
            _note(db, principle_id, "pinned" if pinned else "unpinned", "")

    def set_status(self, principle_id: str, status: Status, why: str) -> None:
        """Prune it, or take it back."""
        with self._db.write() as db:
            _set_status(db, principle_id, status, why)

    def record_use(self, run: str, principle_id: str, outcome: Outcome) -> Credit:
        """Count the run for the principle it was shown, once: a run that was resumed and ends
        anew replaces what it said before. What it counted as.

        Raises:
            UnknownPrincipleError: there is no such principle.
        """
        with self._db.write() as db:
            row = db.execute("SELECT * FROM principles WHERE id = ?", [principle_id]).fetchone()
            if row is None:
                raise UnknownPrincipleError(f"There is no principle with the id {principle_id!r}.")
            counts = credit(row["kind"], _scope(row), outcome)
            _put_use(db, principle_id, Use(run=run, credit=counts))
            _count(db, principle_id)
        return counts

    def failing(self) -> list[str]:
        """Ids of those that :meth:`prune` would prune, the worst first."""
        rows = self._db.rows(f"SELECT id FROM principles {_FAILING}", [PRUNE_BELOW])  # noqa: S608
        return [row["id"] for row in rows]

    def prune(self) -> list[str]:
        """Prune what scores below :data:`PRUNE_BELOW` and is not pinned; their ids."""
        with self._db.write() as db:
            return _prune(db)

    def run_finished(self, run: str, every: int = PRUNE_EVERY) -> list[str]:
        """Note that a run finished; with each ``every``-th, prune. The ids of what was pruned."""
        with self._db.write() as db:
            new = db.execute("INSERT OR IGNORE INTO runs VALUES (?, ?)", [run, now()]).rowcount
            (finished,) = db.execute("SELECT count(*) FROM runs").fetchone()
            return _prune(db) if new and finished % every == 0 else []


_FAILING = (
    "WHERE status = 'active' AND pinned = 0 AND (succ + 1.0) / (use + 2) < ? "
    "ORDER BY (succ + 1.0) / (use + 2), number"
)


def _prune(db: Any) -> list[str]:
    rows = list(db.query(f"SELECT id, succ, use FROM principles {_FAILING}", [PRUNE_BELOW]))  # noqa: S608
    for row in rows:
        why = f"{row['succ']} successes of {row['use']} uses"
        _set_status(db, row["id"], "pruned", why)
    return [row["id"] for row in rows]


def _keep(db: Any, draft: Draft, matches: Sequence[str], why: str, wanted: str = "") -> list[Kept]:
    equal = db.execute(
        "SELECT id FROM principles WHERE kind = ? AND same = ?",
        [draft.kind, same_text(draft.sentence)],
    ).fetchone()
    linked = [equal["id"]] if equal else []
    linked += [one for one in matches if one not in linked and _active(db, one)]
    if not linked:
        return [Kept(_insert(db, draft, wanted, why), new=True)]
    for one in linked:
        _link(db, one, draft)
    return [Kept(one, new=False) for one in linked]


def _insert(db: Any, draft: Draft, wanted: str, why: str) -> str:
    new_id = wanted
    while not new_id or _has(db, new_id):
        new_id = secrets.token_hex(6)
    db["principles"].insert(
        {
            "id": new_id,
            "kind": draft.kind,
            "sentence": draft.sentence,
            "same": same_text(draft.sentence),
            "triples": json.dumps(draft.triples),
            **_scope_columns(draft.scope),
            "author": draft.author,
            "created": now(),
        }
    )
    _note(db, new_id, "added", why)
    _add_runs(db, new_id, draft)
    return new_id


def _link(db: Any, principle_id: str, draft: Draft) -> None:
    """The principle gets the draft's runs. One that a person wrote keeps its scope."""
    row = db.execute("SELECT * FROM principles WHERE id = ?", [principle_id]).fetchone()
    if row["author"] == "model":
        scope = _scope_columns(wider(_scope(row), draft.scope))
        db["principles"].update(row["number"], scope)
    _add_runs(db, principle_id, draft)


def _add_runs(db: Any, principle_id: str, draft: Draft) -> None:
    known = [
        Evidence(run=row["run"], steps=json.loads(row["steps"]))
        for row in db.query("SELECT * FROM evidence WHERE principle = ?", [principle_id])
    ]
    for one in merged_evidence([*known, *draft.evidence]):
        db.execute(
            "INSERT OR REPLACE INTO evidence VALUES (?, ?, ?)",
            [principle_id, one.run, json.dumps(one.steps)],
        )
    if draft.uses:
        before = [
            Use(run=row["run"], credit=row["credit"])
            for row in db.query("SELECT * FROM uses WHERE principle = ?", [principle_id])
        ]
        for use in merged_uses([*before, *draft.uses]):
            _put_use(db, principle_id, use)
    _count(db, principle_id)


def _put_use(db: Any, principle_id: str, use: Use) -> None:
    db.execute(
        "INSERT INTO uses VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET credit = excluded.credit",
        [principle_id, use.run, use.credit, now()],
    )


def _count(db: Any, principle_id: str) -> None:
    db.execute(
        "UPDATE principles SET (succ, use) = (SELECT total(credit = 'success'), "
        "total(credit <> 'none') FROM uses WHERE principle = :id) WHERE id = :id",
        {"id": principle_id},
    )


def _set_status(db: Any, principle_id: str, status: Status, why: str) -> None:
    db.execute("UPDATE principles SET status = ? WHERE id = ?", [status, principle_id])
    _note(db, principle_id, "restored" if status == "active" else status, why)


def _note(db: Any, principle_id: str, what: str, why: str) -> None:
    row = {"principle": principle_id, "what": what, "why": why, "created": now()}
    db["changes"].insert(row)


def _number(db: Any, principle_id: str) -> int:
    return db.execute("SELECT number FROM principles WHERE id = ?", [principle_id]).fetchone()[0]


def _has(db: Any, principle_id: str) -> bool:
    row = db.execute("SELECT 1 FROM principles WHERE id = ?", [principle_id]).fetchone()
    return row is not None


def _active(db: Any, principle_id: str) -> bool:
    row = db.execute("SELECT status FROM principles WHERE id = ?", [principle_id]).fetchone()
    return row is not None and row["status"] == "active"


def _scope(row: Any) -> Scope:
    tools, errors = json.loads(row["tools"]), json.loads(row["errors"])
    return Scope(domain=row["domain"], tools=tools, errors=errors)


def _scope_columns(scope: Scope) -> dict[str, str]:
    tools, errors = json.dumps(scope.tools), json.dumps(scope.errors)
    return {"domain": scope.domain, "tools": tools, "errors": errors}


def _principle(row: Any, evidence: list[Evidence]) -> Principle:
    return Principle(
        id=row["id"],
        kind=row["kind"],
        sentence=row["sentence"],
        triples=json.loads(row["triples"]),
        scope=_scope(row),
        evidence=evidence,
        succ=row["succ"],
        use=row["use"],
        pinned=bool(row["pinned"]),
        author=row["author"],
        status=row["status"],
        created=row["created"],
    )
