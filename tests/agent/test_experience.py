"""Runs that use lessons of earlier runs, credit them, and teach."""

from __future__ import annotations

import json

import pytest
import story

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve
from yunjue.config import load_settings
from yunjue.principles.open import open_principles
from yunjue.principles.types import Draft
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")

ADVICE = "Reverse a text with a slice of step minus one."
LEARNT = "Texts are reversed by reverse_text without other tools."
LESSON = {"sentence": LEARNT, "triples": [["text", "needs", "reversal"]]}
ON = {"principles": True}


DISTILLER = [
    {"when": "Do both say the same", "reply": {"same": False}},
    {"when": "Log of one run", "reply": LESSON},
]


def settings_of(tmp_path, flags=None, first=(), **changes):
    """As of the story, with a distiller that always learns the same."""
    flags = {**ON, **(flags or {})}
    return story.story_settings(tmp_path, flags, first=[*first, *DISTILLER], **changes)


@pytest.fixture
def bank(own_home):
    opened = open_principles(load_settings(embedder="hash"), print)
    yield opened
    opened.close()


def trace_of(result):
    return read_trace(runs().directory / result.run / "trace.jsonl")


def prompts(events, text):
    """What models were asked whose request holds ``text``."""
    asked = [json.dumps(e.data["request"]) for e in events if e.kind == "effect"]
    return [one for one in asked if text in one]


async def test_off_nothing_is_asked_made_or_offered(tmp_path, bank):
    settings = story.story_settings(tmp_path)
    bank.keep(Draft(kind="guiding", sentence=ADVICE))
    result = await solve(story.TASK, settings)
    events = trace_of(result)
    assert not prompts(events, "search_principles") and not prompts(events, ADVICE)
    assert not [event for event in events if event.kind.startswith("principles")]
    assert bank.waiting().runs(1) == []


async def test_the_manager_is_shown_what_is_near_and_the_run_is_credited(tmp_path, bank):
    ((kept, _),) = [(one.id, one.new) for one in bank.keep(Draft(kind="guiding", sentence=ADVICE))]
    told = []
    result = await solve(
        story.TASK, settings_of(tmp_path), subscribers=(lambda event: told.append(event),)
    )
    assert (result.status, result.answer) == ("solved", "radec")
    events = trace_of(result)
    (found,) = [event for event in events if event.kind == "principles.found"]
    assert found.data["ids"] == [kept] and ADVICE in found.data["texts"][0]
    shown = prompts(events, ADVICE)
    assert {json.loads(one)["role"] for one in shown if "role" in json.loads(one)} == {"manager"}
    one = bank.get(kept)
    assert (one.succ, one.use) == (1, 1)
    assert [use.run for use in bank.bank().uses(kept)] == [result.run]
    assert [one.run for one in bank.waiting().runs(9)] == [result.run]
    assert events[-1].kind == "run.finished"


async def test_a_lesson_is_learnt_while_the_next_run_goes_on_and_shown_to_the_third(tmp_path, bank):
    settings = settings_of(tmp_path)
    first = await solve(story.TASK, settings)
    assert bank.bank().ids() == []
    second = await solve(story.OTHER_TASK, settings)
    (lesson,) = [event for event in trace_of(second) if event.kind == "principles.learnt"]
    assert lesson.data["run"] == first.run and lesson.data["new"] == [LEARNT]
    assert lesson.data["tokens"] > 0
    third = await solve(story.TASK, settings)
    assert prompts(trace_of(third), LEARNT)
    (only,) = bank.bank().ids()
    assert {one.run for one in bank.get(only).evidence} == {first.run, second.run}


async def test_a_bound_of_the_user_is_for_the_task_alone(tmp_path, bank):
    await solve(story.TASK, settings_of(tmp_path))
    await solve(story.OTHER_TASK, settings_of(tmp_path, {"max_tokens": 100_000}))
    assert bank.bank().ids() == [] and len(bank.waiting().runs(9)) == 2


async def test_a_distiller_that_cannot_be_reached_does_not_harm_the_run(tmp_path, bank):
    settings = settings_of(tmp_path)
    await solve(story.TASK, settings)
    dead = {"roles": {"distiller": "openai/gpt-4.1-mini"}}
    second = await solve(story.OTHER_TASK, settings_of(tmp_path, dead))
    assert second.status == "solved"
    assert len(bank.waiting().runs(9)) == 2


async def test_the_executor_can_ask_for_lessons(tmp_path, bank):
    bank.keep(Draft(kind="cautionary", sentence=ADVICE))
    consult = {"action": "search_principles", "query": "reverse a text with a slice"}
    first = [
        {"when": "What next", "reply": consult, "times": 1},
        {"when": "(?s)Lessons of earlier runs:.*What next", "reply": {"action": "finish"}},
    ]
    result = await solve(story.TASK, settings_of(tmp_path, first=first))
    assert (result.status, result.answer) == ("solved", "radec")
    events = trace_of(result)
    assert len([event for event in events if event.kind == "principles.found"]) == 2
    assert bank.get(bank.bank().ids()[0]).use == 1  # once a run, however often it is shown


async def test_a_replay_is_shown_the_same_and_changes_no_bank(tmp_path, bank):
    (kept,) = bank.keep(Draft(kind="guiding", sentence=ADVICE))
    result = await solve(story.TASK, settings_of(tmp_path))
    bank.bank().set_status(kept.id, "pruned", "")
    settings = story.story_settings(tmp_path)
    again = await replay(runs().directory / result.run / "trace.jsonl", settings)
    assert again.differences == []
    assert bank.get(kept.id).use == 1
    assert [one.run for one in bank.waiting().runs(9)] == [result.run]


async def test_an_empty_bank_changes_no_prompt_but_offers_the_search(tmp_path, bank):
    off = trace_of(await solve(story.TASK, story.story_settings(tmp_path)))
    on = trace_of(await solve(story.TASK, settings_of(tmp_path, {"library": tmp_path / "other"})))

    def managers(events):
        requests = [e.data["request"] for e in events if e.kind == "effect"]
        return [one["request"]["messages"] for one in requests if one.get("role") == "manager"]

    assert managers(on) == managers(off) != []
