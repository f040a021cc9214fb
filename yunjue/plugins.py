"""Loads plugins and collects what they register.

Built-ins (:mod:`yunjue.default_plugins`) come first; then entry points of the group
``yunjue``. ``YUNJUE_LOAD_PLUGINS`` restricts the latter to a comma-separated list; empty
means none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any

import pluggy

from yunjue import hookspecs
from yunjue.domains import Domain
from yunjue.errors import PluginError, UsageError

GROUP = "yunjue"
BUILT_IN = ("commands", "models", "embedders", "sandboxes", "engines", "strategies", "web")
SINGULAR = {"sandboxes": "sandbox", "strategies": "strategy"}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin: where it comes from, its version, the hooks it implements, and the
    error that kept it from loading, if any."""

    name: str
    source: str
    version: str
    hooks: tuple[str, ...]
    error: str = ""


class Plugins:
    """The loaded plugins of this process."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("yunjue")
        self.manager.add_hookspecs(hookspecs)
        self.failed: list[PluginInfo] = []
        for name in BUILT_IN:
            module = import_module(f"yunjue.default_plugins.{name}")
            self.manager.register(module, name=f"yunjue.{name}")

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def load_entry_points(self) -> None:
        """Load third-party plugins; one that fails is named in :attr:`failed`."""
        wanted = os.environ.get("YUNJUE_LOAD_PLUGINS")
        allowed = None if wanted is None else {name.strip() for name in wanted.split(",")}
        for point in metadata.entry_points(group=GROUP):
            if allowed is not None and point.name not in allowed:
                continue
            version = point.dist.version if point.dist else ""
            try:
                self.manager.register(point.load(), name=point.name)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                self.failed.append(PluginInfo(point.name, point.value, version, (), problem))

    def info(self) -> list[PluginInfo]:
        """All plugins, built-ins first, then those that failed to load."""
        points = {point.name: point for point in metadata.entry_points(group=GROUP)}
        found = []
        for name, plugin in self.manager.list_name_plugin():
            point = points.get(name)
            hooks = tuple(caller.name for caller in self.manager.get_hookcallers(plugin) or ())
            version = point.dist.version if point and point.dist else metadata.version("yunjue")
            found.append(PluginInfo(name, point.value if point else "built in", version, hooks))
        return found + self.failed

    def choose(self, kind: str, name: str, *args: Any) -> Any:
        """Make the ``kind`` (``models``, ``sandboxes``, ``engines``, …) called ``name``.

        Raises:
            UsageError: nobody offers that name.
            PluginError: two plugins do.
        """
        makers = self.offered(kind)
        if name not in makers:
            known = ", ".join(sorted(makers))
            raise UsageError(f"There is no {_one(kind)} {name!r}; there are {known}.")
        return makers[name](*args)

    def offered(self, kind: str) -> dict[str, Callable[..., Any]]:
        """name -> maker, of every registered ``kind``."""
        makers: dict[str, Callable[..., Any]] = {}

        def register(name: str, maker: Callable[..., Any]) -> None:
            if name in makers:
                raise PluginError(f"Two plugins register the {_one(kind)} {name!r}.")
            makers[name] = maker

        getattr(self.hook, f"register_{kind}")(register=register)
        return makers

    def domains(self) -> dict[str, Domain]:
        """name -> domain, in the order plugins were loaded.

        Raises:
            PluginError: two plugins offer one name.
        """
        found: dict[str, Domain] = {}

        def register(domain: Domain) -> None:
            if domain.name in found:
                raise PluginError(f"Two plugins register the domain {domain.name!r}.")
            found[domain.name] = domain

        self.hook.register_domains(register=register)
        return found

    def see(self, event: Any) -> None:
        """Show every plugin an event of a run."""
        self.hook.on_event(event=event)

    def veto(self, tool: Any, verdict: Any) -> str:
        """The first reason a plugin gives against admitting ``tool``; empty if none."""
        reasons = [reason for reason in self.hook.admit_tool(tool=tool, verdict=verdict) if reason]
        return reasons[0] if reasons else ""


def _one(kind: str) -> str:
    return SINGULAR.get(kind, kind[:-1])


@cache
def plugins() -> Plugins:
    """The plugins of this process, loaded on first use."""
    loaded = Plugins()
    loaded.load_entry_points()
    return loaded
