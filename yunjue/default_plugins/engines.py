"""The built-in engines of evolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    from yunjue.evolution.engine import Context, Engine


@hookimpl
def register_engines(register: Callable[[str, Callable[[Context], Engine]], None]) -> None:
    register("local", _local)


def _local(context: Context) -> Engine:
    from yunjue.evolution.local import LocalEngine

    return LocalEngine(context)
