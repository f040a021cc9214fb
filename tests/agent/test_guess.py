"""A task for which no tool could be proven: what unproven code says of it."""

from __future__ import annotations

import json

import pytest
import story

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve
from yunjue.agent.told import told
from yunjue.library.open import open_library
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")

ANSWER = {"action": "answer", "text": "CEDAR"}
FALSE_CASES = {"cases": [{**case, "expected": "zzz"} for case in story.CASES["cases"]]}
RAISES = "```python\ndef reverse_text(text: str) -> str:\n    raise KeyError(text)\n```"


def settings_of(tmp_path, flags=None, **changes):
    """The tester is wrong in all cases, so that no candidate passes any."""
    chosen = {"candidates": 2, "repairs": 0, **(flags or {})}
    return story.story_settings(tmp_path, chosen, tester=FALSE_CASES, next=ANSWER, **changes)


def path_of(result):
    return runs().directory / result.run / "trace.jsonl"


def events_of(result, kind):
    return [event for event in read_trace(path_of(result)) if event.kind == kind]


async def test_what_most_candidates_say_is_told_as_a_guess(tmp_path):
    settings = settings_of(tmp_path)
    result = await solve(story.TASK, settings)
    assert (result.status, result.answer) == ("not_solved", "radec")
    assert result.guessed == {"agree": 2, "of": 2} == result.to_dict()["guessed"]
    assert (result.new_tools, result.tools_used, result.tool_calls) == ([], [], 0)
    (guessed,) = events_of(result, "answer.guessed")
    assert guessed.data["inputs"] == {"text": "cedar"}
    assert "2 of 2 unproven candidates say so" in told(guessed)
    library = open_library(settings, print)
    assert library.count() == 0
    library.close()
    again = await replay(path_of(result), settings)
    assert (again.differences, again.result.answer) == ([], "radec")


async def test_of_what_was_refused_lately_a_few_are_written_anew(tmp_path):
    settings = settings_of(tmp_path)
    await solve(story.TASK, settings)
    result = await solve(story.OTHER_TASK, settings)
    assert events_of(result, "tool.passed_over") and not events_of(result, "tool.tested")
    assert len(events_of(result, "tool.authored")) == 2
    assert (result.status, result.answer) == ("not_solved", "rebma")
    assert (await replay(path_of(result), settings)).differences == []


async def test_those_that_fail_do_not_count(tmp_path):
    result = await solve(story.TASK, settings_of(tmp_path, author=RAISES))
    assert (result.status, result.answer, result.guessed) == ("not_solved", "CEDAR", {})


async def test_code_that_does_not_load_is_not_run(tmp_path):
    result = await solve(story.TASK, settings_of(tmp_path, author=story.BROKEN))
    assert (result.status, result.guessed) == ("not_solved", {})


async def test_it_can_be_turned_off_and_older_traces_replay_without(tmp_path):
    settings = settings_of(tmp_path, {"guess": False})
    result = await solve(story.TASK, settings)
    assert (result.status, result.answer, result.guessed) == ("not_solved", "CEDAR", {})
    older = tmp_path / "older.jsonl"
    lines = [json.loads(line) for line in path_of(result).read_text().splitlines()]
    del lines[[line["kind"] for line in lines].index("run.started")]["data"]["settings"]["guess"]
    older.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert (await replay(older, settings_of(tmp_path))).differences == []


async def test_where_no_tools_may_be_made_no_code_is_written(tmp_path):
    result = await solve(story.TASK, settings_of(tmp_path, {"max_new_tools": 0}))
    assert (result.status, result.guessed) == ("not_solved", {})
    assert not events_of(result, "tool.authored")


async def test_a_task_that_asks_for_knowledge_is_not_guessed_by_code(tmp_path):
    settings = settings_of(
        tmp_path,
        decide={"kind": "knowledge", "function": "capital"},
        critic={"answered": False, "why": "it is not the capital"},
    )
    result = await solve("What is the capital of France?", settings)
    assert (result.status, result.guessed) == ("not_solved", {})
