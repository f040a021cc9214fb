"""The best of several actions in a critic's eyes, without imagining what they would do."""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.domains import Step
from yunjue.strategies.candidates import best, different, judged
from yunjue.strategies.proposing import propose
from yunjue.strategies.shape import Choice, Decision, Mind


class Critic:
    """Judges ``k`` candidates from the decision number ``start`` on; before, the first proposal
    is taken."""

    def __init__(self, k: int, start: int) -> None:
        self._k, self._start = k, start

    async def choose(self, decision: Decision, mind: Mind) -> Choice:
        first = await propose(decision, mind)
        if decision.number < self._start:
            return Choice(first)
        candidates = await different(decision, mind, first, self._k)
        if len(candidates) == 1:
            return Choice(first, "nothing else was proposed")
        scores = [await judged(decision, mind, action, "") for action in candidates]
        mind.events.emit(
            "candidates.judged",
            number=decision.number,
            candidates=[
                {"action": action, "score": score.value, "why": score.why}
                for action, score in zip(candidates, scores, strict=True)
            ],
        )
        chosen = best([score.value for score in scores])
        return Choice(candidates[chosen], scores[chosen].why)

    async def learn(
        self, decision: Decision, choices: Sequence[Choice], step: Step, mind: Mind
    ) -> None:
        """There is nothing to learn."""

    async def ended(self, choices: Sequence[Choice], solved: bool, mind: Mind) -> None:
        """There is nothing to learn."""
