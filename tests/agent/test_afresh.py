"""The strategy that asks a model without what failed, too."""

from __future__ import annotations

import pytest
from rooms import TASK, offered, rule, settings_of

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve
from yunjue.approvals import Decision
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")
WALL = "ERROR There is only a wall."


def go(way, times):
    return {**rule("in the hall.*Which action", action="go", way=way), "times": times}


def asked(run):
    events = read_trace(runs().path(run) / "trace.jsonl")
    return [e.data["request"]["request"] for e in events if e.data.get("effect") == "model"]


def said(request):
    return request["messages"][-1]["content"]


async def test_two_times_of_three_the_model_does_not_see_what_failed(tmp_path):
    jump, on = rule("in the hall.*Which action", action="jump"), go("on", 1)
    tries = [go("back", 1), go("up", 1), {**jump, "times": 1}, on]
    never = Decision(False, by="person")
    with offered(strategy="afresh"):
        settings = settings_of(tmp_path, *tries)
        result = await solve(TASK, settings, ask=lambda proposal: never)
    assert result.status == "solved"
    requests = asked(result.run)[:4]
    assert [said(request).count("ERROR") for request in requests] == [0, 0, 0, 3]
    assert [request["temperature"] for request in requests] == [0.0, 0.8, 0.8, 0.0]


async def test_it_is_asked_again_until_it_names_something_else(tmp_path):
    with offered(strategy="afresh"):
        result = await solve(TASK, settings_of(tmp_path, go("back", 3)))
        assert result.status == "solved"
        again = await replay(runs().path(result.run) / "trace.jsonl", settings_of(tmp_path))
        assert again.differences == []
    first, *fresh = asked(result.run)[:4]
    assert (first["seed"], [one["seed"] for one in fresh]) == (0, [3, 4, 5])
    assert all(WALL not in said(one) for one in fresh)


async def test_a_model_that_finds_nothing_with_what_failed_is_asked_without_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("yunjue.strategies.afresh.TURN", 2)
    stuck = settings_of(tmp_path, go("back", 1), go("up", 1), go("back", 3), fresh_ideas=0)
    with offered(strategy="afresh"):
        result = await solve(TASK, stuck)
    assert result.status == "solved"
    seen = [WALL in said(request) for request in asked(result.run)]
    assert seen[:6] == [False, False, True, False, False, False]  # two repairs, then afresh
    assert asked(result.run)[5]["temperature"] == 0.8


async def test_a_model_that_finds_nothing_afresh_is_told_what_failed(tmp_path):
    with offered(strategy="afresh"):
        result = await solve(TASK, settings_of(tmp_path, go("back", 4)))
    assert result.status == "solved"
    assert [request["temperature"] for request in asked(result.run)[:5]] == [
        0.0,
        0.8,
        0.8,
        0.8,
        0.0,
    ]
    assert WALL in said(asked(result.run)[4])


async def test_a_model_that_never_names_anything_else_is_stuck(tmp_path):
    with offered(strategy="afresh"):
        result = await solve(TASK, settings_of(tmp_path, go("back", 99)))
    assert result.status == "not_solved"
    assert len(asked(result.run)) == 1 + 3 + 3 + 2  # afresh, with repairs, and fresh ideas
