"""Repair in use; the programs here are ours and run on this host."""

from __future__ import annotations

import pytest

from yunjue.protocols import SandboxLimits
from yunjue.sandbox.process import ProcessSandbox
from yunjue.synthesis.prove import Bench
from yunjue.synthesis.repair import ATTEMPTS, Broken, function_of, repair
from yunjue.types import Case, FieldSpec, ModelReply, ToolSpec

SPEC = ToolSpec(
    name="share_of",
    description="The share of a part in a whole.",
    inputs=[
        FieldSpec(name="part", type="float", description="the part"),
        FieldSpec(name="whole", type="float", description="the whole"),
    ],
    output=FieldSpec(name="share", type="float", description="the share"),
)
OLD = "def share_of(part, whole):\n    return part / whole"
GOOD = (
    "def share_of(part, whole):\n    if whole == 0:\n"
    "        raise ValueError('the whole is zero')\n    return part / whole"
)
FORGETS = "def share_of(part, whole):\n    return 0.0 if whole == 0 else round(part / whole)"
CASES = [
    Case(inputs={"part": 1.0, "whole": 4.0}, expected=0.25),
    Case(inputs={"part": 3.0, "whole": 2.0}, expected=1.5),
    Case(inputs={"part": -5.0, "whole": 8.0}, expected=-0.625, origin="regression"),
]
FAILURES = [Broken({"part": 1.0, "whole": 0.0}, "ZeroDivisionError: division by zero")]


class Author:
    """Answers with these programs, one after the other, the last again and again."""

    def __init__(self, *programs):
        self.programs, self.asked = list(programs), []

    def model_name(self, role):
        return "scripted"

    async def ask(self, role, messages, **options):
        self.asked.append(messages[-1].content)
        body = self.programs.pop(0) if len(self.programs) > 1 else self.programs[0]
        return ModelReply(text=f"```python\n{body}\n```", model="scripted")


@pytest.fixture
async def sandbox(own_home):
    made = ProcessSandbox(allow_unsafe=True)
    await made.prepare()
    yield made
    await made.close()


async def the_tool(sandbox):
    candidate = await Bench(sandbox, SPEC, SandboxLimits(), {}).examine(0, OLD)
    return candidate.tool(SPEC, {"task": "What share is 1 of 4?"})


async def mended(sandbox, author, cases=CASES, failures=FAILURES, **changes):
    tool = (await the_tool(sandbox)).model_copy(update=changes)
    return await repair(author, sandbox, tool, cases, failures, SandboxLimits(seconds=2.0))


async def test_a_repair_passes_what_worked_and_what_failed(sandbox):
    author = Author(OLD, FORGETS, GOOD)
    done = await mended(sandbox, author)
    assert done.verdict.admitted
    assert "raise ValueError" in done.tool.source
    assert [stage.name for stage in done.verdict.stages][2:5] == ["schemas", "tests", "failures"]
    assert done.verdict.cases == CASES
    assert len(author.asked) == 3


async def test_the_author_sees_the_code_and_the_failure_and_no_expected_value(sandbox):
    author = Author(GOOD)
    await mended(sandbox, author)
    assert "return part / whole" in author.asked[0]
    assert "ZeroDivisionError" in author.asked[0] and '"whole":0.0' in author.asked[0]
    assert "0.25" not in author.asked[0]


async def test_what_forgets_a_case_or_fails_still_is_dropped(sandbox):
    done = await mended(sandbox, Author(FORGETS))
    assert done.tool is None and "tests: 0 of 3 cases pass" in done.refusal
    author = Author(OLD)
    done = await mended(sandbox, author)
    assert done.tool is None and "1 of 1 calls that failed fail still" in done.refusal
    assert len(author.asked) == ATTEMPTS


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"requirements": ["numpy"]}, "requirements"),
        ({"output_schema": {}}, "output"),
        ({"output_schema": {"properties": {"share": {"type": "object"}}}}, "type no tester knows"),
    ],
)
async def test_what_cannot_be_repaired(sandbox, changes, why):
    done = await mended(sandbox, Author(GOOD), **changes)
    assert done.tool is None and why in done.refusal


async def test_inputs_with_bounds_would_be_lost(sandbox):
    tool = await the_tool(sandbox)
    schema = {**tool.input_schema, "properties": {**tool.input_schema["properties"]}}
    schema["properties"]["whole"] = {**schema["properties"]["whole"], "minimum": 1}
    done = await mended(sandbox, Author(GOOD), input_schema=schema)
    assert done.tool is None and "inputs or output would change" in done.refusal


async def test_without_cases_nothing_is_tried(sandbox):
    gone = [Case(inputs={"part": "/inputs/a", "whole": 1.0}, expected=1.0)]
    assert "no cases" in (await mended(sandbox, Author(GOOD), cases=gone)).refusal


async def test_the_function_is_what_the_author_wrote(sandbox):
    assert function_of((await the_tool(sandbox)).source) == OLD
    source = '"""Doc."""\nimport math\nX = 3\n__TOOL_META__ = {}\nclass InputModel: pass\n'
    assert function_of(f"{source}def f():\n    return X\n") == (
        "import math\nX = 3\ndef f():\n    return X"
    )
