"""Histories for tests: made by hypothesis, and one written by hand."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import strategies as st

from yunjue.metrics.record import StepRecord, TaskRecord

EVIL = "<script>alert('x')</script>"


@st.composite
def evolve_tasks(draw, most: int = 16, fewest_calls: int = 0) -> list[TaskRecord]:
    """Tasks of the arm ``evolve`` in stream order, four a step."""
    size = draw(st.integers(0, most))
    return [
        TaskRecord(
            arm="evolve",
            step=index // 4 + 1,
            index=index,
            task=f"t{index}",
            domain=draw(st.sampled_from(["", "maths", "text"])),
            status=draw(st.sampled_from(["solved", "not_solved", "limit", "failed"])),
            right=draw(st.sampled_from([True, False, None])),
            made=draw(st.integers(0, 3)),
            calls=draw(st.integers(fewest_calls, 5)),
        )
        for index in range(size)
    ]


def lines(*entries: tuple[str, dict]) -> str:
    return "".join(json.dumps({"kind": kind, "data": data}) + "\n" for kind, data in entries)


HAND = [
    TaskRecord(
        *("evolve", 1, 0, "reverse", "text", "solved", True, 1, 2, 2, 0, 0, 1000, 0.01, 2.0),
        roles={"executor": 600, "author": 400},
    ),
    TaskRecord(
        *("evolve", 1, 1, EVIL, "maths", "solved", False, 2, 3, 1, 1, 0, 2000, 0.02, 4.0),
        roles={"executor": 1500, "author": 500},
    ),
    TaskRecord(
        *("evolve", 2, 2, "sum", "maths", "not_solved", None, 0, 0, 0, 0, 0, 300, 0.0, 1.0),
        roles={"manager": 300},
    ),
    TaskRecord(
        *("evolve", 2, 3, "again", "text", "solved", True, 0, 5, 5, 0, 5, 700, 0.0, 9.0),
        roles={"executor": 700},
    ),
]
ALONE = [
    TaskRecord("model", 0, index, task.task, task.domain, right=index == 0, tokens=100, seconds=1.0)
    for index, task in enumerate(HAND)
]
STEPS = [
    StepRecord(1, size=2, added=2, merges=1, merged=2, dropped=0, seconds=5.0),
    StepRecord(2, size=2, seconds=10.0),
]
STARTED = {"id": "20260102-030405-abcdef", "tasks": 4, "model": "scripted", "batch_size": 2}


def hand_journal(path: Path) -> Path:
    """The journal of ``HAND``, its steps and the baseline ``ALONE``, at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [("started", STARTED)]
    entries += [("task", task.to_dict()) for task in HAND[:2]]
    entries += [("step", STEPS[0].to_dict())]
    entries += [("task", task.to_dict()) for task in HAND[2:]]
    entries += [("step", STEPS[1].to_dict()), ("note", {"text": "for people"})]
    entries += [("task", task.to_dict()) for task in ALONE]
    path.write_text(lines(*entries))
    return path
