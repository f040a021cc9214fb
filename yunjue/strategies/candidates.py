"""Several actions for one decision, and what a critic makes of each."""

from __future__ import annotations

from dataclasses import dataclass

from yunjue.errors import ModelOutputInvalid
from yunjue.foreign import block, inline
from yunjue.hashing import canonical_json
from yunjue.strategies.proposing import asked, propose
from yunjue.strategies.shape import Action, Decision, Mind
from yunjue.synthesis.schemas import closed

TEMPERATURE = 0.7
"""Of all proposals but the first: at 0 a model answers the same again."""
SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What the critic may say. A choice from a list cannot be misread, as free text can."""

JUDGEMENT = closed({"why": {"type": "string", "maxLength": 160}, "score": {"enum": [*SCORES]}})


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 (wrong way) over 0.5 (on track) to 1 (the task is done), and why."""

    value: float
    why: str = ""


async def different(decision: Decision, mind: Mind, first: Action, k: int) -> list[Action]:
    """``first`` and at most ``k`` - 1 actions that each differ from those before."""
    found = [first]
    for number in range(1, k):
        try:
            found.append(
                await propose(decision, mind, unlike=found, temperature=TEMPERATURE, seed=number)
            )
        except ModelOutputInvalid:
            break  # the model has no other idea
    return found


async def sampled(decision: Decision, mind: Mind, first: Action, k: int) -> list[Action]:
    """``first`` and what differs from it among ``k`` - 1 more samples: if there is nothing, the
    model is sure."""
    found = {canonical_json(first): first}
    for number in range(1, k):
        try:
            action = await propose(decision, mind, temperature=TEMPERATURE, seed=number)
        except ModelOutputInvalid:
            continue
        found.setdefault(canonical_json(action), action)
    return list(found.values())


async def judged(decision: Decision, mind: Mind, action: Action, outcome: str) -> Score:
    """The critic's word on an action.

    Args:
        outcome: what is thought to follow, foreign text; "" when nothing was imagined.

    Raises:
        ModelOutputInvalid: no score within the repairs.
    """
    answer = await asked(
        mind,
        "critic",
        "act_judge",
        decision,
        JUDGEMENT,
        max_tokens=160,
        action=inline(canonical_json(action), 600),
        outcome=block(outcome) if outcome else "",
    )
    return Score(float(answer["score"]), answer["why"])


def best(values: list[float]) -> int:
    """Index of the highest value; the first of equal ones."""
    return max(range(len(values)), key=lambda index: (values[index], -index))
