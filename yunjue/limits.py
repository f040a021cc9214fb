"""Per-run limits, checked before money or time is spent, never after."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass

from yunjue.errors import LimitReached
from yunjue.types import ModelReply


@dataclass(frozen=True, slots=True)
class Limits:
    """None means no limit. Cost in US dollars, time in wall seconds; ``steps`` are the
    executor's decisions, ``calls`` the requests to a model, ``actions`` those in an
    environment."""

    cost_usd: float | None = None
    tokens: int | None = None
    calls: int | None = None
    steps: int | None = None
    seconds: float | None = None
    actions: int | None = None


@dataclass(slots=True)
class Spent:
    """What a run has used so far, over all its resumptions."""

    cost_usd: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    steps: int = 0
    actions: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def to_dict(self) -> dict[str, float | int]:
        return {**asdict(self), "tokens": self.tokens}


_TALLY: ContextVar[Spent | None] = ContextVar("tally", default=None)


class Meter:
    """Counts what is spent and stops the run at its limits.

    Args:
        limits: the bounds.
        earlier_seconds: wall time that earlier sittings of a resumed run took.
    """

    def __init__(self, limits: Limits, earlier_seconds: float = 0.0) -> None:
        self.limits = limits
        self.spent = Spent()
        self._started = time.monotonic() - earlier_seconds

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def check(self) -> None:
        """Raise :class:`LimitReached` if any limit is used up."""
        spent, limits = self.spent, self.limits
        for name, used, bound in (
            ("cost", spent.cost_usd, limits.cost_usd),
            ("tokens", spent.tokens, limits.tokens),
            ("model calls", spent.calls, limits.calls),
            ("steps", spent.steps, limits.steps),
            ("time", self.seconds, limits.seconds),
        ):
            if bound is not None and used >= bound:
                unit = {"cost": " USD", "time": " s"}.get(name, "")
                raise LimitReached(
                    f"The limit on {name} is reached: {used:.6g} of {bound:g}{unit}."
                )

    def remaining_seconds(self) -> float | None:
        """Wall seconds left, or None without a time limit."""
        if self.limits.seconds is None:
            return None
        return max(0.0, self.limits.seconds - self.seconds)

    def add(self, reply: ModelReply) -> None:
        """Count one model reply."""
        for spent in filter(None, (self.spent, _TALLY.get())):
            spent.calls += 1
            spent.cost_usd += reply.cost_usd
            spent.prompt_tokens += reply.usage.prompt_tokens
            spent.completion_tokens += reply.usage.completion_tokens

    @contextmanager
    def tally(self) -> Iterator[Spent]:
        """What the block spends, and the tasks it starts: not what others spend meanwhile."""
        spent = Spent()
        token = _TALLY.set(spent)
        try:
            yield spent
        finally:
            _TALLY.reset(token)

    def step(self) -> None:
        """Count one decision of the executor, after checking that it may be taken."""
        self.check()
        self.spent.steps += 1

    def act(self) -> None:
        """Count one action in an environment, after checking that it may be taken."""
        self.check()
        bound = self.limits.actions
        if bound is not None and self.spent.actions >= bound:
            raise LimitReached(
                f"The limit on actions is reached: {self.spent.actions} of {bound}.",
                hint="`yunjue resume RUN --max-actions N` goes on.",
            )
        self.spent.actions += 1
