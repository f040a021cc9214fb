"""A folder of original Yunjue tool files (arXiv 2601.18226), which come without tests.

A tester writes cases from what the file declares, without seeing its code. A case counts
where tool and tester agree; where they do not, nobody can say who is wrong, and the case
is dropped. Too few that agree, and the tool is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from yunjue.bundle.folder import read_file
from yunjue.bundle.licences import NO_ASSERTION
from yunjue.bundle.plan import REFUSED, Incoming, Planned
from yunjue.bundle.proof import tests_can_fail
from yunjue.bundle.tool_checks import checked_meta
from yunjue.errors import BundleRefused, ModelOutputInvalid, UsageError
from yunjue.hashing import content_id
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.declared import declaring, specification
from yunjue.synthesis.settle import passes
from yunjue.synthesis.stages import contract_stage
from yunjue.synthesis.template import read_meta
from yunjue.types import Case, Stage, Tool, ToolSpec, Verdict

MAX_BYTES = 200_000
"""Of a tool file."""
MAX_FILES = 1000
AGREE = 2
"""Cases on which tool and tester must agree, at least."""

WriteCases = Callable[[ToolSpec], Awaitable[list[Case]]]


def read_originals(folder: Path, label: str) -> tuple[list[Incoming], list[Planned], list[str]]:
    """The tool files in ``folder`` itself: those that may be tools, those that cannot be,
    and one note for each .py file that does not claim to be one.

    Raises:
        UsageError: there is no tool file.
        BundleRefused: there are too many files.
    """
    found: dict[str, Incoming] = {}
    refused: list[Planned] = []
    notes = []
    paths = sorted(folder.glob("*.py"))
    if len(paths) > MAX_FILES:
        raise BundleRefused("too-many-entries", f"More than {MAX_FILES} files.")
    for path in paths:
        data = b""
        try:
            data = read_file(path, MAX_BYTES, follow=False)
            if b"__TOOL_META__" not in data:
                notes.append(f"{path.name!a} is no tool: it has no __TOOL_META__.")
                continue
            incoming = _read(path.name, data, label)
            if incoming.tool.name in found:
                raise BundleRefused(
                    "duplicate-name", f"Another file is called {incoming.tool.name} too."
                )
            found[incoming.tool.name] = incoming
        except BundleRefused as error:
            tool = _tool(path.stem, "", "", data, [], label)
            one = Planned(Incoming(tool, (), {}), REFUSED)
            one.refuse(error.reason, error.message)
            refused.append(one)
    if not (found or refused):
        raise UsageError(
            f"{folder} has neither a manifest.json nor a tool file (.py with __TOOL_META__).",
            hint="See docs/bundles.md for what can be imported.",
        )
    return list(found.values()), refused, notes


def _read(file: str, data: bytes, label: str) -> Incoming:
    try:
        source = data.decode("utf-8")
        meta = read_meta(source)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise BundleRefused("static", f"{file} cannot be read as a tool: {error}.") from None
    requirements = meta.get("dependencies", [])
    if not (isinstance(requirements, list) and all(isinstance(one, str) for one in requirements)):
        raise BundleRefused("requirement", f"{file}: its dependencies are no list of texts.")
    checked_meta(file, source, requirements)
    tool = _tool(meta["name"], meta["description"], source, data, requirements, label)
    return Incoming(tool, (), meta)


def _tool(
    name: str, description: str, source: str, data: bytes, requirements: list[str], label: str
) -> Tool:
    digest = content_id(data)
    return Tool(
        id=digest,
        name=name,
        description=description,
        signature="",
        source=source,
        input_schema={},
        output_schema={},
        requirements=requirements,
        origin={"imported_from": label, "sha256": digest, "licence": NO_ASSERTION},
    )


async def complete(
    incoming: Incoming, sandbox: Sandbox, limits: SandboxLimits, write_cases: WriteCases
) -> tuple[Incoming, Verdict]:
    """The tool with the schemas and cases it lacked, and the verdict on it.

    Args:
        write_cases: asks the tester.

    Raises:
        SandboxError, ModelError: sandbox or model failed; that says nothing of the tool.
    """
    tool = incoming.tool
    job = SandboxJob(source=tool.source, requirements=tool.requirements, limits=limits)
    contract, schemas = await contract_stage(sandbox, job, partial(_untestable, tool), "loads")
    stages = [Stage(name="static", passed=True, detail="no problems"), contract]
    cases: list[Case] = []
    if contract.passed:
        tool = declaring(tool, schemas)
        written = await _written(write_cases, _specification(tool, schemas))
        tests, cases = await _tests(sandbox, job, written)
        stages.append(tests)
        if tests.passed:
            stages.append(tests_can_fail(cases))
    verdict = Verdict(
        tool_id=tool.id,
        admitted=all(stage.passed for stage in stages),
        stages=stages,
        sandbox=sandbox.name,
        image=sandbox.image,
        cases=cases,
    )
    return Incoming(tool, cases, incoming.meta), verdict


def _specification(tool: Tool, schemas: ToolSchemas) -> ToolSpec:
    inputs, outputs = schemas.input_schema, schemas.output_schema
    return specification(tool.name, tool.description, inputs, outputs)


def _untestable(tool: Tool, schemas: ToolSchemas) -> str:
    """Why no tester can be asked for cases, or ""."""
    try:
        _specification(tool, schemas)
    except ValueError as error:
        return str(error)
    return ""


async def _written(write_cases: WriteCases, spec: ToolSpec) -> list[Case]:
    try:
        return await write_cases(spec)
    except ModelOutputInvalid:
        return []


async def _tests(sandbox: Sandbox, job: SandboxJob, cases: list[Case]) -> tuple[Stage, list[Case]]:
    """The stage, and the cases on which the tool and the tester agree."""
    calls = [case.inputs for case in cases]
    outcomes = await sandbox.call(
        SandboxJob(source=job.source, calls=calls, requirements=job.requirements, limits=job.limits)
    )
    agreed = [case for case, outcome in zip(cases, outcomes, strict=True) if passes(case, outcome)]
    disputed: list[dict[str, Any]] = [
        {"inputs": case.inputs, "claimed": case.expected, "got": outcome.output or outcome.error}
        for case, outcome in zip(cases, outcomes, strict=True)
        if not passes(case, outcome)
    ]
    detail = f"tool and tester agree on {len(agreed)} of {len(cases)} cases"
    if len(agreed) < AGREE:
        detail += f"; {AGREE} are needed"
    stage = Stage(
        name="tests",
        passed=len(agreed) >= AGREE,
        detail=detail,
        evidence={"disputed": disputed},
        seconds=sum(outcome.seconds for outcome in outcomes),
    )
    return stage, agreed
