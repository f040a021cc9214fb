"""The life of a tool: candidate, active, suspect, retired; and the rules that move it.

::

    candidate --proof--> active --fails--> suspect --fails on--> retired
                           ^--works again----/

A candidate was imported or made, but is not proven here: it is not found. A suspect is found,
after those that are not. A retired tool is not found, and `yunjue tools restore` brings it
back. Wrong inputs say nothing of the tool: the model mends them.
"""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.store.calls import Move

WINDOW = 10
"""How many of the newest calls are looked at, since the tool took its status."""

SUSPECT_AFTER = 3
CLEARED_AFTER = 5
RETIRED_AFTER = 5


def next_status(status: str, calls: Sequence[str]) -> Move | None:
    """Where the calls move a tool, or None to let it be.

    Args:
        calls: ``ok``, ``failed`` or ``input_error`` of each call since the tool took
            ``status``, oldest first.
    """
    judged = [call for call in calls if call != "input_error"][-WINDOW:]
    failed = judged.count("failed")
    of = f"{failed} of the last {len(judged)} calls failed"
    if status == "active" and failed >= SUSPECT_AFTER:
        return Move("suspect", "suspected", of)
    if status == "suspect":
        if failed >= RETIRED_AFTER:
            return Move("retired", "retired", f"{of} since it is suspect")
        if judged[-CLEARED_AFTER:] == ["ok"] * CLEARED_AFTER:
            return Move("active", "cleared", f"the last {CLEARED_AFTER} calls went well")
    return None
