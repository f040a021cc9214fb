"""Stages that a candidate, a tool that is proved again, and a repair share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from yunjue.errors import DependencyError
from yunjue.protocols import INPUTS_FOLDER, Sandbox, SandboxJob, ToolSchemas
from yunjue.synthesis.settle import passes
from yunjue.synthesis.static_checks import check_source
from yunjue.types import CallOutcome, Case, Stage


def static_stage(
    source: str, requirements: list[str] | None = None, problem: Callable[[], str] = lambda: ""
) -> Stage:
    """What can be said of the file without running it.

    Args:
        requirements: as for :func:`yunjue.synthesis.static_checks.check_source`.
        problem: looked at when the file is in order; "" for none.
    """
    problems = check_source(source, requirements)
    if not problems and (one := problem()):
        problems = [one]
    return Stage(
        name="static",
        passed=not problems,
        detail=" ".join(problems) or "no problems",
        evidence={"problems": problems},
    )


async def contract_stage(
    sandbox: Sandbox, job: SandboxJob, problem: Callable[[ToolSchemas], str], fine: str
) -> tuple[Stage, ToolSchemas]:
    """Whether the file loads in the sandbox and declares what it should.

    Args:
        problem: what is wrong with the schemas; "" for nothing.
        fine: what to say when nothing is.

    Raises:
        SandboxError: the sandbox itself failed.
    """
    started = time.monotonic()
    try:
        schemas = await sandbox.inspect(job)
    except DependencyError as error:
        schemas = ToolSchemas(error=error.message)
    found = schemas.error or problem(schemas)
    stage = Stage(
        name="contract",
        passed=not found,
        detail=found or fine,
        seconds=time.monotonic() - started,
    )
    return stage, schemas


def runnable(cases: Sequence[Case]) -> list[Case]:
    """The cases that need no file of the run they come from."""
    return [case for case in cases if INPUTS_FOLDER not in json.dumps(case.inputs)]


def tests_stage(cases: Sequence[Case], outcomes: Sequence[CallOutcome], left_out: int = 0) -> Stage:
    """Whether every case passes, and there is one.

    Args:
        outcomes: one per case.
        left_out: cases that could not be run.
    """
    wrong = [
        {
            "inputs": case.inputs,
            "expected": case.expected,
            "got": outcome.output if outcome.status == "ok" else outcome.error,
        }
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
