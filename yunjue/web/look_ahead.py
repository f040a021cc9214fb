"""Look before you click: what each candidate would do is imagined and judged, then one is taken.

After WebEvolver (arXiv 2504.21024): from the third decision on one default proposal and others
that differ; duplicates are dropped; each is rolled out with the world model to a small depth,
the policy choosing the inner actions; a critic scores the rollouts; the first action of the
best is taken, and the first of equal ones. What is done otherwise, and why:

- a simulation that is missing is said to be missing (:class:`Rollout`), never taken for empty;
- the critic chooses a score from a list;
- scores are weighed with the first proposal by what the world model's predictions and the
  critic's scores have been worth so far (:func:`yunjue.web.calibration.weighed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from yunjue.browser.types import Change
from yunjue.concurrency import together
from yunjue.config import WORLD_MODEL
from yunjue.domains import Step
from yunjue.errors import ModelOutputInvalid
from yunjue.strategies.candidates import Score, best, different, judged, sampled
from yunjue.strategies.proposing import propose
from yunjue.strategies.shape import Action, Choice, Decision, Mind
from yunjue.web.calibration import POOR, Calibration, Prediction, weighed
from yunjue.web.facts import agreement
from yunjue.web.world_model import Rollout, WorldModel

EFFECT = "environment"


@dataclass(frozen=True, slots=True)
class Arm:
    """How candidates are compared.

    Attributes:
        k: candidates.
        depth: actions imagined in a row; 0 compares without imagining.
        start: number of the first decision that compares.
        sparing: only where it can pay: when samples disagree or the first proposal cannot be
            taken back, and imagination is not poor.
    """

    k: int
    depth: int
    start: int
    sparing: bool = False


class LookAhead:
    """The strategy; one instance a run.

    Args:
        calibration: opens the file of predictions, which is closed after each use.
    """

    def __init__(self, arm: Arm, calibration: Callable[[], Calibration] = Calibration) -> None:
        self._arm = arm
        self._calibration = calibration
        self._world = WorldModel()

    async def choose(self, decision: Decision, mind: Mind) -> Choice:
        before = _tokens(mind)
        first = await propose(decision, mind)
        acting = _tokens(mind) - before
        if decision.number < self._arm.start:
            return _plain(first, acting)
        weight = await self._weight(decision, mind)
        candidates = await self._candidates(decision, mind, first, weight)
        if len(candidates) > 1:
            return await self._compared(decision, mind, candidates, weight, acting, before)
        return _plain(first, acting, _tokens(mind) - before - acting)

    async def _candidates(
        self, decision: Decision, mind: Mind, first: Action, weight: float
    ) -> list[Action]:
        if not self._arm.sparing:
            return await different(decision, mind, first, self._arm.k)
        if self._arm.depth and weight <= POOR:
            return [first]  # whatever is imagined, the first proposal would be taken
        if mind.risk(first, decision.observed):
            return await different(decision, mind, first, self._arm.k)
        return await sampled(decision, mind, first, self._arm.k)

    async def _compared(
        self,
        decision: Decision,
        mind: Mind,
        candidates: list[Action],
        weight: float,
        acting: int,
        before: int,
    ) -> Choice:
        rollouts: list[Rollout] = await together(
            *(self._world.rollout(decision, mind, one, self._arm.depth) for one in candidates)
        )
        try:
            scores: list[Score] = await together(
                *(judged(decision, mind, one.action, one.told()) for one in rollouts)
            )
        except ModelOutputInvalid as error:
            mind.events.emit("warning", message=f"The critic gave no score: {error.message}")
            return _plain(candidates[0], acting, _tokens(mind) - before - acting)
        values = [weighed(weight, one.value, not i) for i, one in enumerate(scores)]
        chosen = best(values)
        imagining = _tokens(mind) - before - acting
        mind.events.emit(
            "candidates.judged",
            number=decision.number,
            weight=round(weight, 4),
            tokens={"acting": acting, "imagining": imagining},
            candidates=[
                {
                    "action": dict(rollout.action),
                    "score": score.value,
                    "value": round(value, 4),
                    "why": score.why,
                    "foreseen": rollout.told(),
                    "unknown": rollout.unknown,
                }
                for rollout, score, value in zip(rollouts, scores, values, strict=True)
            ],
        )
        details = {
            "foreseen": rollouts[chosen].to_list(),
            "score": scores[chosen].value,
            "acting": acting,
            "imagining": imagining,
        }
        return Choice(candidates[chosen], scores[chosen].why, details)

    async def _weight(self, decision: Decision, mind: Mind) -> float:
        """How far imagination is trusted now. It depends on earlier runs, so it is recorded."""
        if not self._arm.depth:
            return 1.0  # nothing is imagined: the critic alone decides

        async def read() -> dict[str, Any]:
            with closing(self._calibration()) as calibration:
                return calibration.weight(*_names(mind), self._arm.depth)

        request = {"weight": decision.number, "depth": self._arm.depth}
        return float((await mind.effects.perform(EFFECT, request, read))["weight"])

    async def learn(
        self, decision: Decision, choices: Sequence[Choice], step: Step, mind: Mind
    ) -> None:
        """Keep what was foreseen beside what happened."""
        number, details = len(choices), choices[-1].details
        model, critic = _names(mind)
        pairs = [] if step.error else _pairs(choices, step)

        async def write() -> dict[str, Any]:
            with closing(self._calibration()) as calibration:
                for depth, foreseen, actual in pairs:
                    kind, agrees = choices[-1].action["action"], agreement(foreseen, actual)
                    calibration.add(Prediction(mind.run, number, depth, kind, model, agrees))
                if "score" in details:
                    calibration.score(mind.run, number, critic, details["score"])
                calibration.cost(mind.run, number, details["acting"], details["imagining"])
            return {}

        await mind.effects.perform(EFFECT, {"learn": number}, write)

    async def ended(self, choices: Sequence[Choice], solved: bool, mind: Mind) -> None:
        """The critic's scores get their outcome."""

        async def write() -> dict[str, Any]:
            with closing(self._calibration()) as calibration:
                calibration.ended(mind.run, solved)
            return {}

        await mind.effects.perform(EFFECT, {"ended": len(choices), "solved": solved}, write)


def _plain(action: Action, acting: int, imagining: int = 0) -> Choice:
    return Choice(action, details={"acting": acting, "imagining": imagining})


def _names(mind: Mind) -> tuple[str, str]:
    return mind.gateway.model_name(WORLD_MODEL), mind.gateway.model_name("critic")


def _tokens(mind: Mind) -> int:
    """Tokens that all roles have used so far."""
    used = mind.gateway.spent_by_role.values()
    return sum(one.prompt_tokens + one.completion_tokens for one in used)


def _pairs(choices: Sequence[Choice], step: Step) -> list[tuple[int, Change, Change]]:
    """(depth, what was foreseen, what happened) of the action just taken: foreseen for this
    decision, and for the one before as the action after its own."""
    if "change" not in step.details:
        return []
    actual = Change.from_dict(step.details["change"])
    found = []
    for depth, choice in enumerate(reversed(choices[-2:])):
        foreseen = choice.details.get("foreseen", ())
        if len(foreseen) > depth and foreseen[depth]["action"] == choices[-1].action:
            found.append((depth + 1, Change.from_dict(foreseen[depth]["change"]), actual))
    return found
