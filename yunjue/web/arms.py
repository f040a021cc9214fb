"""The strategy that the settings ask for: one of the arms that are compared."""

from __future__ import annotations

from yunjue.config import Settings
from yunjue.strategies.greedy import Greedy
from yunjue.strategies.shape import Strategy
from yunjue.web.look_ahead import Arm, LookAhead


def strategy(settings: Settings) -> Strategy:
    """``look_ahead``: ``never`` takes the first proposal, ``critic`` compares without imagining,
    ``always`` imagines at every decision, ``auto`` where it can pay."""
    mode = settings.look_ahead
    if mode == "never":
        return Greedy()
    arm = Arm(
        k=settings.look_ahead_candidates,
        depth=0 if mode == "critic" else settings.look_ahead_depth,
        start=settings.look_ahead_from,
        sparing=mode == "auto",
    )
    return LookAhead(arm)
