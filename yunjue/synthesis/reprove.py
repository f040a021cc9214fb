"""A tool proved again: on a new image, with new versions of what it requires, or elsewhere.

The cases are those it was admitted with. Whether they can fail was shown then, and does
not depend on where the tool runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.settle import passes
from yunjue.synthesis.stages import contract_stage, static_stage
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
    stages = [static_stage(tool.source, tool.requirements)]
    if stages[-1].passed:
        fine = "loads, and has the schemas it had"
        contract, _ = await contract_stage(sandbox, job, partial(_changed, tool), fine)
        stages.append(contract)
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


def _changed(tool: Tool, schemas: ToolSchemas) -> str:
    for what in ("input_schema", "output_schema"):
        if dict(getattr(schemas, what)) != getattr(tool, what):
            return f"its {what.replace('_', ' ')} is not what it was"
    return ""


async def _tests(sandbox: Sandbox, job: SandboxJob, cases: Sequence[Case], left_out: int) -> Stage:
    calls = [case.inputs for case in cases]
    outcomes = await sandbox.call(replace(job, calls=calls))
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
