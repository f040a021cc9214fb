"""Whole runs with a scripted model: graph, synthesis, library and trace together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import story

from yunjue.agent.replay import replay
from yunjue.agent.run import resume, runs, solve
from yunjue.agent.told import told
from yunjue.errors import (
    LimitReached,
    ModelOutputInvalid,
    ReplayMiss,
    TraceError,
    UsageError,
)
from yunjue.library.open import open_library
from yunjue.synthesis.template import render_tool
from yunjue.traces.trace import read_trace
from yunjue.types import CallOutcome, Verdict

pytestmark = pytest.mark.usefixtures("shared_base")


def trace_of(result):
    return read_trace(trace_path(result))


def trace_path(result):
    return runs().directory / result.run / "trace.jsonl"


def text_of(path):
    return Path(path).read_text()


def kinds(events):
    return [event.kind for event in events]


async def test_a_missing_tool_is_made_proved_used_and_kept(tmp_path):
    settings = story.story_settings(tmp_path)
    first = await solve(story.TASK, settings)
    assert (first.status, first.answer) == ("solved", "radec")
    assert first.new_tools == first.tools_used == ["reverse_text"]

    second = await solve(story.OTHER_TASK, settings)
    assert (second.status, second.answer) == ("solved", "rebma")
    assert second.new_tools == []
    assert second.tools_used == ["reverse_text"]
    assert second.tokens < first.tokens / 2

    library = open_library(settings, print)
    tool = library.get("reverse_text")
    assert tool.origin["run"] == first.run
    assert tool.origin["model"].startswith("scripted/")
    assert library.stats(tool.id)["calls"] == 2
    (economy,) = library.economics()
    assert 0 < tool.origin["cost"]["tokens"] <= first.tokens
    assert economy["saved"]["tokens"] == economy["made"]["tokens"]  # one later run used it
    verdict = library.verdict(tool.id)
    assert [stage.name for stage in verdict.stages] == [
        "static",
        "contract",
        "tests",
        "tests can fail",
        "generated inputs",
        "determinism",
        "resources",
    ]
    disputed = verdict.stages[2].evidence["disputed"]
    assert [entry["claimed"] for entry in disputed] == ["pu lvl"]
    assert "pu lvl" not in [case.expected for case in verdict.cases]
    library.close()


async def test_the_trace_tells_the_run(tmp_path):
    result = await solve(story.TASK, story.story_settings(tmp_path))
    events = trace_of(result)
    assert events[0].kind == "warning"  # the process sandbox says what it does not isolate
    assert events[-1].kind == "run.finished"
    assert [event.seq for event in events] == list(range(len(events)))
    order = ["run.started", "tools.retrieved", "manager.decided", "tool.specified"]
    order += ["tool.tested", "tool.admitted", "tool.called", "critic.judged", "run.answered"]
    told = [kind for kind in kinds(events) if kind in order]
    assert told == order


async def test_a_specification_for_this_task_alone_is_asked_for_anew_once(tmp_path):
    narrow = {**story.SPECIFICATION, "description": "The text 'cedar' in reverse order."}
    first = [
        {"when": "written for 'cedar' only", "reply": story.SPECIFICATION},
        {"when": "Specify the one that is missing", "reply": narrow},
    ]
    result = await solve(story.TASK, story.story_settings(tmp_path, first=first))
    told = {event.kind: event.data for event in trace_of(result)}
    assert told["manager.generalised"]["function"] == "reverse_text"
    assert told["tool.specified"]["spec"]["description"] == story.SPECIFICATION["description"]


async def test_a_specification_that_stays_narrow_is_taken(tmp_path):
    narrow = {**story.SPECIFICATION, "description": "The text 'cedar' in reverse order."}
    result = await solve(story.TASK, story.story_settings(tmp_path, specify=narrow))
    assert result.new_tools == ["reverse_text"]


async def test_candidates_that_fail_are_refused_and_the_run_says_so(tmp_path):
    settings = story.story_settings(
        tmp_path,
        {"candidates": 2, "repairs": 0},
        author=story.WRONG,
        next={"action": "answer", "text": "CEDAR"},
    )
    result = await solve(story.TASK, settings)
    assert result.status == "not_solved"
    assert result.new_tools == []
    assert (
        "agree pass none of the cases" in result.refused[0] or "reverse_text" in result.refused[0]
    )
    library = open_library(settings, print)
    assert library.count() == 0


async def test_what_could_not_be_made_is_passed_over_and_tried_again_later(tmp_path):
    answer = {"action": "answer", "text": "CEDAR"}
    settings = story.story_settings(
        tmp_path, {"candidates": 2, "repairs": 0, "guess": False}, author=story.WRONG, next=answer
    )
    kinds = []
    for _ in range(4):
        result = await solve(story.TASK, settings)
        assert "reverse_text" in result.refused[0]
        events = [event.kind for event in trace_of(result)]
        kinds.append([kind for kind in events if kind in ("tool.passed_over", "tool.authored")])
        again = await replay(trace_path(result), settings)
        assert again.differences == []
    tried = ["tool.authored"] * 2
    assert kinds == [tried, ["tool.passed_over"], ["tool.passed_over"], tried]
    library = open_library(settings, print)
    (refusal,) = library.refusals()
    assert (refusal.name, refusal.times, refusal.left) == ("reverse_text", 2, 4)

    able = story.story_settings(
        tmp_path, {"guess": False}, next=answer
    )  # the same model by name, and better now
    assert (await solve(story.TASK, able)).new_tools == []
    library.forget_refusals(["reverse_text"])
    assert (await solve(story.TASK, able)).new_tools == ["reverse_text"]
    assert library.refusals() == []


async def test_a_refusal_under_another_name_is_noticed_when_it_is_specified(tmp_path):
    settings = story.story_settings(
        tmp_path,
        decide={"kind": "compute", "function": "turn_text"},
        next={"action": "answer", "text": "CEDAR"},
    )
    library = open_library(settings, print)
    library.refuse("reverse_text", settings.model, "no two agree", "an earlier run")
    result = await solve(story.TASK, settings)
    assert result.new_tools == []
    assert result.refused == ["reverse_text(text: str) -> result: str: no two agree"]


@pytest.mark.parametrize("code", [story.BROKEN, story.LOOP, "I cannot do that."])
async def test_a_tool_that_does_not_work_is_refused(tmp_path, code):
    settings = story.story_settings(
        tmp_path,
        {"tool_seconds": 0.3, "candidates": 2, "repairs": 0},
        author=code,
        next={"action": "answer", "text": "radec"},
    )
    result = await solve(story.TASK, settings)
    assert result.refused and not result.new_tools
    assert result.answer == "radec"


async def test_cases_that_a_stub_passes_admit_nothing(tmp_path):
    same = {"cases": [{"inputs": {"text": word}, "expected": word} for word in ("aa", "b", "cc")]}
    settings = story.story_settings(
        tmp_path,
        {"candidates": 1},
        tester=same,
        next={"action": "answer", "text": "radec"},
    )
    result = await solve(story.TASK, settings)
    assert "a program that returns its input text passes every case" in result.refused[0]
    assert result.new_tools == []


async def test_inputs_on_which_programs_agree_become_cases_where_those_of_the_tester_are_weak(
    tmp_path,
):
    same = {"cases": [{"inputs": {"text": word}, "expected": word} for word in ("aa", "b", "cc")]}
    settings = story.story_settings(tmp_path, tester=same)
    result = await solve(story.TASK, settings)
    assert result.new_tools == ["reverse_text"]
    library = open_library(settings, print)
    cases = library.cases(library.get("reverse_text").id)
    assert [case.origin for case in cases] == ["tester"] * 3 + ["agreed", "regression"]
    assert cases[3].expected == cases[3].inputs["text"][::-1] != cases[3].inputs["text"]


async def test_prose_instead_of_json_ends_in_one_clear_error(tmp_path):
    settings = story.story_settings(tmp_path, decide="I would be glad to help with that!")
    with pytest.raises(ModelOutputInvalid) as caught:
        await solve(story.TASK, settings)
    assert "manager" in caught.value.message
    events = read_trace(runs().directory / runs().names()[0] / "trace.jsonl")
    assert events[-1].kind == "run.failed"
    assert kinds(events).count("model.repaired") == 2


async def test_a_question_of_knowledge_makes_no_tool(tmp_path):
    settings = story.story_settings(
        tmp_path,
        decide={"kind": "knowledge", "function": "capital"},
        next={"action": "answer", "text": "Paris"},
    )
    result = await solve("What is the capital of France?", settings)
    assert (result.status, result.answer, result.tool_calls) == ("solved", "Paris", 0)


async def test_the_critic_sends_an_ungrounded_answer_back_once(tmp_path):
    settings = story.story_settings(
        tmp_path,
        decide={"kind": "knowledge", "function": "capital"},
        next={"action": "answer", "text": "Lyon"},
        critic={"answered": False, "why": "it is not the capital"},
    )
    result = await solve("What is the capital of France?", settings)
    assert result.status == "not_solved"
    judged = [event for event in trace_of(result) if event.kind == "critic.judged"]
    assert len(judged) == 2


async def test_the_executor_can_request_a_tool(tmp_path):
    first = [
        {
            "when": "No other tool was found.*What next",
            "reply": {"action": "request_tools", "needs": ["reverse a text"]},
        },
    ]
    settings = story.story_settings(
        tmp_path,
        decide={"kind": "language", "function": "x"},
        first=first,
        critic={"answered": False, "why": "reverse it"},
        next={"action": "answer", "text": ""},
    )
    script = json.loads((tmp_path / "script.json").read_text())
    script["rules"].insert(
        0,
        {
            "when": "was not accepted.*What next",
            "reply": {"action": "search_tools", "query": "reverse"},
        },
    )
    script["rules"].insert(0, {"when": r"= radec.*What next", "reply": {"action": "finish"}})
    (tmp_path / "script.json").write_text(json.dumps(script))
    result = await solve(story.TASK, settings)
    assert (result.status, result.answer) == ("solved", "radec")
    assert result.new_tools == ["reverse_text"]


async def test_several_missing_tools_are_made_at_once(tmp_path):
    first = [
        {
            "when": r"= CEDAR.*= RADEC.*What next",
            "reply": {"action": "finish"},
        },
        {
            "when": r"= radec.*Call upper_text or double_text",
            "reply": {"tool": "upper_text", "inputs": {"text": "cedar"}},
        },
        {
            "when": r"= CEDAR.*What next",
            "reply": {"action": "call", "tool": "reverse_text", "inputs": {"text": "CEDAR"}},
        },
        {
            "when": r"= radec.*What next",
            "reply": {"action": "request_tools", "needs": ["upper case", "text twice"]},
        },
    ]
    made = {"upper_text": ("upper case", "text.upper()"), "double_text": ("twice", "text * 2")}
    for name, (need, expression) in made.items():
        cases = [{"inputs": {"text": t}, "expected": eval(expression, {"text": t})} for t in "abc"]
        code = f"```python\ndef {name}(text: str) -> str:\n    return {expression}\n```"
        first += [
            {"when": f"missing: .*{need}", "reply": {**story.SPECIFICATION, "name": name}},
            {"when": f"You write test cases.*def {name}", "reply": {"cases": cases}},
            {"when": f"complete Python functions.*def {name}", "reply": code},
        ]
    settings = story.story_settings(tmp_path, first=first)
    result = await solve(story.TASK, settings)
    assert (result.answer, result.tool_calls) == ("RADEC", 3)
    assert result.new_tools == ["reverse_text", "upper_text", "double_text"]


async def test_wrong_inputs_go_back_to_the_model(tmp_path):
    picky = (
        "```python\ndef reverse_text(text: str) -> str:\n    if text == 'cedar':\n"
        "        raise ValueError('not this one')\n    return text[::-1]\n```"
    )
    first = [
        {
            "when": r"wrong inputs.*not this one.*What next",
            "reply": {"action": "call", "tool": "reverse_text", "inputs": {"text": "cedars"}},
        },
        {"when": r"= sradec.*What next", "reply": {"action": "finish"}},
    ]
    settings = story.story_settings(tmp_path, author=picky, first=first)
    script = json.loads((tmp_path / "script.json").read_text())
    script["rules"] = script["rules"][1::-1] + script["rules"][2:]
    (tmp_path / "script.json").write_text(json.dumps(script))
    result = await solve(story.TASK, settings)
    assert result.answer == "sradec"
    called = [event.data["outcome"] for event in trace_of(result) if event.kind == "tool.called"]
    assert [outcome["status"] for outcome in called] == ["input_error", "ok"]


WRITES = """
def reverse_text(text: str) -> str:
    import os
    os.makedirs("outputs/texts", exist_ok=True)
    with open("outputs/texts/reversed.txt", "w") as file:
        file.write(text[::-1])
    os.symlink("/etc/passwd", "outputs/passwd")
    return text[::-1]
