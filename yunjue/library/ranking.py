"""Fuses rankings by reciprocal rank (Cormack et al., SIGIR 2009)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

K = 60
"""The paper's constant: how little the very first places count more than the next."""


def fuse(*rankings: tuple[Sequence[str], float]) -> list[tuple[str, float]]:
    """Fuse (ids best first, weight) into (id, sum of weight / (60 + place)), best first.

    Equal scores keep the order in which the ids were seen.
    """
    scores: defaultdict[str, float] = defaultdict(float)
    for ids, weight in rankings:
        for place, found in enumerate(ids, start=1):
            scores[found] += weight / (K + place)
    return sorted(scores.items(), key=lambda item: -item[1])
