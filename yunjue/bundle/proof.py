"""A tool of a bundle proved in the importer's own sandbox, as if nobody had done it before."""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.bundle.idle import idle_program
from yunjue.protocols import Sandbox, SandboxLimits
from yunjue.synthesis.reprove import reprove
from yunjue.synthesis.stages import runnable
from yunjue.types import Case, Stage, Tool, Verdict


async def prove(
    sandbox: Sandbox, tool: Tool, cases: Sequence[Case], limits: SandboxLimits
) -> Verdict:
    """The stages static, contract, tests, and that the tests can fail.

    Raises:
        SandboxError: the sandbox itself failed; that says nothing of the tool.
    """
    verdict = await reprove(sandbox, tool, cases, limits)
    if not verdict.admitted:
        return verdict
    stage = tests_can_fail(cases)
    return verdict.model_copy(update={"stages": [*verdict.stages, stage], "admitted": stage.passed})


def tests_can_fail(cases: Sequence[Case]) -> Stage:
    """No program that does nothing passes the cases."""
    idle = idle_program(runnable(cases))
    return Stage(
        name="tests can fail",
        passed=not idle,
        detail=f"a program that {idle} passes every case" if idle else "idle programs fail",
    )
