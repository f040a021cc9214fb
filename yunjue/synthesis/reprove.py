"""A tool proved again: on a new image, with new versions of what it requires, or elsewhere.

The cases are those it was admitted with. Whether they can fail was shown then, and does
not depend on where the tool runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from yunjue.errors import DependencyError
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.settle import passes
from yunjue.synthesis.static_checks import check_source
from yunjue.types import CallOutcome, Case, Stage, Tool, Verdict

INPUTS_FOLDER = "/inputs/"


async def reprove(
    sandbox: Sandbox, tool: Tool, cases: Sequence[Case], limits: SandboxLimits
) -> Verdict:
    """The stages static, contract and tests, as far as they pass.

    Args:
        cases: those that named files of their run cannot be run again, and are left out.

    Raises:
        SandboxError: the sandbox itself failed; that says nothing of the tool.
    """
    runnable = [case for case in cases if INPUTS_FOLDER not in json.dumps(case.inputs)]
    job = SandboxJob(source=tool.source, requirements=tool.requirements, limits=limits)
    stages = [_static(tool)]
    if stages[-1].passed:
        stages.append(await _contract(sandbox, tool, job))
    if stages[-1].passed:
        stages.append(await _tests(sandbox, job, runnable, len(cases) - len(runnable)))
    return Verdict(
        tool_id=tool.id,
        admitted=all(stage.passed for stage in stages),
        stages=stages,
        sandbox=sandbox.name,
        image=sandbox.image,
        cases=list(cases),
    )


def _static(tool: Tool) -> Stage:
    problems = check_source(tool.source, tool.requirements)
    return Stage(
        name="static",
        passed=not problems,
        detail=" ".join(problems) or "no problems",
        evidence={"problems": problems},
    )


async def _contract(sandbox: Sandbox, tool: Tool, job: SandboxJob) -> Stage:
    started = time.monotonic()
    try:
        schemas = await sandbox.inspect(job)
    except DependencyError as error:
        schemas = ToolSchemas(error=error.message)
    problem = schemas.error
    for what in ("input_schema", "output_schema"):
        if not problem and dict(getattr(schemas, what)) != getattr(tool, what):
            problem = f"its {what.replace('_', ' ')} is not what it was"
    return Stage(
        name="contract",
        passed=not problem,
        detail=problem or "loads, and has the schemas it had",
        seconds=time.monotonic() - started,
    )


async def _tests(sandbox: Sandbox, job: SandboxJob, cases: Sequence[Case], left_out: int) -> Stage:
    calls = [case.inputs for case in cases]
    outcomes = await sandbox.call(
        SandboxJob(source=job.source, calls=calls, requirements=job.requirements, limits=job.limits)
    )
    wrong = [
        {"inputs": case.inputs, "expected": case.expected, "got": _got(outcome)}
        for case, outcome in zip(cases, outcomes, strict=True)
        if not passes(case, outcome)
    ]
    detail = f"{len(cases) - len(wrong)} of {len(cases)} cases pass"
    if left_out:
        detail += f"; {left_out} need files that are gone"
    return Stage(
        name="tests",
        passed=bool(cases) and not wrong,
        detail=detail,
        evidence={"wrong": wrong},
        seconds=sum(outcome.seconds for outcome in outcomes),
    )


def _got(outcome: CallOutcome) -> object:
    return outcome.output if outcome.status == "ok" else outcome.error
