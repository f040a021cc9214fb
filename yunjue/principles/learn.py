"""Learns from the runs that wait for it: distil, then integrate, one run after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from yunjue.errors import (
    DatabaseLocked,
    LimitReached,
    ModelAuthError,
    ModelError,
    ModelUnavailable,
    TraceError,
    UnknownPriceError,
    UsageError,
)
from yunjue.files import locked
from yunjue.models.gateway import Gateway
from yunjue.principles.distil import ROLE, distil
from yunjue.principles.principles import Principles
from yunjue.principles.trajectory import trajectory
from yunjue.principles.waiting import Settled, WaitingRun
from yunjue.traces.trace import read_trace

STOPS_ALL = (LimitReached, ModelAuthError, ModelUnavailable, UnknownPriceError)
"""What the next run's lesson would meet too."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of a run's lesson.

    Attributes:
        state: ``waiting``: the model gave nothing usable, and is asked again another time.
        new, known: sentences that are new in the bank, and those that it held.
        why: what the guard refused, or what went wrong.
        tokens, cost_usd: what finding that out took.
    """

    run: str
    state: Settled | Literal["waiting"]
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    why: str = ""
    tokens: int = 0
    cost_usd: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


async def learn(
    principles: Principles,
    gateway: Gateway,
    most: int,
    told: Callable[[Lesson], None] = lambda lesson: None,
) -> None:
    """Learn from at most ``most`` of the runs that wait, the oldest first.

    A run whose learning is cut off goes on waiting: only what is finished counts.

    Args:
        gateway: has a model for the distiller.
        told: called after each run.

    Raises:
        DatabaseLocked: another process learns.
        YunjueError: one of :data:`STOPS_ALL`, or the bank cannot be read or written; what is
            left goes on waiting.
    """
    if principles.existing() is None:
        return

    def busy() -> None:
        raise DatabaseLocked(f"Another process learns from {principles.directory}.")

    with locked(principles.directory / "learning.lock", busy):
        for waiting in principles.waiting().runs(most):
            told(await _learn(principles, gateway, waiting))


async def _learn(principles: Principles, gateway: Gateway, waiting: WaitingRun) -> Lesson:
    before = _spent(gateway)
    new: list[str] = []
    known: list[str] = []
    state: Settled | Literal["waiting"] = "nothing"
    try:
        run = trajectory(read_trace(waiting.trace))
        found = await distil(gateway, run, run.outcome.status)
        why = "; ".join(f"{one.refusal.reason}: {one.refusal.message}" for one in found.refused)
        for one in await principles.integrate(found.drafts, gateway):
            state = "learnt"
            (new if any(kept.new for kept in one.kept) else known).append(one.draft.sentence)
    except STOPS_ALL:
        raise
    except ModelError as error:
        state, why = "waiting", error.message
    except (UsageError, TraceError) as error:  # it did not end, or its trace is gone
        state, why = "failed", error.message
    tokens, cost = (after - then for after, then in zip(_spent(gateway), before, strict=True))
    principles.waiting().settle(waiting.run, state, why, int(tokens), cost)
    return Lesson(waiting.run, state, tuple(new), tuple(known), why, int(tokens), cost)


def _spent(gateway: Gateway) -> tuple[int, float]:
    """Tokens and USD that the distiller used so far."""
    use = gateway.spent_by_role.get(ROLE)
    return (use.prompt_tokens + use.completion_tokens, use.cost_usd) if use else (0, 0.0)
