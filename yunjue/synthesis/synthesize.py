"""From a specification to an admitted tool, or a clear refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.concurrency import together
from yunjue.errors import ModelOutputInvalid
from yunjue.events import Events
from yunjue.models.gateway import Gateway
from yunjue.protocols import Sandbox, SandboxLimits
from yunjue.synthesis.author import Evidence, write_candidate
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.settle import Settlement, passes, settle
from yunjue.synthesis.tester import write_cases
from yunjue.types import Case, Stage, Tool, ToolSpec, Verdict

WAVE = 2
"""Candidates written at once; the next wave is written only if these settle nothing."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What came of it: a tool with its verdict, or the reason of the refusal."""

    tool: Tool | None
    verdict: Verdict | None
    refusal: str = ""


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
        self, spec: ToolSpec, task: str, origin: dict[str, Any], files: Mapping[str, str]
    ) -> Synthesis:
        """Write and prove the tool ``spec``; nothing enters a library here.

        Args:
            task: the task that needs it, for author and tester.
            origin: lineage to keep with the tool.
            files: the run's inputs, name -> host path; the cases may name them.
        """
        bench = Bench(self._sandbox, spec, self._limits, _paths(files))
        emit = self._events.emit
        emit("tool.specified", name=spec.name, spec=spec.model_dump())
        try:
            cases = await write_cases(self._gateway, spec, task)
        except ModelOutputInvalid as error:
            return self._refuse(spec, f"the tester wrote no usable cases: {error.message}")
        emit("tool.tested", name=spec.name, cases=[case.model_dump() for case in cases])

        candidates: list[Candidate] = []
        settlement = Settlement(None, cases, "no candidate was written")
        while settlement.winner is None and len(candidates) < self._candidates:
            size = min(WAVE, self._candidates - len(candidates))
            numbers = range(len(candidates), len(candidates) + size)
            candidates += await together(
                *(self._candidate(bench, spec, task, cases, number) for number in numbers)
            )
            settlement = settle(cases, [candidate.outcomes for candidate in candidates])
        for round_ in range(self._repairs):
            if settlement.winner is not None:
                break
            evidence = self._evidence(candidates, settlement)
            number = self._candidates + round_
            candidates.append(await self._candidate(bench, spec, task, cases, number, evidence))
            settlement = settle(cases, [candidate.outcomes for candidate in candidates])
        if settlement.winner is None:
            return self._refuse(spec, "; ".join([settlement.why, *_commonest(candidates)]))
        return await self._admit(bench, spec, candidates[settlement.winner], settlement, origin)

    async def _candidate(
        self,
        bench: Bench,
        spec: ToolSpec,
        task: str,
        cases: list[Case],
        number: int,
        evidence: Evidence | None = None,
    ) -> Candidate:
        body = await write_candidate(self._gateway, spec, task, number, evidence)
        self._events.emit("tool.authored", name=spec.name, candidate=number, code=body)
        candidate = await bench.examine(number, body, cases)
        passed = sum(map(passes, cases, candidate.outcomes)) if candidate.outcomes else 0
        self._events.emit(
            "tool.judged",
            name=spec.name,
            candidate=number,
            passed=passed,
            cases=len(cases),
            stages=[stage.model_dump(exclude={"seconds"}) for stage in candidate.stages],
        )
        return candidate

    def _evidence(self, candidates: list[Candidate], settlement: Settlement) -> Evidence:
        """The most promising candidate and what is wrong with it."""
        best = min(
            candidates,
            key=lambda candidate: (
                not candidate.sound,
                settlement.failures[candidates.index(candidate)],
            ),
        )
        failures = [stage.detail for stage in best.stages if not stage.passed]
        failures += [outcome.error for outcome in best.outcomes if outcome.error]
        failures += ["It gives wrong results for some inputs."] if not failures else []
        return Evidence(best.body, [line[:300] for line in dict.fromkeys(failures)][:3])

    async def _admit(
        self,
        bench: Bench,
        spec: ToolSpec,
        winner: Candidate,
        settlement: Settlement,
        origin: dict[str, Any],
    ) -> Synthesis:
        tests = Stage(
            name="tests",
            passed=True,
            detail=settlement.why,
            evidence={"disputed": settlement.disputed, "cases": len(settlement.cases)},
            seconds=sum(outcome.seconds for outcome in winner.outcomes),
        )
        can_fail = await bench.tests_can_fail(settlement.cases)
        stages = [*winner.stages, tests, can_fail]
        tool = winner.tool(spec, origin)
        verdict = Verdict(
            tool_id=tool.id,
            admitted=all(stage.passed for stage in stages),
            stages=stages,
            sandbox=self._sandbox.name,
            image=self._sandbox.image,
            cases=settlement.cases,
        )
        if not verdict.admitted:
            return self._refuse(spec, verdict.reason())
        veto = self._veto(tool, verdict)
        if veto:
            return self._refuse(spec, f"a plugin refused it: {veto}")
        return Synthesis(tool, verdict)

    def _refuse(self, spec: ToolSpec, why: str) -> Synthesis:
        self._events.emit("tool.refused", name=spec.name, why=why)
        return Synthesis(None, None, why)


def _commonest(candidates: list[Candidate], most: int = 2) -> list[str]:
    """What most often went wrong with the candidates, without the place in the code."""
    details = [candidate.stages[-1].detail for candidate in candidates if not candidate.sound]
    errors = [
        error
        for candidate in candidates
        for error in {outcome.error for outcome in candidate.outcomes if outcome.error}
    ]
    counted = Counter(text.split(" (line ")[0][:160] for text in [*details, *errors])
    return [text for text, _ in counted.most_common(most)]


def _paths(files: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in files.items()}
