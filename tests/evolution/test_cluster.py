from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.errors import ModelUnavailable
from yunjue.events import Events
from yunjue.evolution.cluster import LARGEST, components, confirmed, repaired_groups
from yunjue.evolution.contender import Contender
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ScriptedModel
from yunjue.types import Tool


def contender(name: str, output: str = "string", arguments: str = "text: str") -> Contender:
    tool = Tool(
        id=name.ljust(64, "0"),
        name=name,
        description=f"Does {name}.",
        signature=f"{name}({arguments}) -> result: {output}",
        source="",
        input_schema={},
        output_schema={"properties": {"result": {"type": output}}},
    )
    return Contender(tool, None)


def gateway(replies) -> Gateway:
    return Gateway(
        {"aggregator": [ScriptedModel(replies)]}, Unrecorded(), Meter(Limits()), Events()
    )


def grouped(groups) -> list[list[str]]:
    return [[one.tool.name for one in group] for group in groups]


@given(st.integers(0, 30), st.data())
def test_components_are_a_partition(count, data):
    number = st.integers(0, max(0, count - 1))
    pairs = data.draw(st.lists(st.tuples(number, number), max_size=60)) if count else []
    groups = components(count, pairs)
    assert sorted(one for group in groups for one in group) == list(range(count))
    assert all(len(group) <= LARGEST for group in groups)
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)


def test_components_connect():
    assert components(5, [(0, 1), (1, 2)]) == [[0, 1, 2], [3], [4]]


@given(st.lists(st.lists(st.integers(-3, 12))), st.integers(0, 8))
def test_whatever_the_aggregator_says_no_tool_is_lost_or_invented(answer, count):
    groups, _ = repaired_groups(answer, count)
    assert sorted(one for group in groups for one in group) == list(range(count))


def test_what_was_repaired_is_said():
    groups, why = repaired_groups([[1, 2], [2, 9]], 3)
    assert groups == [[0, 1], [2]]
    assert why == "tool 2 was named twice; there is no tool 9; tool 3 was left out"
    assert repaired_groups([[2], [1]], 2) == ([[0], [1]], "")


async def test_groups_are_as_the_aggregator_says():
    tools = [contender("a"), contender("b"), contender("c")]
    groups = await confirmed(tools, gateway([{"groups": [[1, 3], [2]]}]), Events())
    assert grouped(groups) == [["a", "c"], ["b"]]


async def test_tools_with_other_outputs_are_never_one():
    tools = [contender("a"), contender("b", "integer")]
    groups = await confirmed(tools, gateway([{"groups": [[1, 2]]}]), Events())
    assert grouped(groups) == [["a"], ["b"]]


async def test_the_same_specification_is_not_asked_about():
    groups = await confirmed([contender("a"), contender("a")], gateway([]), Events())
    assert grouped(groups) == [["a", "a"]]


async def test_an_aggregator_that_answers_nonsense_groups_nothing():
    seen = []
    events = Events()
    events.subscribe(seen.append)
    tools = [contender("a"), contender("b")]
    groups = await confirmed(tools, gateway(["what?"] * 3), events)
    assert grouped(groups) == [["a"], ["b"]]
    assert seen[-1].kind == "absorb.grouped"
    assert "no usable JSON" in seen[-1].data["why"]


async def test_an_aggregator_that_is_away_is_an_error():
    def away(request):
        raise ModelUnavailable("gone")

    slow = gateway(away)
    slow._max_retries = 0
    with pytest.raises(ModelUnavailable):
        await confirmed([contender("a"), contender("b")], slow, Events())
