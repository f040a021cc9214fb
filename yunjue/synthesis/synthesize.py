"""From a specification to an admitted tool, or a clear refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from yunjue.errors import ModelOutputInvalid
from yunjue.events import Events
from yunjue.files import as_paths
from yunjue.models.gateway import Gateway
from yunjue.protocols import Sandbox, SandboxLimits
from yunjue.synthesis.author import Needed
from yunjue.synthesis.making import Making
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.repair import Broken, Repair, repair
from yunjue.synthesis.settle import Settlement
from yunjue.synthesis.trial import Trial
from yunjue.types import Case, Stage, Tool, ToolSpec, Verdict


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What came of it: a tool with its verdict, or the reason of the refusal and the
    candidates that run, of which nothing is proven, the best first."""

    tool: Tool | None
    verdict: Verdict | None
    refusal: str = ""
    sketches: Sequence[Tool] = ()


class Synthesizer:
    """Makes tools.

    Args:
        candidates: most candidates written before a repair is tried.
        repairs: rounds in which the best candidate is rewritten with the evidence.
        veto: the first reason a plugin has against a proven tool; empty for none.
    """

    def __init__(
        self,
        gateway: Gateway,
        sandbox: Sandbox,
        events: Events,
        *,
        candidates: int,
        repairs: int,
        limits: SandboxLimits,
        veto: Callable[[Tool, Verdict], str],
    ) -> None:
        self._gateway = gateway
        self._sandbox = sandbox
        self._events = events
        self._candidates = candidates
        self._repairs = repairs
        self._limits = limits
        self._veto = veto

    async def make(
        self,
        spec: ToolSpec,
        task: str,
        origin: dict[str, Any],
        files: Mapping[str, str],
        procedure: str = "",
    ) -> Synthesis:
        """Write and prove the tool ``spec``; nothing enters a library here.

        Args:
            task: the task that needs it, for author and tester.
            origin: lineage to keep with the tool.
            files: the run's inputs, name -> host path; the cases may name them.
            procedure: how such tasks are done (the text of a skill), for author and tester.
        """
        self._events.emit("tool.specified", name=spec.name, spec=spec.model_dump())
        making = self._making(spec, task, files, procedure)
        try:
            await making.write_cases()
        except ModelOutputInvalid as error:
            return self._refuse(spec, f"the tester wrote no usable cases: {error.message}")
        trial = await making.settle_and_try()
        if trial is not None and trial.weak and await making.better_cases():
            trial = await making.settle_and_try()
        if trial is None:
            return self._refuse(spec, making.why_not(), making.sketches())
        synthesis = self._judge(spec, making.winner, making.settlement, trial, origin)
        if synthesis.tool is None:
            return replace(synthesis, sketches=_tools(spec, making.sketches()))
        return synthesis

    async def sketch(
        self, spec: ToolSpec, task: str, files: Mapping[str, str], procedure: str = ""
    ) -> Sequence[Tool]:
        """A few candidates that run, of which nothing is proven; arguments as for
        :meth:`make`."""
        making = self._making(spec, task, files, procedure)
        return _tools(spec, await making.sketch())

    def _making(
        self, spec: ToolSpec, task: str, files: Mapping[str, str], procedure: str
    ) -> Making:
        bench = Bench(self._sandbox, spec, self._limits, as_paths(files))
        needed = Needed(task, procedure)
        return Making(self._gateway, self._events, bench, needed, self._candidates, self._repairs)

    async def mend(
        self, tool: Tool, cases: Sequence[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]]
    ) -> Repair:
        """Write ``tool`` anew: see :func:`yunjue.synthesis.repair.repair`.

        Args:
            cases: as :class:`yunjue.types.Case` dumps.
            failures: ``inputs`` and ``error`` of each call that failed.
        """
        return await repair(
            self._gateway,
            self._sandbox,
            tool,
            [Case(**case) for case in cases],
            [Broken(one["inputs"], one["error"]) for one in failures],
            self._limits,
            self._veto,
        )

    def _judge(
        self,
        spec: ToolSpec,
        winner: Candidate,
        settlement: Settlement,
        trial: Trial,
        origin: dict[str, Any],
    ) -> Synthesis:
        tests = Stage(
            name="tests",
            passed=True,
            detail=settlement.why,
            evidence={"disputed": settlement.disputed, "cases": len(settlement.cases)},
            seconds=sum(outcome.seconds for outcome in winner.outcomes),
        )
        tool = winner.tool(spec, origin)
        stages = [*winner.stages, tests, *trial.stages]
        verdict = Verdict(
            tool_id=tool.id,
            admitted=all(stage.passed for stage in stages),
            stages=stages,
            sandbox=self._sandbox.name,
            image=self._sandbox.image,
            cases=trial.cases,
        )
        if not verdict.admitted:
            return self._refuse(spec, verdict.reason())
        veto = self._veto(tool, verdict)
        if veto:
            return self._refuse(spec, f"a plugin refused it: {veto}")
        return Synthesis(tool, verdict)

    def _refuse(self, spec: ToolSpec, why: str, sketches: Sequence[Candidate] = ()) -> Synthesis:
        self._events.emit("tool.refused", name=spec.name, why=why)
        return Synthesis(None, None, why, _tools(spec, sketches))


def _tools(spec: ToolSpec, candidates: Sequence[Candidate]) -> Sequence[Tool]:
    return [candidate.tool(spec, {}) for candidate in candidates]
