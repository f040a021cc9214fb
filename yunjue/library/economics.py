"""What a tool cost to make, and what its reuse saved.

The estimate assumes that without the library each later run that used the tool with success
would have made it anew, at what it cost the first time. A run that would have done without it,
or made it cheaper, saved less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens of prompts and replies, US dollars, wall seconds."""

    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def times(self, count: int) -> Cost:
        return Cost(self.tokens * count, self.cost_usd * count, self.seconds * count)

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.tokens + other.tokens,
            self.cost_usd + other.cost_usd,
            self.seconds + other.seconds,
        )

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def made(origin: Mapping[str, Any]) -> Cost | None:
    """What the making of a tool cost, by its origin; None when that is not known."""
    found = origin.get("cost")
    if not isinstance(found, Mapping):
        return None
    try:
        return Cost(int(found["tokens"]), float(found["cost_usd"]), float(found["seconds"]))
    except (KeyError, TypeError, ValueError):
        return None


def saved(cost: Cost | None, later_runs: int) -> Cost | None:
    """What reuse in ``later_runs`` other runs saved; None when the cost is not known."""
    return None if cost is None else cost.times(later_runs)


def total(costs: Iterable[Cost | None]) -> Cost:
    """The sum of those that are known."""
    return sum((cost for cost in costs if cost is not None), Cost())
