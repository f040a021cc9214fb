"""What tools were used for: calls, counts, the cases and the evidence they leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunjue.hashing import canonical_json
from yunjue.library.economics import made, saved
from yunjue.library.life import WINDOW, next_status
from yunjue.library.shelf import Shelf
from yunjue.store.calls import Calls, Failure, Move
from yunjue.store.counts import nothing
from yunjue.types import CallOutcome, Case


class Use(Shelf):
    """The record of use of :class:`yunjue.library.library.Library`."""

    def record_call(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: Mapping[str, Any]
    ) -> Move | None:
        """Keep what a call came to, once per ``run`` and ``call`` (ids that the caller makes).

        The rules of :mod:`yunjue.library.life` may move the tool in the same step.

        Returns:
            The move, if there was one.

        Raises:
            LibraryError: the library has no tool with that id.
        """
        calls = Calls(self._made(), self._redact)
        return calls.record(run, call, tool_id, outcome, inputs, next_status, WINDOW)

    def cases(self, tool_id: str) -> list[Case]:
        """The cases the tool passed when it was admitted, then its newest successes in real
        work (at most 20) with inputs that no other case has."""
        records, calls = self._records(), self._calls()
        if records is None or calls is None:
            return []
        proven = records.cases(tool_id)
        known = {_key(case) for case in proven}
        return proven + [case for case in calls.cases(tool_id) if _key(case) not in known]

    def evidence(self, tool_id: str) -> list[Failure]:
        """The tool's newest failures in real work, no two alike, at most 20; wrong inputs are
        none."""
        calls = self._calls()
        return calls.failures(tool_id) if calls else []

    def stats(self, tool_id: str) -> dict[str, Any]:
        """How the tool's calls went: ``calls``, ``ok``, ``input_errors``, ``failed``,
        ``runs``, ``later_runs`` (that used it with success and did not make it), ``seconds``
        (their sum), ``last_used`` (ISO time in UTC, or None)."""
        counts = self._counts()
        return counts.of(tool_id) if counts else nothing()

    def economics(self) -> list[dict[str, Any]]:
        """Of each tool in use, by name: ``name``, ``id``, ``status``, the counts of
        :meth:`stats`, ``made`` and ``saved`` (tokens, cost_usd, seconds; None if unknown)."""
        records, counts = self._records(), self._counts()
        if records is None or counts is None:
            return []
        used = counts.of_all()
        found = []
        for row in records.origins():
            count = used.get(row["id"], nothing())
            cost = made(row.pop("origin"))
            gain = saved(cost, count["later_runs"])
            found.append(
                {
                    **row,
                    **count,
                    "made": cost.to_dict() if cost else None,
                    "saved": gain.to_dict() if gain else None,
                }
            )
        return found


def _key(case: Case) -> str:
    try:
        return canonical_json(case.inputs)
    except ValueError:  # NaN
        return repr(case.inputs)