"""


async def test_files_that_a_tool_leaves_are_kept_with_the_run(tmp_path):
    settings = story.story_settings(tmp_path)
    library = open_library(settings, print)
    tool = story.tool(render_tool(story.SPEC, WRITES, []))
    library.add(tool, Verdict(tool_id=tool.id, admitted=True, stages=[]))
    library.close()
    result = await solve(story.TASK, settings)
    (path,) = result.files
    assert path.endswith(f"{result.run}/outputs/call-1/texts/reversed.txt")
    assert text_of(path) == "radec"
    (called,) = [event for event in trace_of(result) if event.kind == "tool.called"]
    assert "passwd" in called.data["outcome"]["left_out"]
    assert "reversed.txt (5 bytes)" in told(called)
    again = await replay(trace_path(result), settings)
    assert again.differences == []
    assert text_of(path) == "radec"


async def test_limits_stop_the_run_and_resume_goes_on(tmp_path):
    settings = story.story_settings(tmp_path, {"max_calls": 3})
    with pytest.raises(LimitReached) as caught:
        await solve(story.TASK, settings)
    run = runs().names()[0]
    assert run in caught.value.hint
    assert runs().summary(run).status == "limit"
    result = await resume(run, {"max_calls": 100})
    assert (result.status, result.answer) == ("solved", "radec")
    events = trace_of(result)
    replies = [e.data["key"] for e in events if e.kind == "effect" and e.data["effect"] == "model"]
    assert len(replies) == len(set(replies)), "no model call was made twice"
    assert kinds(events).count("tool.called") == 1
    with pytest.raises(UsageError, match="has ended"):
        await resume(run, {})


async def test_resume_without_readable_checkpoints_uses_the_trace(tmp_path):
    settings = story.story_settings(tmp_path, {"max_calls": 3})
    with pytest.raises(LimitReached):
        await solve(story.TASK, settings)
    run = runs().names()[0]
    (runs().directory / run / "checkpoints.sqlite").write_bytes(b"damaged" * 1000)
    result = await resume(run, {"max_calls": 100})
    assert result.answer == "radec"
    events = trace_of(result)
    replies = [e.data["key"] for e in events if e.kind == "effect" and e.data["effect"] == "model"]
    assert len(replies) == len(set(replies))


async def test_a_run_replays_without_its_model_and_library(tmp_path):
    settings = story.story_settings(tmp_path)
    first = await solve(story.TASK, settings)
    second = await solve(story.OTHER_TASK, settings)
    (tmp_path / "script.json").unlink()
    elsewhere = settings.model_copy(update={"library": tmp_path / "no such library"})
    for result in (first, second):
        done = await replay(runs().directory / result.run / "trace.jsonl", elsewhere)
        assert done.differences == []
        assert (done.result.answer, done.result.new_tools) == (result.answer, result.new_tools)
        assert done.result.tokens == result.tokens
    assert not (tmp_path / "no such library").exists()


async def test_a_replay_says_where_it_differs(tmp_path):
    settings = story.story_settings(tmp_path)
    result = await solve(story.TASK, settings)
    trace = runs().directory / result.run / "trace.jsonl"
    changed = trace.read_text().replace('"result": "radec"', '"result": "raxec"')
    (tmp_path / "changed.jsonl").write_text(changed)
    done = await replay(tmp_path / "changed.jsonl", settings)
    assert done.result.answer == "radec"
    assert any("gave another result" in difference for difference in done.differences)


async def test_a_trace_without_the_replies_is_refused(tmp_path):
    settings = story.story_settings(tmp_path)
    result = await solve(story.TASK, settings)
    trace = runs().directory / result.run / "trace.jsonl"
    lines = [line for line in trace.read_text().splitlines(True) if '"role": "author"' not in line]
    (tmp_path / "short.jsonl").write_text("".join(lines))
    with pytest.raises(ReplayMiss):
        await replay(tmp_path / "short.jsonl", settings)
    (tmp_path / "begun.jsonl").write_text(lines[0])
    with pytest.raises(TraceError):
        await replay(tmp_path / "begun.jsonl", settings)


@pytest.mark.parametrize("task", ["", "  \n", "x" * 100_001])
async def test_empty_and_huge_tasks_are_refused(tmp_path, task):
    with pytest.raises(UsageError):
        await solve(task, story.story_settings(tmp_path))
    assert runs().names() == []


async def test_a_taken_name_makes_the_manager_choose_another(tmp_path):
    from yunjue.types import Stage, Verdict

    settings = story.story_settings(
        tmp_path,
        {"top_k": 1},
        decide={"kind": "compute", "function": "mirror"},
        next={"action": "answer", "text": "radec"},
    )
    library = open_library(settings, print)
    other = story.tool().model_copy(update={"signature": "reverse_text(n: int) -> result: int"})
    stage = Stage(name="static", passed=True)
    library.add(other, Verdict(tool_id=other.id, admitted=True, stages=[stage]))
    library.close()
    result = await solve(story.TASK, settings.model_copy(update={"max_new_tools": 1}))
    assert "taken" in result.refused[0]
    assert result.new_tools == []


async def test_a_tool_that_fails_becomes_suspect_and_the_run_tells(tmp_path):
    settings = story.story_settings(tmp_path)
    await solve(story.TASK, settings)
    library = open_library(settings, print)
    tool = library.get("reverse_text")
    for number in range(3):
        failed = CallOutcome(status="failed", reason="raised", error="KeyError")
        library.record_call("elsewhere", str(number), tool.id, failed, {})
    assert library.status(tool.id) == "suspect"
    for number in range(4):
        library.record_call("elsewhere", f"ok{number}", tool.id, CallOutcome(status="ok"), {})
    library.close()
    second = await solve(story.OTHER_TASK, settings)  # still found, and its fifth success
    (moved,) = [event for event in trace_of(second) if event.kind == "tool.moved"]
    assert (moved.data["name"], moved.data["status"]) == ("reverse_text", "active")
    assert "went well" in moved.data["why"]
