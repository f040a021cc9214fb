"""The stages that need no cases, for a candidate and for a tool that is proved again."""

from __future__ import annotations

import time
from collections.abc import Callable

from yunjue.errors import DependencyError
from yunjue.protocols import Sandbox, SandboxJob, ToolSchemas
from yunjue.synthesis.static_checks import check_source
from yunjue.types import Stage


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
