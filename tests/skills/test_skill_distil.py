"""What of a run gets into a distilled skill: its steps and tools, and none of its values."""

from __future__ import annotations

import re

import pytest
import story
from hypothesis import given, settings
from hypothesis import strategies as st

from yunjue.errors import SkillRefused, UsageError
from yunjue.events import Event
from yunjue.skills.distil import leaked, plain_description, plain_name, proven, skill_of
from yunjue.types import Case


def tool(name="reverse_text", about="Reverses a text."):
    made = story.tool(source=f"x = {name!r}\n", name=name)
    return made.model_copy(update={"description": about})


def call(used, inputs, result):
    outcome = {"status": "ok", "output": {"result": result}}
    data = {"name": used.name, "id": used.id, "inputs": inputs, "outcome": outcome}
    return Event("tool.called", data)


def run(*calls, task="Reverse the text 'cedar'.", answer="radec", status="solved", more=()):
    return [
        Event("run.started", {"run": "20240101-000000-abcdef", "task": task}),
        *more,
        *calls,
        Event("run.finished", {"status": status, "answer": answer}),
    ]


def found(events, *tools):
    return proven(events, {one.id: one for one in tools}.__getitem__)


def made(kept, cases=lambda tool: [], description=None):
    return skill_of(kept, "turn-round", description or plain_description(kept), cases)


def test_steps_say_where_each_input_comes_from():
    first, second = tool(), tool("count_letters", "Counts the letters of a text.")
    events = run(
        call(first, {"text": "cedar"}, "radec"),
        call(second, {"text": "radec"}, 5),
        answer="5 letters",
    )
    kept = found(events, first, second)
    body = made(kept).body
    assert "1. Call `reverse_text` with:\n   - `text`: from the task" in body
    assert "2. Call `count_letters` with:\n   - `text`: the result of step 1" in body
    assert first.id in body and second.id in body
    assert "in the form the task asks for" in body
    assert plain_name(kept) == "reverse-text-then-count-letters"
    assert made(kept).allowed.tools == ("reverse_text", "count_letters")
    whole = found(run(call(first, {"text": "cedar"}, "radec")), first)
    assert "The answer is the result of step 1, to the letter." in made(whole).body


def test_a_narrow_specification_loses_what_is_narrow():
    narrow = tool(about="Reverses 'cedar' to radec.")
    kept = found(run(call(narrow, {"text": "cedar"}, "radec")), narrow)
    cases = [
        Case(inputs={"text": "abc"}, expected="cba"),
        Case(inputs={"text": "cedar"}, expected="radec"),
        Case(inputs={"text": "used"}, expected="desu", origin="regression"),
    ]
    skill = made(kept, lambda tool: cases)
    assert '`{"text": "abc"}` gives `"cba"`' in skill.body
    for value in ("cedar", "radec", "desu"):
        assert value not in skill.files["SKILL.md"].decode()
    assert skill.description.startswith("reverse_text(text: str)")


def test_a_value_that_a_description_holds_is_refused():
    used = tool()
    kept = found(run(call(used, {"text": "cedar"}, "radec")), used)
    with pytest.raises(SkillRefused, match="'radec'"):
        made(kept, description="Gives Radec.")
    with pytest.raises(SkillRefused, match="the name 'Bad Name'"):
        skill_of(kept, "Bad Name", "Turns.", lambda tool: [])


def test_a_value_that_is_a_word_of_the_frame_is_no_leak():
    used = tool()
    kept = found(
        run(call(used, {"text": "text"}, "txet"), task="Reverse 'text'.", answer="txet"), used
    )
    assert leaked("The text txet.", kept) == ["txet"]
    assert made(kept).name == "turn-round"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (run(status="not_solved"), "Only a run that was solved"),
        (run(), "called no tool"),
        (run(call(tool(), {}, 1), more=[Event("skill.chosen", {"name": "x"})]), "skill x already"),
        (run(*[call(tool(), {}, 1)] * 13), "13 calls"),
        ([], "Only a run that was solved"),
    ],
)
def test_only_a_run_solved_with_tools_becomes_a_skill(events, words):
    with pytest.raises(UsageError, match=words):
        found(events, tool())


VALUES = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=3, max_size=12)


@settings(max_examples=60, deadline=None)
@given(value=VALUES, answer=VALUES, number=st.integers(10, 10**9))
def test_no_value_of_the_run_is_ever_in_the_text(value, answer, number):
    used = tool(about=f"For {value} and {number} it gives {answer}.")
    task = f"Take '{value}' {number} times."
    kept = found(
        run(call(used, {"text": value, "n": number}, answer), task=task, answer=answer), used
    )
    cases = [
        Case(inputs={"text": value, "n": 1}, expected=answer),
        Case(inputs={"text": "q"}, expected=number),
    ]
    text = made(kept, lambda tool: cases).files["SKILL.md"].decode()
    frame = (
        made(found(run(call(tool(), {"text": "q", "n": 1}, 1), answer="1"), tool()))
        .files["SKILL.md"]
        .decode()
    )
    for one in (value, answer, str(number)):
        pattern = rf"(?<![\w.]){re.escape(one)}(?!\w)"
        assert re.search(pattern, frame, re.I) or not re.search(pattern, text, re.I)
