"""A candidate on its way: static checks, contract, and the runs of the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from yunjue.hashing import content_id
from yunjue.protocols import Sandbox, SandboxJob, SandboxLimits, ToolSchemas
from yunjue.synthesis.panel import run_programs
from yunjue.synthesis.stages import contract_stage, static_stage
from yunjue.synthesis.template import read_meta, render_tool
from yunjue.types import CallOutcome, Stage, Tool, ToolSpec

MOST_TIMEOUTS = 1
"""Calls of one candidate that may run out of time before the rest are given up."""


@dataclass(slots=True)
class Candidate:
    """One candidate: code, file, and what is known of it so far.

    ``outcomes`` has one entry per case and ``unlabelled`` one per generated input; both
    are empty if it did not get that far.
    """

    number: int
    body: str
    source: str
    stages: list[Stage] = field(default_factory=list)
    schemas: ToolSchemas | None = None
    outcomes: list[CallOutcome] = field(default_factory=list)
    unlabelled: list[CallOutcome] = field(default_factory=list)

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
        self.spec = spec
        self.limits = limits
        self._sandbox = sandbox
        self._files = files

    async def examine(self, number: int, body: str) -> Candidate:
        """Take one candidate through static checks and contract."""
        candidate = Candidate(number, body, render_tool(self.spec, body, []))
        name = self.spec.name
        candidate.stages.append(
            static_stage(
                candidate.source,
                problem=lambda: (
                    "" if f"def {name}(" in body else f"The function {name} is not defined."
                ),
            )
        )
        if candidate.sound:
            fine = "loads, and has the specified inputs"
            stage, candidate.schemas = await contract_stage(
                self._sandbox, self._job(candidate.source), self._mismatch, fine
            )
            candidate.stages.append(stage)
        return candidate

    async def exercise(
        self,
        candidate: Candidate,
        asked: Sequence[dict[str, Any]],
        generated: Sequence[dict[str, Any]],
        more: Sequence[dict[str, Any]] = (),
    ) -> list[CallOutcome]:
        """Run the candidate with the inputs of cases and with generated ones, whose outcomes
        it keeps; and with ``more``, whose outcomes are returned."""
        outcomes = await self.run(candidate, [*asked, *generated, *more])
        rest = len(asked) + len(generated)
        candidate.outcomes = outcomes[: len(asked)]
        candidate.unlabelled = outcomes[len(asked) : rest]
        return outcomes[rest:]

    async def run(
        self, candidate: Candidate, inputs: Sequence[dict[str, Any]]
    ) -> list[CallOutcome]:
        """One outcome per call, in a sandbox started for them."""
        return await self._sandbox.call(replace(self._job(candidate.source), calls=inputs))

    async def compare(
        self, programs: Sequence[str], calls: Sequence[tuple[int, dict[str, Any]]], seconds: float
    ) -> list[CallOutcome]:
        """As :func:`yunjue.synthesis.panel.run_programs`; ``seconds`` bound each call."""
        limits = replace(self.limits, seconds=min(seconds, self.limits.seconds))
        return await run_programs(
            self._sandbox, self.spec, programs, calls, files=self._files, limits=limits
        )

    def _job(self, source: str) -> SandboxJob:
        return SandboxJob(
            source=source, files=self._files, limits=self.limits, most_timeouts=MOST_TIMEOUTS
        )

    def _mismatch(self, schemas: ToolSchemas) -> str:
        wanted = [field.name for field in self.spec.inputs]
        found = list(schemas.input_schema.get("properties", {}))
        return "" if found == wanted else f"InputModel has {found}, the specification {wanted}"
