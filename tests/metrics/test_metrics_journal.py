"""Journals: undone steps, half lines, damage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import ALONE, HAND, STEPS, evolve_tasks, hand_journal

from yunjue.errors import TraceError, UsageError
from yunjue.metrics.evolutions import find
from yunjue.metrics.journal import history, read_journal
from yunjue.metrics.record import StepRecord
from yunjue.metrics.report import twice


def entry(kind, record):
    return {"kind": kind, "data": record.to_dict()}


def test_what_is_written_is_read(tmp_path):
    past = history(read_journal(hand_journal(tmp_path / "journal.jsonl")))
    assert past.tasks == (*HAND, *ALONE) and past.steps == tuple(STEPS)


@given(evolve_tasks(), st.data())
def test_undone_is_as_if_it_had_never_been(tasks, data):
    step = data.draw(st.integers(1, 10))
    entries = [entry("task", task) for task in (*tasks, *ALONE)]
    entries += [
        entry("step", StepRecord(number, size=number)) for number in {t.step for t in tasks}
    ]
    kept = [
        one
        for one in entries
        if not (one["data"]["step"] == step and one["data"].get("arm", "evolve") == "evolve")
    ]
    undone = {"kind": "undone", "data": {"step": step}}
    assert history([*entries, undone]) == history(kept)
    again = [entry("task", replace(task, made=task.made + 1)) for task in tasks]
    again = [one for one in again if one["data"]["step"] == step]
    assert history([*entries, undone, *again]) == history([*kept, *again])


def test_a_half_line_at_the_end_was_being_written(tmp_path):
    path = hand_journal(tmp_path / "journal.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:20])
    assert len(history(read_journal(path)).tasks) == len(HAND) + len(ALONE)
    path.write_bytes(b"")
    assert history(read_journal(path)).tasks == ()


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", "1", '{"kind": "task"}', '{"data": {}}', '{"kind": "task", "data": 3}'),
        *("\udcff", "[" * 100_000),
    ],
)
def test_damage_in_the_middle_is_named_by_its_line(tmp_path, line):
    path = hand_journal(tmp_path / "journal.jsonl")
    first, rest = path.read_text().split("\n", 1)
    path.write_bytes(f"{first}\n{line}\n{rest}".encode(errors="surrogateescape"))
    with pytest.raises(TraceError, match="Line 2 "):
        read_journal(path)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"made": -1}, {"made": "1"}, {"made": 1.5}, {"calls": None}, {"calls": True}),
        *({"seconds": float("nan")}, {"seconds": -1.0}, {"right": "yes"}, {"task": 3}),
        *({"domain": None}, {"roles": {"executor": "many"}}, {"roles": []}, {"colour": "red"}),
        *({"task": "\ud800"}, {"cost_usd": "free"}),
    ],
)
def test_a_record_with_wrong_members_is_refused(wrong):
    with pytest.raises(TraceError, match="not one"):
        history([{"kind": "task", "data": {**HAND[0].to_dict(), **wrong}}])


def test_other_wrong_records():
    with pytest.raises(TraceError, match="not one"):
        history([{"kind": "step", "data": {"step": 1}}])
    with pytest.raises(TraceError, match="no number"):
        history([{"kind": "undone", "data": {}}])


def test_tasks_that_are_recorded_twice_are_known():
    entries = [entry("task", task) for task in (*HAND, HAND[1], *ALONE)]
    assert twice(history(entries)) == [("evolve", 1)]


def test_find(tmp_path):
    folder = tmp_path / "evolutions"
    with pytest.raises(UsageError, match="no evolution in"):
        find(folder)
    old = hand_journal(folder / "20260101-000000-aaaaaa" / "journal.jsonl")
    new = hand_journal(folder / "20260102-000000-bbbbbb" / "journal.jsonl")
    (folder / "not-one").mkdir()
    assert find(folder, "20260101") == find(folder, "aaaaaa") == old
    assert find(folder, str(old.parent)) == find(folder, str(old)) == old
    import os

    os.utime(new, (1, 1))
    assert find(folder) == old
    for name, problem in (("2026", "2 evolutions"), ("x", "no evolution"), ("", "no evolution")):
        with pytest.raises(UsageError, match=problem):
            find(folder, name)
    with pytest.raises(UsageError, match="no evolution"):
        find(folder, str(folder / "not-one"))


def test_a_journal_that_cannot_be_read(tmp_path):
    with pytest.raises(TraceError, match="cannot be read"):
        read_journal(tmp_path)
