"""The stages a candidate passes: static, contract, and the runs of the cases."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yunjue.concurrency import together
from yunjue.errors import DependencyError
from yunjue.hashing import content_id
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.settle import passes
from yunjue.synthesis.static_checks import check_source
from yunjue.synthesis.stubs import stubs
from yunjue.synthesis.template import read_meta, render_tool
from yunjue.types import CallOutcome, Case, Stage, Tool, ToolSpec


@dataclass(slots=True)
class Candidate:
    """One candidate on its way: code, file, and what is known of it so far.

    ``outcomes`` has one entry per case, or is empty if it did not get that far.
    """

    number: int
    body: str
    source: str
    stages: list[Stage] = field(default_factory=list)
    schemas: ToolSchemas | None = None
    outcomes: list[CallOutcome] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return all(stage.passed for stage in self.stages)

    def tool(self, spec: ToolSpec, origin: dict[str, Any]) -> Tool:
        """The candidate as a tool; it must have passed the contract stage."""
        assert self.schemas is not None
        return Tool(
            id=content_id(self.source),
            name=spec.name,
            description=spec.description,
            signature=spec.signature(),
            source=self.source,
            input_schema=dict(self.schemas.input_schema),
            output_schema=dict(self.schemas.output_schema),
            requirements=list(read_meta(self.source).get("dependencies", [])),
            origin=origin,
        )


class Bench:
    """Where the candidates for one specification are examined.

    Args:
        files: the run's inputs, name -> host path, readable by what is examined.
    """

    def __init__(
        self, sandbox: Sandbox, spec: ToolSpec, limits: SandboxLimits, files: Mapping[str, Path]
    ) -> None:
        self._sandbox = sandbox
        self._spec = spec
        self._limits = limits
        self._files = files

    async def examine(self, number: int, body: str, cases: Sequence[Case]) -> Candidate:
        """Take one candidate through static checks, contract and the cases' inputs."""
        candidate = Candidate(number, body, render_tool(self._spec, body, []))
        candidate.stages.append(self._static(candidate))
        if candidate.sound:
            candidate.stages.append(await self._contract(candidate))
        if candidate.sound:
            candidate.outcomes = await self._run(candidate.source, cases)
        return candidate

    async def tests_can_fail(self, cases: list[Case]) -> Stage:
        """Run the cases against programs that do nothing; each must fail at least one."""
        started = time.monotonic()
        programs = stubs(self._spec, cases)
        runs = await together(*(self._run(source, cases) for source in programs.values()))
        survived = [
            what
            for what, outcomes in zip(programs, runs, strict=True)
            if all(map(passes, cases, outcomes))
        ]
        detail = (
            f"a program that {survived[0]} passes every case"
            if survived
            else f"{len(programs)} programs that do nothing fail"
        )
        return Stage(
            name="tests can fail",
            passed=not survived,
            detail=detail,
            evidence={"stubs": list(programs), "survived": survived},
            seconds=time.monotonic() - started,
        )

    async def _run(self, source: str, cases: Sequence[Case]) -> list[CallOutcome]:
        return await self._sandbox.call(self._job(source, [case.inputs for case in cases]))

    def _job(self, source: str, calls: Sequence[Mapping[str, Any]] = ()) -> SandboxJob:
        return SandboxJob(source=source, calls=calls, files=self._files, limits=self._limits)

    def _static(self, candidate: Candidate) -> Stage:
        problems = check_source(candidate.source)
        if not problems and f"def {self._spec.name}(" not in candidate.body:
            problems = [f"The function {self._spec.name} is not defined."]
        return Stage(
            name="static",
            passed=not problems,
            detail=" ".join(problems) or "no problems",
            evidence={"problems": problems},
        )

    async def _contract(self, candidate: Candidate) -> Stage:
        started = time.monotonic()
        try:
            schemas = await self._sandbox.inspect(self._job(candidate.source))
            problem = schemas.error
        except DependencyError as error:
            schemas, problem = ToolSchemas(), error.message
        candidate.schemas = schemas
        wanted = [field.name for field in self._spec.inputs]
        found = list(schemas.input_schema.get("properties", {}))
        if not problem and found != wanted:
            problem = f"InputModel has {found}, the specification {wanted}"
        return Stage(
            name="contract",
            passed=not problem,
            detail=problem or "loads, and has the specified inputs",
            seconds=time.monotonic() - started,
        )
