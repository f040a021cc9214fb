"""An environment that a plugin brought. Whatever it does, the run ends with one clear error at
worst, and can be resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from yunjue.domains import ActionKind, Environment, Observed, Step
from yunjue.errors import PluginError, YunjueError
from yunjue.plugin_guard import Misbehaved, guarded

SECONDS = 300.0
"""Longest that it may take to begin, or for one action."""
CLOSE_SECONDS = 30.0
AGAIN = "`yunjue resume` tries again from the last action that is known to be done."

Result = TypeVar("Result")


class HeldEnvironment:
    """An :class:`Environment` around one that may raise anything, answer nonsense or hang.

    Args:
        domain: its name, for errors.
        make: makes it.
        warn: is told what goes wrong when it is closed.

    Raises:
        PluginError: it does what it must not do, in any of the methods. Errors of ours that it
            raises pass as they are.
    """

    def __init__(
        self, domain: str, make: Callable[[], Environment], warn: Callable[[str], None]
    ) -> None:
        self._domain, self._warn = domain, warn
        self._inner = self._now("its making", make)

    def actions(self, observed: Observed) -> Sequence[ActionKind]:
        found = self._now("actions", lambda: list(self._inner.actions(observed)))
        if not found or not all(isinstance(one, ActionKind) for one in found):
            raise self._failed("actions", "it offers no ActionKind")
        return found

    def risk(self, action: Mapping[str, Any], observed: Observed) -> str:
        return str(self._now("risk", lambda: self._inner.risk(action, observed)) or "")

    async def start(self, task: str, files: Mapping[str, Path]) -> Observed:
        return await self._later("start", lambda: self._inner.start(task, files), Observed)

    async def restore(self, done: Sequence[Mapping[str, Any]], last: Observed) -> Observed:
        return await self._later("restore", lambda: self._inner.restore(done, last), Observed)

    async def step(self, action: Mapping[str, Any]) -> Step:
        step = await self._later("step", lambda: self._inner.step(action), Step)
        if not isinstance(step.observed, Observed):
            raise self._failed("step", f"{type(step.observed).__name__} is no Observed")
        return step

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._inner.close()
        except Exception as error:
            self._warn(f"The environment of {self._domain} does not close: {_told(error)}.")

    def _now(self, what: str, call: Callable[[], Result]) -> Result:
        try:
            with guarded():
                return call()
        except Misbehaved as problem:
            if isinstance(problem.__cause__, YunjueError):
                raise problem.__cause__ from None
            raise self._failed(what, str(problem)) from None

    async def _later(
        self, what: str, call: Callable[[], Awaitable[Result]], kind: type[Result]
    ) -> Result:
        try:
            async with asyncio.timeout(SECONDS) as bound:
                result = await call()
        except YunjueError:
            raise
        except Exception as error:
            late = isinstance(error, TimeoutError) and bound.expired()
            why = f"it takes longer than {SECONDS:g} s" if late else _told(error)
            raise self._failed(what, why) from error
        if not isinstance(result, kind):
            raise self._failed(what, f"{type(result).__name__} is no {kind.__name__}")
        return result

    def _failed(self, what: str, why: str) -> PluginError:
        return PluginError(f"The environment of {self._domain} fails in {what}: {why}.", hint=AGAIN)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
