"""The EGL: exact, defined where it can be, the same task by task as at once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import evolve_tasks

from yunjue.metrics.egl import Counts, Meter, Window, curve, falls, stream, total
from yunjue.metrics.record import History, TaskRecord

counts = st.builds(Counts, st.integers(0, 200), st.integers(0, 200))


@given(counts, counts)
def test_l_falls_exactly_when_the_condition_says_so(so_far, task):
    before, after = so_far.egl, (so_far + task).egl
    if before is None:
        assert falls(so_far, task) is None
    else:
        assert falls(so_far, task) is (after < before)
        if task.egl is not None:
            assert falls(so_far, task) is (task.egl < before)


@pytest.mark.parametrize(
    ("so_far", "task", "fell"),
    [
        (Counts(0, 0), Counts(1, 1), None),  # no L before
        (Counts(3, 0), Counts(0, 0), None),
        (Counts(2, 4), Counts(0, 0), False),  # nothing happened
        (Counts(2, 4), Counts(1, 0), False),  # a tool that is not called
        (Counts(2, 4), Counts(1, 2), False),  # the same ratio
        (Counts(2, 4), Counts(1, 3), True),
        (Counts(0, 4), Counts(0, 3), False),  # 0 stays 0
        # Where floats see no difference: 1/3 and one part in 10^20 less.
        (Counts(10**20, 3 * 10**20), Counts(1, 4), True),
    ],
)
def test_the_condition_without_a_division(so_far, task, fell):
    assert falls(so_far, task) is fell


def test_undefined_before_the_first_call():
    tasks = [
        TaskRecord("evolve", 1, 0, "a", made=2),
        TaskRecord("evolve", 1, 1, "b", made=0, calls=4),
    ]
    first, second = curve(tasks)
    assert first.total.egl is None and first.fell is None
    assert second.total.egl == Fraction(1, 2) and second.fell is None


@given(evolve_tasks(fewest_calls=1), st.integers(1, 5))
def test_with_bounded_c_it_goes_to_zero_as_1_over_t(tasks, bound):
    left, bounded = bound, []
    for task in tasks:
        made = min(left, task.made)
        left -= made
        bounded.append(TaskRecord("evolve", task.step, task.index, "", made=made, calls=task.calls))
    for t, point in enumerate(curve(bounded), start=1):
        assert point.total.egl <= Fraction(bound, t)


@given(evolve_tasks(), st.integers(1, 6))
def test_task_by_task_is_the_same_as_at_once(tasks, window):
    meter = Meter(window)
    for number, task in enumerate(tasks, start=1):
        meter.add(task)
        seen = tasks[:number]
        assert meter.total == total(seen)
        assert meter.recent == total(seen[-window:])
        for domain in {task.domain for task in seen}:
            own = [task for task in seen if task.domain == domain]
            assert meter.domains[domain] == total(own)
            assert meter.recent_domains[domain] == total(own[-window:])
    assert meter.total == sum(meter.domains.values(), Counts())


@given(evolve_tasks())
def test_a_curve_says_what_the_ratios_say(tasks):
    points = curve(tasks)
    for before, after in pairwise(points):
        if before.total.egl is not None:
            assert after.fell is (after.total.egl < before.total.egl)
    if points:
        assert points[-1].total == total(tasks)


@given(st.randoms(), evolve_tasks())
def test_the_order_is_that_of_the_stream_not_of_the_journal(random, tasks):
    shuffled = list(tasks)
    random.shuffle(shuffled)
    assert stream(History(tuple(shuffled))) == tasks


def test_steps_come_before_indices():
    late = TaskRecord("evolve", 2, 0, "late")
    early = TaskRecord("evolve", 1, 1, "early")
    assert [task.task for task in stream(History((late, early)))] == ["early", "late"]


def test_the_published_numbers_fit_together():
    """97 tools over 2,500 queries at L = 3.4e-3: U must be about 28,529, 11 to 12 a query."""
    assert round(97 / 3.4e-3) == 28529
    tasks = [
        TaskRecord("evolve", t // 16 + 1, t, "", made=int(t < 97), calls=12 if t < 1029 else 11)
        for t in range(2500)
    ]
    last = curve(tasks)[-1].total
    assert last == Counts(97, 28529)
    assert round(1000 * last.egl, 1) == Fraction(34, 10)
    assert last.egl <= Fraction(97, 2500)


def test_a_window_holds_a_task():
    with pytest.raises(ValueError, match="at least one"):
        Window(0)
    with pytest.raises(ValueError, match="at least one"):
        Meter(window=0)


def test_state_does_not_grow_with_the_stream():
    meter = Meter(window=3)
    for index in range(100):
        meter.add(TaskRecord("evolve", 1, index, "", domain="one", made=1, calls=1))
    assert len(meter._window._tasks) == 3 and len(meter.domains) == 1
    assert len(meter._windows["one"]._tasks) == 3
