"""The built-in strategies that know no environment in particular."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.strategies.shape import Strategy


@hookimpl
def register_strategies(register: Callable[[str, Callable[[Settings], Strategy]], None]) -> None:
    register("greedy", _greedy)
    register("afresh", _afresh)
    register("critic", _critic)


def _afresh(settings: Settings) -> Strategy:
    from yunjue.strategies.afresh import Afresh

    return Afresh()


def _greedy(settings: Settings) -> Strategy:
    from yunjue.strategies.greedy import Greedy

    return Greedy()


def _critic(settings: Settings) -> Strategy:
    from yunjue.strategies.critic import Critic

    return Critic(settings.look_ahead_candidates, settings.look_ahead_from)
