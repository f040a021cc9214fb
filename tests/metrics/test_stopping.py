"""The rule that says when to make no more tools."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stop_rule import FixedRule, independent, kinds, measure

from yunjue.errors import UsageError
from yunjue.metrics.record import TaskRecord
from yunjue.metrics.stopping import StopRule, judge


@given(st.lists(st.booleans(), max_size=300), st.floats(0.01, 0.9), st.floats(0.001, 0.5))
def test_it_holds_exactly_when_so_long_a_silence_is_unlikely(stream, rate, alpha):
    rule = StopRule(rate, alpha)
    for made in stream:
        rule.add(made)
        share = alpha / (rule.stretch * (rule.stretch + 1))
        unlikely = rule.quiet * math.log1p(-rate) <= math.log(share) + 1e-9
        assert rule.holds is unlikely
        if rule.quiet:
            assert (1 - rule.rate_below) ** rule.quiet == pytest.approx(share)


def test_the_shares_of_all_stretches_are_alpha():
    rule = StopRule(alpha=0.05)
    shares = []
    for _ in range(10_000):
        shares.append(rule._alpha())
        rule.add(True)
    assert sum(shares) < 0.05 and sum(shares) == pytest.approx(0.05, rel=1e-3)


def test_numbers_by_hand():
    """ln(0.05/2) / ln(0.95) = 71.9 tasks in the first stretch; after 97 tools 238."""
    rule = StopRule(0.05, 0.05)
    assert rule.needed == 72
    for _ in range(71):
        rule.add(False)
    assert not rule.holds and rule.rate_below > 0.05
    rule.add(False)
    assert rule.holds and rule.fired_at == 72 and rule.rate_below <= 0.05
    for _ in range(97):
        rule.add(True)
    assert rule.needed == 238
    assert not rule.holds and rule.fired_at == 72 and rule.new_since == 97


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, math.nan])
def test_parameters_are_probabilities(value):
    with pytest.raises(UsageError, match="between 0 and 1"):
        StopRule(rate=value)
    with pytest.raises(UsageError, match="between 0 and 1"):
        StopRule(alpha=value)


def test_a_task_that_broke_off_is_no_sign():
    tasks = [
        TaskRecord("evolve", 1, index, "", status=["limit", "failed", "not_solved"][index % 3])
        for index in range(300)
    ]
    stop = judge(tasks)
    assert stop.quiet == 100 and stop.left_out == 200
    assert stop.fired_at == 72 * 3  # the place in the stream, those left out included
    broken = [TaskRecord("evolve", 1, 0, "", status="limit", made=1)]
    assert judge(broken).left_out == 0 and judge(broken).needed > 72


def test_nothing_yet():
    stop = judge([])
    assert not stop.holds and stop.fired_at is None and stop.rate_below is None


def test_looking_again_and_again_stays_within_alpha():
    """At the rate itself, the worst case; a fixed n would stop almost every stream."""
    import numpy as np

    rng = np.random.default_rng(7)
    streams = [independent(np.full(3500, 0.05), rng) for _ in range(300)]
    spent = measure(streams, StopRule, 0.05, 0.05)
    assert spent["false"] <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5
    assert measure(streams, FixedRule, 0.05, 0.05)["false"] > 0.9


def test_a_stream_that_has_converged_is_stopped():
    import numpy as np

    rng = np.random.default_rng(7)
    make = kinds(0.05)["50 families alike"]
    measured = measure([make(rng) for _ in range(30)], StopRule, 0.05, 0.05)
    assert measured["fires"] == 1 and measured["false"] == 0 and measured["delay"] < 400
