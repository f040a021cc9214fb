"""What a run did becomes a recipe, which does it again with other inputs."""

from __future__ import annotations

import json

import pytest
from shop_story import WISE, Story, played, run, settings_of

from yunjue.agent.recipes import permitted, search
from yunjue.agent.run import runs
from yunjue.errors import UnknownToolError, UsageError
from yunjue.traces.trace import read_trace
from yunjue.web import recipes
from yunjue.web.recipe import Recipe, recipe_of
from yunjue.web.recipe_run import carry_out

pytestmark = pytest.mark.usefixtures("shared_base")
TASK = "At http://shop.test order a lamp that is blue and costs at most 20."


@pytest.fixture
async def recipe(monkeypatch):
    result = await run(Story(WISE), monkeypatch, TASK, look_ahead="never")
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    return recipe_of(result.run, events, "order_lamp")


async def again(story, monkeypatch, tmp_path, recipe, inputs):
    with played(story, monkeypatch):
        return await carry_out(recipe, inputs, settings_of(), tmp_path)


async def test_values_of_the_task_become_inputs(recipe):
    assert recipe.inputs == {"search": "lamp"}
    assert recipe.description.startswith("At http://shop.test order a {search} that is blue")
    first, *_ = recipe.steps
    assert (first.role, first.name) == ("textbox", "Search")
    assert first.action == {"action": "type", "text": "{search}"}
    assert [step.name for step in recipe.steps][1:] == [
        *("Go", "Blue lamp", "Add to basket", "To the checkout", "Place order")
    ]
    assert recipe.irreversible == ["button 'Place order' buys or pays"]
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


async def test_it_is_carried_out_without_a_model(recipe, monkeypatch, tmp_path):
    story = Story()
    outcome = await again(story, monkeypatch, tmp_path, recipe, {"search": "red lamp"})
    assert (outcome.status, story.orders) == ("ok", ["blue lamp, 18"])
    assert story.browser.shop.query == "red lamp"
    assert "Ordered: blue lamp" in outcome.output["page"]
    assert story.browser.closed and story.asked == []


async def test_no_session_is_left(recipe, monkeypatch, tmp_path):
    (tmp_path / "session.json").write_text("{}")  # as the browser leaves it
    await again(Story(), monkeypatch, tmp_path, recipe, {"search": "shoe"})
    assert not (tmp_path / "session.json").exists()


async def test_a_page_that_is_not_as_it_was_ends_it(recipe, monkeypatch, tmp_path):
    story = Story()
    outcome = await again(story, monkeypatch, tmp_path, recipe, {"search": "shoe"})
    assert outcome.status == "failed" and story.orders == []
    assert "Step 3 of 6: there is no link 'Blue lamp' on the page" in outcome.error
    outcome = await again(story, monkeypatch, tmp_path, recipe, {"other": "x"})
    assert outcome.status == "input_error"


async def test_a_new_risk_ends_it(recipe, monkeypatch, tmp_path):
    calm = Recipe.from_dict(
        {**recipe.to_dict(), "steps": [{**step, "risk": ""} for step in recipe.to_dict()["steps"]]}
    )
    story = Story()
    outcome = await again(story, monkeypatch, tmp_path, calm, {"search": "lamp"})
    assert outcome.status == "failed" and story.orders == []
    assert "not so when it was proven: button 'Place order' buys or pays" in outcome.error


async def test_it_is_found_like_a_tool_and_needs_the_users_word(recipe):
    recipes.keep(recipe)
    ((tool, score),) = search("order a lamp", lambda query, texts: [0.8] * len(texts))
    assert (tool.name, tool.source, score) == ("order_lamp", "", 0.8)
    assert tool.signature == "order_lamp(search: str) -> page: str"
    assert recipes.needs_of(recipe)[0] == ("network", "irreversible")
    with pytest.raises(UsageError, match="not run without your word"):
        permitted(recipe, {}, settings_of(approval=[]))
    permitted(recipe, {}, settings_of(approval=["allow order_lamp"]))


async def test_what_is_no_recipe_is_said(monkeypatch):
    result = await run(Story(), monkeypatch, TASK, look_ahead="never")
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    with pytest.raises(UsageError, match="did not solve"):
        recipe_of(result.run, events)
    with pytest.raises(UnknownToolError, match="There is no recipe"):
        recipes.find("../x")
    recipes.folder().mkdir(parents=True)
    (recipes.folder() / "bad.json").write_text("{}")
    with pytest.raises(UnknownToolError, match="is no recipe"):
        recipes.find("bad")
    assert recipes.recipes() == {}
