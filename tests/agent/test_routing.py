from __future__ import annotations

import pytest
import story

from yunjue.agent.run import runs, solve
from yunjue.domains import Domain
from yunjue.errors import UsageError
from yunjue.hookspecs import hookimpl
from yunjue.plugins import plugins
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")

QUESTION = "Which field does the task belong to"
TEXTS = Domain("texts", "work on texts", fits=lambda task, files: "Reverse" in task)


def offering(*domains):
    class Offers:
        @hookimpl
        def register_domains(self, register):
            for domain in domains:
                register(domain)

    return Offers()


@pytest.fixture
def texts():
    plugin = offering(TEXTS)
    plugins().manager.register(plugin, name="texts")
    yield
    plugins().manager.unregister(plugin)


def chosen(result):
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    return [event.data for event in events if event.kind == "domain.chosen"]


async def test_the_manager_is_asked_about_domains_that_may_fit(tmp_path, texts):
    rule = {"when": QUESTION, "reply": {"domain": "texts"}}
    result = await solve(story.TASK, story.story_settings(tmp_path, first=[rule]))
    assert (result.status, chosen(result)) == (
        "solved",
        [{"domain": "texts", "offered": ["texts"]}],
    )
    rule = {"when": QUESTION, "reply": {"domain": "none"}}
    result = await solve(story.OTHER_TASK, story.story_settings(tmp_path, first=[rule]))
    assert chosen(result) == [{"domain": "", "offered": ["texts"]}]


async def test_a_task_that_no_domain_claims_costs_no_question(tmp_path):
    assert chosen(await solve(story.TASK, story.story_settings(tmp_path))) == []


async def test_the_user_may_name_the_domain_or_none(tmp_path, texts):
    named = story.story_settings(tmp_path, {"domain": "texts"})
    assert chosen(await solve(story.TASK, named)) == [{"domain": "texts", "offered": []}]
    without = story.story_settings(tmp_path, {"domain": "none"})
    assert chosen(await solve(story.TASK, without)) == []
    with pytest.raises(UsageError, match="no domain 'moon'; there are: texts"):
        await solve(story.TASK, story.story_settings(tmp_path, {"domain": "moon"}))
