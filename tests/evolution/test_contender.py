from __future__ import annotations

import pytest
from story import ok, refused

from yunjue.evolution.contender import code_key, contenders, regression_cases
from yunjue.store.absorptions import Call
from yunjue.synthesis.template import render_tool
from yunjue.types import Case, FieldSpec, Tool, ToolSpec, Verdict


def source(name="reverse_text", body=None, description="Reverses.", about="the text") -> str:
    spec = ToolSpec(
        name=name,
        description=description,
        inputs=[FieldSpec(name="text", type="str", description=about)],
        output=FieldSpec(name="result", type="str", description="it"),
    )
    body = body or f"def {name}(text: str) -> str:\n    return text[::-1]"
    return render_tool(spec, body, [])


@pytest.mark.parametrize(
    "other",
    [
        source(description="Turns it around."),
        source(about="any text"),
        source(name="turn_round"),
        source(body="def reverse_text(text: str) -> str:\n    # so\n    return (text[::-1])"),
        source(body='def reverse_text(text: str) -> str:\n    """It."""\n    return text[::-1]'),
    ],
)
def test_the_same_code(other):
    assert code_key(other) == code_key(source())


@pytest.mark.parametrize(
    "other",
    [
        source(body="def reverse_text(text: str) -> str:\n    return text[::-2]"),
        source(body="def reverse_text(text: str) -> str:\n    return text[::-1] + ''"),
        source().replace("text: str = Field", "word: str = Field"),
        source().replace("result: str", "result: int"),
    ],
)
def test_other_code(other):
    assert code_key(other) != code_key(source())


def test_contenders_carry_tests_and_what_calls_gave():
    code = source()
    tool = Tool(
        id="1" * 64,
        name="reverse_text",
        description="",
        signature="",
        source=code,
        input_schema={},
        output_schema={"properties": {"result": {"type": "string"}}},
    )
    verdict = Verdict(
        tool_id=tool.id,
        admitted=True,
        stages=[],
        cases=[Case(inputs={"text": "ab"}, expected="ba")],
    )
    calls = [
        Call("r", "call-1", tool.id, ok("dc"), {"text": "cd"}),
        Call("r", "call-2", tool.id, refused(), {"text": "x"}),
        Call("r", "call-3", "2" * 64, ok("ff"), {"text": "ff"}),
    ]
    (one,) = contenders([(tool, verdict)], calls)
    assert one.calls == 2
    assert [(case.inputs["text"], case.origin) for case in one.cases] == [
        ("ab", "tester"),
        ("cd", "regression"),
    ]
    assert one.output_type == {"type": "string"}
    assert not one.kept


def test_only_plain_successes_are_regression_cases():
    two = ok("x").model_copy(update={"output": {"a": 1, "b": 2}})
    assert (
        regression_cases([Call("r", "1", "t", two, {}), Call("r", "2", "t", refused(), {})]) == []
    )
