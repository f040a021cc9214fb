"""The environment of a run: made once, opened when an action is really to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.agent.held_environment import HeldEnvironment
from yunjue.config import Settings
from yunjue.domains import ACTION_TOKENS, Domain, Environment, Observed, Place, Step
from yunjue.plugins import plugins
from yunjue.strategies.shape import Strategy
from yunjue.web.domain import WEB
from yunjue.web.environment import STORAGE

GREEDY = "greedy"
"""The strategy of a domain that names none."""
MOST_TOKENS = 2000
LEAST_TOKENS = 200
KEPT_FOR_REST = 1800
"""Tokens of a prompt that are not the observation: the task, the actions, what was done, and
the reply of usual length."""
MARKS = 0.8
"""Marks and indentation make an observation longer than its own budget counts."""


def observation_tokens(context_window: int, action_tokens: int = ACTION_TOKENS) -> int:
    """Tokens that an observation may take, so that a whole prompt and a reply of
    ``action_tokens`` fit the model."""
    rest = KEPT_FOR_REST - ACTION_TOKENS + action_tokens
    room = int((context_window - rest) * MARKS)
    return max(LEAST_TOKENS, min(MOST_TOKENS, room))


class Stage:
    """One run's environment.

    Args:
        folder: of the run; each domain has its own folder in it.
        warn: is told what the user must know.

    Attributes:
        ended: nobody will go on with the run, so no session of a browser is kept.
    """

    def __init__(
        self, settings: Settings, folder: Path, context_window: int, warn: Callable[[str], None]
    ) -> None:
        self._settings, self._warn = settings, warn
        self._folder = folder
        self._context_window = context_window
        self._environment: Environment | None = None
        self._strategy: Strategy | None = None
        self._open = False
        self.ended = False

    def environment(self, domain: Domain) -> Environment:
        """That of the domain, not opened by this."""
        if self._environment is None:
            make = domain.environment
            assert make is not None, "the graph sends only such domains here"
            tokens = observation_tokens(self._context_window, domain.action_tokens)
            place = Place(self._settings, self._folder / domain.name, tokens)
            self._environment = HeldEnvironment(domain.name, lambda: make(place), self._warn)
        return self._environment

    def strategy(self, domain: Domain) -> Strategy:
        """That which the domain names.

        Raises:
            UsageError: no plugin offers it.
        """
        if self._strategy is None:
            name = domain.strategy or GREEDY
            self._strategy = plugins().choose("strategies", name, self._settings)
        return self._strategy

    async def start(self, domain: Domain, task: str, files: Mapping[str, Path]) -> Observed:
        environment = self.environment(domain)
        self._open = True
        return await environment.start(task, files)

    async def step(
        self,
        domain: Domain,
        action: Mapping[str, Any],
        done: Sequence[Mapping[str, Any]],
        last: Observed,
        fresh: bool,
    ) -> Step:
        """Do ``action``; in a resumed run the environment is brought back first.

        Args:
            done: the actions before, oldest first.
            fresh: False if an interrupted sitting may have done it already. Then it is not
                done again: nobody knows whether it can be.
        """
        environment = self.environment(domain)
        if not self._open:
            self._open = True
            now = await environment.restore(done, last)
            if not fresh:
                return Step(now, change=UNKNOWN)
            if now.text != last.text:
                return Step(now, change=MOVED)
        return await environment.step(action)

    async def close(self) -> None:
        if self._environment is not None and self._open:
            await self._environment.close()
        if self.ended:
            (self._folder / WEB.name / STORAGE).unlink(missing_ok=True)


UNKNOWN = (
    "The run was interrupted, and it is not known whether this was done. Look at what is there now."
)
MOVED = "Not done: the run was interrupted, and something else is there now."


def step_to_json(step: Step) -> dict[str, Any]:
    return {**asdict(step), "files": list(step.files)}


def step_from_json(data: Mapping[str, Any]) -> Step:
    return Step(**{**data, "observed": Observed(**data["observed"])})
