"""Whole runs in the shop: greedy fails there by design, and looking ahead does not."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from shop import TASK
from shop_story import WISE, Story, played, run, settings_of

from yunjue.agent.replay import replay
from yunjue.agent.run import Sitting, runs
from yunjue.approvals import Decision
from yunjue.config import ROLES
from yunjue.errors import Paused
from yunjue.models.scripted import ScriptedModel
from yunjue.traces.runs import new_run_id
from yunjue.traces.trace import read_trace
from yunjue.web.calibration import POOR, PRIOR, Calibration

pytestmark = pytest.mark.usefixtures("shared_base")
RIGHT, WRONG = ["blue lamp, 18"], ["bundle, 45"]


def events_of(result, kind):
    events = read_trace(runs().path(result.run) / "trace.jsonl")
    return [event.data for event in events if event.kind == kind]


def weight(depth=1):
    with closing(Calibration()) as calibration:
        return calibration.weight("scripted", "scripted", depth)["weight"]


async def test_greedy_buys_what_shines(monkeypatch):
    story = Story()
    result = await run(story, monkeypatch, TASK, look_ahead="never")
    assert (result.status, story.orders) == ("not_solved", WRONG)
    assert "foresee" not in story.asked


async def test_a_critic_without_a_simulation_is_no_help(monkeypatch):
    story = Story()
    await run(story, monkeypatch, TASK, look_ahead="critic")
    assert story.orders == WRONG
    assert "judge" in story.asked and "foresee" not in story.asked


@pytest.mark.parametrize("depth", [1, 2])
async def test_looking_ahead_sees_the_price_before_it_clicks(monkeypatch, depth):
    story = Story()
    result = await run(story, monkeypatch, TASK, look_ahead="always", look_ahead_depth=depth)
    assert (result.status, story.orders) == ("solved", RIGHT)
    assert story.asked[:2] == ["propose", "propose"]  # the first two decisions compare nothing
    (compared, *_) = events_of(result, "candidates.judged")
    assert [one["score"] for one in compared["candidates"]] == [0, 0.75]
    assert compared["tokens"]["imagining"] > compared["tokens"]["acting"] > 0
    assert weight(depth) > PRIOR[depth]  # what was foreseen came true


async def test_auto_looks_ahead_where_the_model_is_unsure(monkeypatch):
    story = Story()
    await run(story, monkeypatch, TASK, look_ahead="auto")
    # Every sample is the same here: only what cannot be taken back is compared.
    assert story.orders == WRONG
    kinds = [name for name, before in zip(story.asked[1:], story.asked, strict=False)]
    assert kinds.count("foresee") == 2  # "Place order", and what could be done instead


async def test_a_wrong_simulator_is_weighed_down(monkeypatch):
    before = weight()
    story = Story(WISE, world="wrong")
    await run(story, monkeypatch, TASK, look_ahead="always")
    assert story.orders == WRONG  # it was led astray, from what greedy would have done right
    await run(Story(WISE, world="wrong"), monkeypatch, TASK, look_ahead="always")
    assert weight() <= POOR < before
    story = Story(WISE, world="wrong")
    result = await run(story, monkeypatch, TASK, look_ahead="always")
    assert (result.status, story.orders) == ("solved", RIGHT)
    spared = Story(WISE, world="wrong")
    await run(spared, monkeypatch, TASK, look_ahead="auto")
    assert "foresee" not in spared.asked


async def test_a_missing_simulation_is_loud_and_never_empty(monkeypatch):
    story = Story(world="broken")
    result = await run(story, monkeypatch, TASK, look_ahead="always")
    failed = events_of(result, "action.unforeseen")
    assert failed and "no usable JSON" in failed[0]["why"]
    (compared, *_) = events_of(result, "candidates.judged")
    assert all(one["unknown"] for one in compared["candidates"])
    assert "not known what would follow" in compared["candidates"][0]["foreseen"]
    with closing(Calibration()) as calibration:
        assert calibration.table() == []


async def test_a_replay_needs_no_browser_and_leaves_the_calibration_alone(monkeypatch):
    story = Story()
    result = await run(story, monkeypatch, TASK, look_ahead="always")
    with closing(Calibration()) as calibration:
        kept = json.dumps(calibration.table())
    path = runs().path(result.run) / "trace.jsonl"
    again = await replay(path, settings_of(start_url=None, domain="auto"))
    assert (again.differences, again.result.status) == ([], "solved")
    assert len(story.browsers) == 1
    with closing(Calibration()) as calibration:
        assert json.dumps(calibration.table()) == kept


async def test_the_outcome_of_a_run_judges_the_critic(monkeypatch):
    await run(Story(), monkeypatch, TASK, look_ahead="always")
    with closing(Calibration()) as calibration:
        brier, scores = calibration.brier("scripted")
        costs = calibration.costs()
    assert scores == 4 and brier == pytest.approx(0.25**2)
    assert costs["decisions"] == 7 and costs["imagining"] > costs["acting"]


async def test_a_word_given_later_is_about_the_element_that_waited(monkeypatch):
    """Another browser gives the elements other ids; the word is asked for once all the same."""
    story, run_id, asked = Story(WISE), new_run_id(), []

    def yes(proposal):
        asked.append(proposal)
        return Decision(True, by="person")

    def sitting(earlier=(), ask=None):
        models = {role: [ScriptedModel(story.answer)] for role in ROLES}
        settings = settings_of(approval=[], look_ahead="never")
        return Sitting(run_id, settings, earlier=list(earlier), models=models, ask=ask)

    with played(story, monkeypatch):
        with pytest.raises(Paused):
            await sitting().sit(TASK, {})
        events = read_trace(runs().path(run_id) / "trace.jsonl")
        result = await sitting(events, yes).sit(TASK, {})
    assert (result.status, story.orders, len(asked)) == ("solved", RIGHT, 1)
    (before, after) = story.browsers
    assert before.closed and after.done[0].target != asked[0].inputs["target"]
