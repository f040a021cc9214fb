"""One tool in the making: its cases, its candidates, and what is settled between them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from yunjue.concurrency import together
from yunjue.errors import ModelOutputInvalid
from yunjue.events import Events
from yunjue.models.gateway import Gateway
from yunjue.synthesis.author import Evidence, Needed, write_candidate
from yunjue.synthesis.choose import best
from yunjue.synthesis.generated import generated_inputs
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.settle import Settlement, passes, result_of, settle
from yunjue.synthesis.tester import write_cases
from yunjue.synthesis.trial import Trial, try_winner
from yunjue.types import Case

WAVE = 2
"""Candidates written at once; the next wave is written only if these settle nothing."""


class Making:
    """One tool in the making: cases, candidates, and what was settled between them.

    Attributes:
        settlement: the last one.
        winner: the candidate it chose, if :meth:`settle_and_try` found one.
    """

    settlement: Settlement
    winner: Candidate

    def __init__(
        self,
        gateway: Gateway,
        events: Events,
        bench: Bench,
        needed: Needed,
        most: int,
        repairs: int,
    ) -> None:
        self._gateway = gateway
        self._emit = events.emit
        self._bench = bench
        self._needed = needed
        self._most = most
        self._repairs = repairs
        self._cases: list[Case] = []
        self._generated: list[dict[str, Any]] = []
        self._candidates: list[Candidate] = []

    async def write_cases(self) -> None:
        """Have the tester write cases. Raises ModelOutputInvalid."""
        self._cases = await write_cases(self._gateway, self._bench.spec, self._needed)
        self._generated = generated_inputs(self._bench.spec, self._asked())
        self._tell_cases()

    async def better_cases(self) -> bool:
        """Have the tester write more cases, and every candidate run them; False if there
        are no new ones."""
        spec = self._bench.spec
        try:
            wanted = await write_cases(self._gateway, spec, self._needed, self._cases)
        except ModelOutputInvalid:
            return False
        known = self._asked()
        more = [case for case in wanted if case.inputs not in known]
        self._cases += more
        ran = [candidate for candidate in self._candidates if candidate.outcomes]
        inputs = [case.inputs for case in more]
        if more:
            self._tell_cases()
            rows = await together(*(self._bench.run(candidate, inputs) for candidate in ran))
            for candidate, row in zip(ran, rows, strict=True):
                candidate.outcomes += row
        return bool(more)

    async def settle_and_try(self) -> Trial | None:
        """Write candidates until some can be trusted, and try the best of them; None if
        there are none."""
        self._settle()
        while not self.settlement.group and len(self._candidates) < self._most:
            size = min(WAVE, self._most - len(self._candidates))
            first = len(self._candidates)
            self._candidates += await together(
                *(self._write(number) for number in range(first, first + size))
            )
            self._settle()
        while not self.settlement.group and self._repairs:
            self._repairs -= 1
            self._candidates.append(await self._repair(self._most_promising()))
            self._settle()
        if not self.settlement.group:
            return None
        group = [self._candidates[index] for index in self.settlement.group]
        self.winner = best(group, self._asked(), self.settlement.cases)
        return await try_winner(
            self._bench,
            self.winner,
            self.settlement.cases,
            self._asked(),
            self._generated,
            [candidate for candidate in self._candidates if candidate is not self.winner],
        )

    def sketches(self) -> list[Candidate]:
        """The candidates that load and have the specified inputs, those that pass the most
        cases first: nothing is proven of them."""
        sound = [candidate for candidate in self._candidates if candidate.sound]
        return sorted(sound, key=self._passed, reverse=True)

    def _passed(self, candidate: Candidate) -> int:
        return sum(map(passes, self._cases, candidate.outcomes))

    async def sketch(self) -> list[Candidate]:
        """Write one wave of candidates without cases: see :meth:`sketches`."""
        self._candidates = await together(*(self._write(number) for number in range(WAVE)))
        self._settle()
        return self.sketches()

    def why_not(self) -> str:
        """Why no candidate can be trusted."""
        return "; ".join([self.settlement.why, *_commonest(self._candidates)])

    def _asked(self) -> list[dict[str, Any]]:
        return [case.inputs for case in self._cases]

    def _tell_cases(self) -> None:
        cases = [case.model_dump() for case in self._cases]
        self._emit("tool.tested", name=self._bench.spec.name, cases=cases)

    def _settle(self) -> None:
        self.settlement = settle(
            self._cases,
            [candidate.outcomes for candidate in self._candidates],
            [candidate.unlabelled for candidate in self._candidates],
        )

    async def _write(self, number: int, evidence: Evidence | None = None) -> Candidate:
        """One candidate, examined and run with all inputs."""
        spec = self._bench.spec
        body = await write_candidate(self._gateway, spec, self._needed, number, evidence)
        self._emit("tool.authored", name=spec.name, candidate=number, code=body)
        candidate = await self._bench.examine(number, body)
        if candidate.sound:
            await self._bench.exercise(candidate, self._asked(), self._generated)
        self._emit(
            "tool.judged",
            name=spec.name,
            candidate=number,
            passed=self._passed(candidate),
            cases=len(self._cases),
            stages=[stage.model_dump(exclude={"seconds"}) for stage in candidate.stages],
        )
        return candidate

    async def _repair(self, failed: Candidate) -> Candidate:
        """A candidate written with the evidence of one that failed. If it does the same
        still, it is no independent witness, and counts as if it had not run."""
        lines = [stage.detail for stage in failed.stages if not stage.passed]
        lines += [outcome.error for outcome in failed.outcomes if outcome.error]
        lines += ["It gives wrong results for some inputs."] if not lines else []
        evidence = Evidence(failed.body, [line[:300] for line in dict.fromkeys(lines)][:3])
        repaired = await self._write(len(self._candidates), evidence)
        if list(map(result_of, repaired.outcomes)) == list(map(result_of, failed.outcomes)):
            repaired.outcomes, repaired.unlabelled = [], []
        return repaired

    def _most_promising(self) -> Candidate:
        failures = self.settlement.failures
        place = min(
            range(len(self._candidates)),
            key=lambda place: (not self._candidates[place].sound, failures[place]),
        )
        return self._candidates[place]


def _commonest(candidates: list[Candidate], most: int = 2) -> list[str]:
    """What most often went wrong with the candidates, without the place in the code. Always
    in the same order: it is told to the manager, whose replies are recorded."""
    details = [candidate.stages[-1].detail for candidate in candidates if not candidate.sound]
    errors = [
        error
        for candidate in candidates
        for error in dict.fromkeys(outcome.error for outcome in candidate.outcomes if outcome.error)
    ]
    counted = Counter(text.split(" (line ")[0][:160] for text in [*details, *errors])
    return [text for text, _ in counted.most_common(most)]
