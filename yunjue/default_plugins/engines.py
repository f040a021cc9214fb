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
    register("processes", _processes)
    register("ray", _ray)


def _local(context: Context) -> Engine:
    from yunjue.evolution.local import LocalEngine

    return LocalEngine(context)


def _processes(context: Context) -> Engine:
    from yunjue.evolution.processes import ProcessEngine

    return ProcessEngine(context)


def _ray(context: Context) -> Engine:
    from yunjue.evolution.ray_engine import RayEngine

    return RayEngine(context)
