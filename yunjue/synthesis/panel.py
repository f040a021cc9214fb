"""Many programs for one specification, side by side in one sandbox.

A start of a sandbox costs more than a hundred calls in it. Each call has a process of its
own, so the programs do not meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits
from yunjue.synthesis.template import render_tool
from yunjue.types import CallOutcome, FieldSpec, ToolSpec


async def run_programs(
    sandbox: Sandbox,
    spec: ToolSpec,
    programs: Sequence[str],
    calls: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    files: Mapping[str, Path],
    limits: SandboxLimits,
) -> list[CallOutcome]:
    """One outcome per call.

    Args:
        programs: each defines the function ``spec.name``, as an author writes it.
        calls: index of a program, and the inputs.
    """
    choice = _unused([field.name for field in spec.inputs])
    wider = spec.model_copy(
        update={"inputs": [FieldSpec(name=choice, type="int"), *spec.inputs], "description": "."}
    )
    source = render_tool(wider, _chooser(wider, choice, programs), [])
    job = SandboxJob(
        source=source,
        calls=[{**inputs, choice: number} for number, inputs in calls],
        files=files,
        limits=limits,
    )
    return await sandbox.call(job)


def _unused(names: Sequence[str]) -> str:
    name = "program"
    while name in names:
        name += "0"
    return name


def _chooser(spec: ToolSpec, choice: str, programs: Sequence[str]) -> str:
    """A function that runs the chosen program, with globals of its own as in a file."""
    names = [field.name for field in spec.inputs]
    passed = ", ".join(f"{name}={name}" for name in names if name != choice)
    listed = "".join(f"    {program!r},\n" for program in programs)
    return (
        f"_PROGRAMS = [\n{listed}]\n\n\n"
        f"def {spec.name}({', '.join(names)}):\n"
        f'    _space = {{"__name__": __name__}}\n'
        f"    exec(_PROGRAMS[{choice}], _space)\n"
        f"    return _space[{spec.name!r}]({passed})"
    )
