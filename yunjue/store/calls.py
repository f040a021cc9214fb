"""What calls of tools came to: counts, evidence of failures, and successes as cases.

A success whose inputs and output are small, plain and whole becomes a regression case: what
the tool gave in real work, a repair of it must give again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.errors import LibraryError
from yunjue.hashing import canonical_json
from yunjue.protocols import INPUTS_FOLDER
from yunjue.store.database import Database
from yunjue.store.rows import now, set_status, to_json
from yunjue.types import CallOutcome, Case

CALL_BYTES = 4096
"""What is kept of the inputs of a call, and of its output."""

ERROR_CHARACTERS = 500
MOST_CASES = 20
MOST_FAILURES = 20
_LOOKED_AT = 200
"""Of a tool's newest calls, to find cases and failures that are not alike."""


@dataclass(frozen=True, slots=True)
class Move:
    """A tool's next status, what to call the change in its history, and why."""

    status: str
    what: str
    why: str


_INSERT = """
    INSERT INTO calls
        (run, call, tool_id, status, reason, error, seconds, inputs, output, created)
    VALUES (:run, :call, :tool_id, :status, :reason, :error, :seconds, :inputs, :output, :created)
    ON CONFLICT (run, call) DO NOTHING
"""

Rule = Callable[[str, Sequence[str]], Move | None]
"""The status of a tool and what its calls came to since it has it, oldest first -> a move."""

Redact = Callable[[Any], Any]
"""JSON -> the same with what must not be kept masked."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed: what it was given, None if that was too long to keep whole."""

    inputs: dict[str, Any] | None
    error: str
    reason: str
    run: str
    created: str


class Calls:
    """Rows of calls. ``redact`` sees everything before it is kept."""

    def __init__(self, database: Database, redact: Redact) -> None:
        self._db = database
        self._redact = redact

    def record(
        self,
        run: str,
        call: str,
        tool_id: str,
        outcome: CallOutcome,
        inputs: Mapping[str, Any],
        rule: Rule,
        window: int,
    ) -> Move | None:
        """Keep what a call came to, and move the tool as ``rule`` says, in one step.

        Args:
            window: how many of the tool's newest calls the rule is shown.

        Returns:
            The move, or None; a second time with the same run and call is no news.

        Raises:
            LibraryError: the library has no such tool.
        """
        row = self._row(run, call, tool_id, outcome, dict(inputs))
        with self._db.write() as db:
            try:
                done = db.execute(_INSERT, row)
            except sqlite3.IntegrityError:
                raise LibraryError(f"The library has no tool with the id {tool_id!r}.") from None
            if not done.rowcount:
                return None
            tool = db.execute(
                "SELECT status, judged_from FROM tools WHERE id = ?", [tool_id]
            ).fetchone()
            newest = db.execute(
                "SELECT status FROM calls WHERE tool_id = ? AND number > ? AND "
                "status != 'input_error' ORDER BY number DESC LIMIT ?",
                [tool_id, tool["judged_from"], window],
            ).fetchall()
            move = rule(tool["status"], [one["status"] for one in reversed(newest)])
            if move:
                set_status(db, tool_id, move.status, move.what, move.why)
            return move

    def _row(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: dict[str, Any]
    ) -> dict[str, Any]:
        shown, given = self._redact(inputs), self._redact(outcome.output)
        kept, output = to_json(shown), to_json(given)
        repeatable = (
            outcome.status == "ok"
            and (shown, given) == (inputs, outcome.output)
            and max(len(kept), len(output)) <= CALL_BYTES
            and INPUTS_FOLDER not in kept
        )
        return {
            "run": run,
            "call": call,
            "tool_id": tool_id,
            "status": outcome.status,
            "reason": outcome.reason,
            "error": str(self._redact(outcome.error))[:ERROR_CHARACTERS],
            "seconds": outcome.seconds,
            "inputs": kept[:CALL_BYTES],
            "output": output if repeatable else None,
            "created": now(),
        }

    def cases(self, tool_id: str) -> list[Case]:
        """The newest successes as cases, each input once, at most ``MOST_CASES``.

        Inputs that gave now this, now that, make no case.
        """
        rows = self._db.rows(
            "SELECT inputs, output FROM calls WHERE tool_id = ? AND status = 'ok' "
            "AND output IS NOT NULL ORDER BY number DESC LIMIT ?",
            [tool_id, _LOOKED_AT],
        )
        given: dict[str, set[str]] = {}
        found: dict[str, Case] = {}
        for row in rows:
            inputs, output = json.loads(row["inputs"]), json.loads(row["output"])
            if not isinstance(output, dict) or len(output) != 1:
                continue  # a case expects one value
            key = _key(inputs)
            given.setdefault(key, set()).add(_key(output))
            (expected,) = output.values()
            case = Case(inputs=inputs, expected=expected, origin="regression")
            found.setdefault(key, case)
        steady = [case for key, case in found.items() if len(given[key]) == 1]
        return steady[:MOST_CASES]

    def failures(self, tool_id: str) -> list[Failure]:
        """The newest failures, each kind of error with its inputs once, at most
        ``MOST_FAILURES``."""
        rows = self._db.rows(
            "SELECT inputs, error, reason, run, created FROM calls WHERE tool_id = ? "
            "AND status = 'failed' ORDER BY number DESC LIMIT ?",
            [tool_id, _LOOKED_AT],
        )
        found: dict[tuple[str, str, str], Failure] = {}
        for row in rows:
            failure = Failure(
                _whole(row["inputs"]), row["error"], row["reason"], row["run"], row["created"]
            )
            found.setdefault((row["inputs"], row["reason"], row["error"]), failure)
        return list(found.values())[:MOST_FAILURES]


def _key(value: Any) -> str:
    try:
        return canonical_json(value)
    except ValueError:  # JSON as Python writes it may hold NaN
        return repr(value)


def _whole(text: str) -> dict[str, Any] | None:
    try:
        return json.loads(text)
    except ValueError:
        return None
