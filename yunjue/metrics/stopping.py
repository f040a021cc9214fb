"""When a stream has converged: the rule that says "stop making tools".

Were the share of tasks that need a new tool still at least r, then n tasks in a row without
one would have a probability of at most (1-r)^n. The rule fires when that is small enough.

It looks after every task, so a fixed n would fire some day on every stream. Therefore each
quiet stretch gets its own share of alpha: stretch k (after the (k-1)th task that made a tool)
may err with alpha_k = alpha / (k*(k+1)). These sum to alpha. So over a whole stream, however
long, the probability is at most alpha that the rule ever fires at the end of a quiet stretch
in which each task, whatever came before, had a probability of at least r to need a tool.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from yunjue.errors import UsageError
from yunjue.metrics.record import TaskRecord

RATE = 0.05
ALPHA = 0.05


class StopRule:
    """The rule, task by task; O(1) state.

    Args:
        rate: r, the share of tasks that need a new tool, from which going on is worth it.
        alpha: most probability to stop falsely.

    Attributes:
        tasks: tasks seen.
        stretch: k, the number of this quiet stretch.
        quiet: tasks since the last one that made a tool.
        fired_at: the task (from 1) at which it first fired; None if it has not.
        new_since: tasks that made a tool after that.

    Raises:
        UsageError: a parameter is not between 0 and 1.
    """

    def __init__(self, rate: float = RATE, alpha: float = ALPHA) -> None:
        for name, value in (("rate", rate), ("alpha", alpha)):
            if not 0 < value < 1:
                raise UsageError(f"The stop rule's {name} is between 0 and 1, not {value}.")
        self.rate, self.alpha = rate, alpha
        self.tasks = 0
        self.stretch = 1
        self.quiet = 0
        self.fired_at: int | None = None
        self.new_since = 0
        self.needed = self._needed()

    def add(self, made: bool) -> None:
        """See the next task; ``made``: whether it made a tool."""
        self.tasks += 1
        if made:
            self.quiet = 0
            self.stretch += 1
            self.needed = self._needed()
            self.new_since += self.fired_at is not None
            return
        self.quiet += 1
        if self.fired_at is None and self.holds:
            self.fired_at = self.tasks

    @property
    def holds(self) -> bool:
        """Whether it says now that the stream has converged."""
        return self.quiet >= self.needed

    @property
    def rate_below(self) -> float | None:
        """The rate that is ruled out at 1 - alpha by now; None right after a new tool."""
        return -math.expm1(math.log(self._alpha()) / self.quiet) if self.quiet else None

    def _needed(self) -> int:
        return math.ceil(math.log(self._alpha()) / math.log1p(-self.rate))

    def _alpha(self) -> float:
        return self.alpha / (self.stretch * (self.stretch + 1))


@dataclass(frozen=True, slots=True)
class Stop:
    """What the rule says of a stream.

    Attributes:
        holds: whether it says now: converged.
        fired_at: the task (from 1, in stream order) at which it first said so.
        quiet, needed: tasks in a row without a new tool, and how many it takes.
        new_since: tasks that made a tool after it first fired.
        rate_below: share of tasks that need a new tool, ruled out at 1 - alpha from here up.
        left_out: tasks that say nothing, see :func:`judge`.
    """

    rate: float
    alpha: float
    holds: bool
    fired_at: int | None
    quiet: int
    needed: int
    new_since: int
    rate_below: float | None
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(tasks: Iterable[TaskRecord], rate: float = RATE, alpha: float = ALPHA) -> Stop:
    """Apply the rule to tasks in stream order.

    A task that made no tool and ended at a limit or with an error is no sign that none was
    needed: it is left out.
    """
    rule, left_out, fired_at = StopRule(rate, alpha), 0, None
    for place, task in enumerate(tasks, start=1):
        if not task.made and task.status in ("limit", "failed"):
            left_out += 1
            continue
        rule.add(task.made > 0)
        if fired_at is None and rule.fired_at is not None:
            fired_at = place
    return Stop(
        rate=rate,
        alpha=alpha,
        holds=rule.holds,
        fired_at=fired_at,
        quiet=rule.quiet,
        needed=rule.needed,
        new_since=rule.new_since,
        rate_below=rule.rate_below,
        left_out=left_out,
    )
