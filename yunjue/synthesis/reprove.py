"""A tool proved again: on a new image, with new versions of what it requires, or elsewhere.

The cases are those it was admitted with. Whether they can fail was shown then, and does
not depend on where the tool runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.stages import contract_stage, runnable, static_stage, tests_stage
from yunjue.types import Case, Tool, Verdict


async def reprove(
    sandbox: Sandbox, tool: Tool, cases: Sequence[Case], limits: SandboxLimits
) -> Verdict:
    """The stages static, contract and tests, as far as they pass.

    Args:
        cases: those that named files of their run cannot be run again, and are left out.

    Raises:
        SandboxError: the sandbox itself failed; that says nothing of the tool.
    """
    left = runnable(cases)
    job = SandboxJob(source=tool.source, requirements=tool.requirements, limits=limits)
    stages = [static_stage(tool.source, tool.requirements)]
    if stages[-1].passed:
        fine = "loads, and has the schemas it had"
        contract, _ = await contract_stage(sandbox, job, partial(_changed, tool), fine)
        stages.append(contract)
    if stages[-1].passed:
        outcomes = await sandbox.call(replace(job, calls=[case.inputs for case in left]))
        stages.append(tests_stage(left, outcomes, len(cases) - len(left)))
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
