"""For places where a try that fails costs little and leaves nothing behind.

A model that sees its failed tries mends the last of them, which a small one does for ever. So
two times of three after a failure it is asked as if there had been none, and not coldly: what it
comes up with is independent of them, and the environment tells which of many tries is right
(repeated sampling, arXiv 2407.21787).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from yunjue.domains import Step
from yunjue.errors import ModelOutputInvalid
from yunjue.strategies.proposing import propose
from yunjue.strategies.shape import Choice, Decision, Mind, Past

TURN = 3
"""Of so many tries the first is made with all failures in sight."""
TEMPERATURE = 0.8
SAMPLES = 3
"""How often it is asked afresh until it names what did not fail here before."""


class Afresh:
    """Takes the first proposal; after failures in a state, with them in sight or without."""

    async def choose(self, decision: Decision, mind: Mind) -> Choice:
        failures = [past for past in decision.here if past.error]
        if not failures:
            return Choice(await propose(decision, mind))
        first, second = (informed, afresh) if len(failures) % TURN == 0 else (afresh, informed)
        try:
            return await first(decision, mind, failures)
        except ModelOutputInvalid:
            return await second(decision, mind, failures)

    async def learn(
        self, decision: Decision, choices: Sequence[Choice], step: Step, mind: Mind
    ) -> None:
        """There is nothing to learn."""

    async def ended(self, choices: Sequence[Choice], solved: bool, mind: Mind) -> None:
        """There is nothing to learn."""


async def informed(decision: Decision, mind: Mind, failures: Sequence[Past]) -> Choice:
    """What the model names when it sees all ``failures``. Raises as :func:`afresh`."""
    return Choice(await propose(decision, mind), f"{len(failures)} tries failed here")


async def afresh(decision: Decision, mind: Mind, failures: Sequence[Past]) -> Choice:
    """An action that is not among ``failures``, by a model that sees none of them.

    Raises:
        ModelOutputInvalid: there was none.
    """
    shown = [past for past in decision.past if past not in failures]

    async def sample(seed: int) -> Choice:
        action = await propose(
            decision, mind, shown=shown, temperature=TEMPERATURE, seed=seed, repairs=0
        )
        return Choice(action, "asked as if nothing had failed")

    *seeds, last = range(len(failures) * SAMPLES, (len(failures) + 1) * SAMPLES)
    for seed in seeds:
        with suppress(ModelOutputInvalid):
            return await sample(seed)
    return await sample(last)
