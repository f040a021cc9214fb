"""The first action that comes to mind."""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.domains import Step
from yunjue.strategies.proposing import propose
from yunjue.strategies.shape import Choice, Decision, Mind


class Greedy:
    """Takes the first proposal."""

    async def choose(self, decision: Decision, mind: Mind) -> Choice:
        return Choice(await propose(decision, mind))

    async def learn(
        self, decision: Decision, choices: Sequence[Choice], step: Step, mind: Mind
    ) -> None:
        """There is nothing to learn."""

    async def ended(self, choices: Sequence[Choice], solved: bool, mind: Mind) -> None:
        """There is nothing to learn."""
