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
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from yunjue.errors import TraceError
from yunjue.metrics.record import History, StepRecord, TaskRecord

JOURNAL_FILE = "journal.jsonl"
HINT = "Metrics need every line whole; see yunjue/metrics/record.py for what a record holds."


def read_journal(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last one without newline was being written when its process died.

    Raises:
        TraceError: it cannot be read, or a line of it is damaged.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise TraceError(f"The journal {path} cannot be read: {error.strerror}.", hint="") from None
    lines = []
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(line)
            lines.append({"kind": str(entry["kind"]), "data": dict(entry["data"])})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise TraceError(f"Line {number} of {path} is damaged: {error}.", hint=HINT) from None
    return lines


def history(entries: Iterable[Mapping[str, Any]]) -> History:
    """The records that count.

    Raises:
        TraceError: a record has members it should not have, lacks some, or has one of a wrong
            type; a count is negative.
    """
    tasks: list[TaskRecord] = []
    steps: list[StepRecord] = []
    for entry in entries:
        kind, data = entry["kind"], entry["data"]
        try:
            if kind == "task":
                tasks.append(_checked(TaskRecord(**data)))
            elif kind == "step":
                steps.append(_checked(StepRecord(**data)))
            elif kind == "undone":
                undone = data["step"]
                tasks = [task for task in tasks if task.arm != "evolve" or task.step != undone]
                steps = [step for step in steps if step.step != undone]
        except (TypeError, ValueError) as error:
            raise TraceError(f"A record of the journal is not one: {error}.", hint=HINT) from None
        except KeyError:
            raise TraceError("An undone step has no number.", hint=HINT) from None
    return History(tuple(tasks), tuple(steps))


def _text(value: object) -> bool:
    """JSON can also hold halves of a surrogate pair, which cannot be printed."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _count(value: object) -> bool:
    return type(value) is int and value >= 0


def _amount(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0  # type: ignore


# By the annotation of the member. JSON has NaN, strings for numbers and null to offer.
_FITS: dict[str, Callable[[Any], bool]] = {
    "str": _text,
    "int": _count,
    "float": _amount,
    "bool | None": lambda value: value is None or isinstance(value, bool),
    "Mapping[str, int]": lambda value: isinstance(value, dict) and all(map(_count, value.values())),
}


def _checked(record: Any) -> Any:
    for member in fields(record):
        value = getattr(record, member.name)
        if not _FITS[str(member.type)](value):
            raise ValueError(f"{member.name} cannot be {repr(value)[:80]}")
    return record
