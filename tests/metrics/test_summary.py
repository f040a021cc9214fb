"""Numbers of arms, steps and domains, checked against a stream written by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import ALONE, HAND, STEPS, evolve_tasks, hand_journal

from yunjue.metrics.journal import history, read_journal
from yunjue.metrics.record import History, StepRecord, TaskRecord
from yunjue.metrics.report import report
from yunjue.metrics.summary import arm_summary, domain_rows, step_rows, wilson

PAST = History((*HAND, *ALONE), tuple(STEPS))


def test_an_arm_by_hand():
    numbers = arm_summary(PAST, "evolve", window=2)
    expected = {
        "tasks": 4,
        "solved": 3,
        "right": 2,
        "known": 3,
        "made": 3,
        "calls": 10,
        "egl": 0.3,
        "egl_recent": 0.0,
        "input_errors": 1,
        "failed_calls": 1,
        "success": 0.8,
        "reuse": 0.5,
        "library": 2,
        "merges": 1,
        "merged": 2,
        "dropped": 0,
        "false_admissions": 2,
        "tokens": 4000,
        "tokens_per_task": 1000.0,
        "tokens_per_call": 280.0,  # the executor's 2800 over 10 calls
        "seconds_mean": 4.0,
        "seconds_median": 3.0,
        "roles": {"executor": 0.7, "author": 0.225, "manager": 0.075},
    }
    assert {name: numbers[name] for name in expected} == expected
    assert numbers["cost_per_task"] == pytest.approx(0.0075)


def test_a_baseline_has_no_library():
    numbers = arm_summary(PAST, "model")
    assert numbers["right"] == 1 and numbers["known"] == 4
    for name in ("egl", "library", "merges", "success", "reuse", "tokens_per_call"):
        assert numbers[name] is None
    assert numbers["roles"] == {}


def test_steps_by_hand():
    first, second = step_rows(PAST)
    assert (first["tasks"], first["made"], first["calls"]) == (2, 3, 5)
    assert first["egl"] == first["marginal"] == 0.6
    assert (first["library"], first["batch_seconds"]) == (2, 5.0)
    assert second["egl"] == 0.3 and second["marginal"] == 0.0
    running = History((*HAND,), (STEPS[0],))
    assert step_rows(running)[1]["library"] is None


def test_domains_by_hand():
    text, maths = domain_rows(PAST, window=1)
    assert (text["domain"], text["made"], text["calls"]) == ("text", 1, 7)
    assert text["egl_recent"] == 0.0 and maths["egl_recent"] is None
    assert maths["egl"] == 2 / 3


def test_the_last_step_counts_not_the_last_line():
    steps = (StepRecord(2, size=9), StepRecord(1, size=4))
    assert arm_summary(History((HAND[0],), steps), "evolve")["library"] == 9


def test_only_wrong_answers_that_were_given_admit_falsely():
    def count(status, right):
        task = TaskRecord("evolve", 1, 0, "", status=status, right=right, made=2, calls=1)
        return arm_summary(History((task,)), "evolve")["false_admissions"]

    assert count("solved", False) == 2 and count("solved", True) == 0
    assert count("not_solved", False) == 0 and count("limit", False) == 0
    assert count("solved", None) is None


@given(evolve_tasks())
def test_parts_add_up(tasks):
    past = History(tuple(tasks))
    whole = arm_summary(past, "evolve")
    for rows in (step_rows(past), domain_rows(past)):
        for name in ("tasks", "solved", "made", "calls", "right", "known"):
            assert sum(row[name] for row in rows) == whole[name]


@given(evolve_tasks(), st.integers(1, 9))
def test_every_report_is_plain_json(tasks, window):
    json.dumps(report(History(tuple(tasks)), window), allow_nan=False)


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_solves_its_equation(right, known):
    """Its ends are the shares p at which |right/known - p| = z * sqrt(p(1-p)/known)."""
    if right > known:
        right = known
    low, high = wilson(right, known)
    assert 0 <= low <= right / known <= high <= 1
    for end in (low, high):
        distance = (right / known - end) ** 2
        assert distance == pytest.approx(1.959964**2 * end * (1 - end) / known, abs=1e-6)


def test_wilson_published_and_undefined():
    """Newcombe 1998, method 3: 81/263 is 0.2553 to 0.3662; 0/20 is 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(0, 0) is None


def test_counted_anew_from_the_raw_journal(tmp_path):
    """A few lines that know nothing of the package come to the same, to the last digit."""
    path = hand_journal(tmp_path / "journal.jsonl")
    made, calls = defaultdict(int), defaultdict(int)
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] == "task" and entry["data"]["arm"] == "evolve":
            made[entry["data"]["domain"]] += entry["data"]["made"]
            calls[entry["data"]["domain"]] += entry["data"]["calls"]
    document = report(history(read_journal(path)))
    evolve = document["arms"]["evolve"]
    assert (evolve["made"], evolve["calls"]) == (sum(made.values()), sum(calls.values()))
    assert evolve["egl"] == float(Fraction(sum(made.values()), sum(calls.values())))
    assert {row["domain"]: row["egl"] for row in document["domains"]} == {
        domain: made[domain] / calls[domain] for domain in made
    }
