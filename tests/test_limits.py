from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.errors import LimitReached
from yunjue.limits import Limits, Meter
from yunjue.types import ModelReply, Usage


def reply(prompt=10, completion=5, cost=0.25):
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
    return ModelReply(text="", model="m", usage=usage, cost_usd=cost)


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(cost_usd=0.5), "cost"),
        (Limits(tokens=30), "tokens"),
        (Limits(calls=2), "model calls"),
    ],
)
def test_a_used_up_limit_stops_before_the_next_call(limits, word):
    meter = Meter(limits)
    for _ in range(2):
        meter.check()
        meter.add(reply())
    with pytest.raises(LimitReached, match=word):
        meter.check()


def test_steps_and_time():
    meter = Meter(Limits(steps=1))
    meter.step()
    with pytest.raises(LimitReached, match="steps"):
        meter.step()
    late = Meter(Limits(seconds=100), earlier_seconds=101)
    assert late.remaining_seconds() == 0
    with pytest.raises(LimitReached, match="time"):
        late.check()
    assert Meter(Limits()).remaining_seconds() is None


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=20))
def test_totals_are_sums(usages):
    meter = Meter(Limits())
    for prompt, completion in usages:
        meter.add(reply(prompt, completion, 0.5))
    assert meter.spent.tokens == sum(map(sum, usages))
    assert meter.spent.calls == len(usages)
    assert meter.spent.to_dict()["cost_usd"] == 0.5 * len(usages)
