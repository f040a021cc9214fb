"""The journal of an evolution: JSON lines, one for each event that metrics come from.

::

    {"kind": "task", "data": {…TaskRecord…}}
    {"kind": "step", "data": {…StepRecord…}}
    {"kind": "undone", "data": {"step": 3}}

Other kinds are for people and for other readers. An undone step's records do not count; the
step may be done anew under the same number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from yunjue.errors import TraceError
from yunjue.metrics.record import History, StepRecord, TaskRecord

JOURNAL_FILE = "journal.jsonl"


def read_journal(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last one without newline was being written when its process died.

    Raises:
        TraceError: it cannot be read, or a line of it is damaged.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise TraceError(f"The journal {path} cannot be read: {error.strerror}.") from None
    lines = []
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(line)
            lines.append({"kind": str(entry["kind"]), "data": dict(entry["data"])})
        except (ValueError, KeyError, TypeError) as error:
            raise TraceError(f"Line {number} of {path} is damaged: {error}.") from None
    return lines


def history(entries: Iterable[Mapping[str, Any]]) -> History:
    """The records that count.

    Raises:
        TraceError: a record has members it should not have, or lacks some.
    """
    tasks: list[TaskRecord] = []
    steps: list[StepRecord] = []
    for entry in entries:
        kind, data = entry["kind"], entry["data"]
        try:
            if kind == "task":
                tasks.append(TaskRecord(**data))
            elif kind == "step":
                steps.append(StepRecord(**data))
        except TypeError as error:
            raise TraceError(f"A record of the journal is not one: {error}.") from None
        if kind == "undone":
            undone = data["step"]
            tasks = [task for task in tasks if task.arm != "evolve" or task.step != undone]
            steps = [step for step in steps if step.step != undone]
    return History(tuple(tasks), tuple(steps))
