from __future__ import annotations

import pytest

from yunjue.errors import DependencyError
from yunjue.hashing import content_id
from yunjue.protocols import SandboxLimits, ToolSchemas
from yunjue.synthesis.reprove import reprove
from yunjue.synthesis.template import render_tool
from yunjue.types import CallOutcome, Case, FieldSpec, Tool, ToolSpec

SPEC = ToolSpec(
    name="double",
    description="Twice the number.",
    inputs=[FieldSpec(name="number", type="int", description="any")],
    output=FieldSpec(name="result", type="int", description="twice"),
)
CASES = [Case(inputs={"number": 2}, expected=4), Case(inputs={"number": 3}, expected=6)]
SCHEMAS = ToolSchemas({}, {"a": 1}, {"b": 2})


class Fake:
    name, image = "fake", "image 7"

    def __init__(self, schemas=SCHEMAS, results=(4, 6)):
        self.schemas, self.results = schemas, results

    async def inspect(self, job):
        if isinstance(self.schemas, Exception):
            raise self.schemas
        return self.schemas

    async def call(self, job):
        assert len(job.calls) == len(self.results)
        return [CallOutcome(status="ok", output={"result": result}) for result in self.results]


def a_tool(body="def double(number):\n    return number * 2"):
    source = render_tool(SPEC, body, [])
    return Tool(
        id=content_id(source),
        name="double",
        description=SPEC.description,
        signature=SPEC.signature(),
        source=source,
        input_schema={"a": 1},
        output_schema={"b": 2},
    )


async def proved(sandbox, tool=None, cases=CASES):
    return await reprove(sandbox, tool or a_tool(), cases, SandboxLimits())


async def test_a_tool_that_still_passes():
    verdict = await proved(Fake())
    assert verdict.admitted and verdict.image == "image 7"
    assert [stage.name for stage in verdict.stages] == ["static", "contract", "tests"]
    assert verdict.cases == CASES


async def test_a_case_that_fails_is_shown():
    verdict = await proved(Fake(results=(4, 7)))
    assert verdict.reason() == "tests: 1 of 2 cases pass"
    [wrong] = verdict.stages[-1].evidence["wrong"]
    assert wrong == {"inputs": {"number": 3}, "expected": 6, "got": {"result": 7}}


@pytest.mark.parametrize(
    ("schemas", "reason"),
    [
        (ToolSchemas(error="no module"), "contract: no module"),
        (ToolSchemas({}, {"a": 2}, {"b": 2}), "contract: its input schema is not what it was"),
        (ToolSchemas({}, {"a": 1}, {"b": 3}), "contract: its output schema is not what it was"),
        (DependencyError("no wheel"), "contract: no wheel"),
    ],
)
async def test_a_contract_that_changed(schemas, reason):
    verdict = await proved(Fake(schemas))
    assert verdict.reason() == reason and len(verdict.stages) == 2


async def test_static_checks_come_first():
    verdict = await proved(Fake(), a_tool("def double(number):\n    return eval('1')"))
    assert not verdict.admitted and [stage.name for stage in verdict.stages] == ["static"]


async def test_cases_that_need_files_of_their_run_are_left_out():
    gone = Case(inputs={"number": "/inputs/a.csv"}, expected=1)
    verdict = await proved(Fake(), cases=[*CASES, gone])
    assert verdict.admitted
    assert verdict.stages[-1].detail == "2 of 2 cases pass; 1 need files that are gone"
    assert not (await proved(Fake(results=()), cases=[gone])).admitted
