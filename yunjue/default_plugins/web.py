"""The domain ``web`` and the strategy that looks ahead in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.domains import Domain
    from yunjue.strategies.shape import Strategy


@hookimpl
def register_domains(register: Callable[[Domain], None]) -> None:
    from yunjue.web.domain import WEB

    register(WEB)


@hookimpl
def register_strategies(register: Callable[[str, Callable[[Settings], Strategy]], None]) -> None:
    register("look_ahead", _look_ahead)


def _look_ahead(settings: Settings) -> Strategy:
    from yunjue.web.arms import strategy

    return strategy(settings)
