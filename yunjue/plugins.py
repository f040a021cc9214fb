"""Loads plugins and collects what they register.

Built-ins (:mod:`yunjue.default_plugins`) come first, then those of
:mod:`yunjue.plugin_sources`. Each plugin is called by itself: one that raises, hangs, writes to
stdout or changes the working folder is named and disabled, and the others go on; with
``--strict`` it is an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from yunjue import hookspecs
from yunjue.domains import Domain, Verify
from yunjue.errors import PluginError, UsageError, YunjueError
from yunjue.plugin_guard import Misbehaved, guarded, stdout_kept
from yunjue.plugin_sources import Found, found_plugins

if TYPE_CHECKING:
    import typer

BUILT_IN = ("commands", "models", "embedders", "sandboxes", "engines", "strategies", "web")
STRICT = "YUNJUE_STRICT_PLUGINS"
"""Set by ``--strict``, for this process and those it starts."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin: where it comes from, its version, the hooks it implements, and why it does
    not take part, if so."""

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
        self._sources: dict[str, Found] = {}
        self._offered: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        for name in BUILT_IN:
            module = import_module(f"yunjue.default_plugins.{name}")
            self.manager.register(module, name=f"yunjue.{name}")

    def load(self) -> None:
        """Load third-party plugins; one that cannot be is named in :attr:`failed`."""
        for found in found_plugins():
            if found.refused:
                self._leave_out(found, found.refused)
                continue
            try:
                with stdout_kept(), guarded():
                    plugin = found.load()
                self._take(found, plugin)
            except (Misbehaved, PluginError) as problem:
                self._leave_out(found, str(problem))
                self._complain(found.name, str(problem))

    def _take(self, found: Found, plugin: Any) -> None:
        """Register a plugin that was imported. Raises PluginError if it does not fit."""
        hookspecs.check_version(getattr(plugin, "yunjue_hooks", "1"))
        if self.manager.has_plugin(found.name):
            raise PluginError("another plugin has its name")
        if (known := self.manager.get_name(plugin)) is not None:
            raise PluginError(f"it is loaded already, as {known}")
        try:
            if self.manager.register(plugin, name=found.name) is None:
                raise PluginError("its name is blocked")
            self.manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if self.manager.has_plugin(found.name):
                self.manager.unregister(name=found.name)
            text = str(getattr(error, "args", [error])[0]).splitlines()
            raise PluginError(f"it does not fit the hooks: {' '.join(text)}") from None
        if not self.manager.get_hookcallers(plugin):
            raise PluginError("it implements no hook: mark its functions with @hookimpl")
        self._sources[found.name] = found

    def _leave_out(self, found: Found, why: str) -> None:
        self.failed.append(PluginInfo(found.name, found.source, found.version, (), why))

    def _complain(self, name: str, why: str) -> None:
        if os.environ.get(STRICT):
            raise PluginError(f"The plugin {name} failed: {why}.", hint=WITHOUT)
        print(f"warning: the plugin {name} is disabled for this run: {why}.", file=sys.stderr)

    def disable(self, name: str, why: str) -> None:
        """Leave the plugin out from now on, and say so.

        Raises:
            PluginError: it is a built-in, or ``--strict`` was given.
        """
        if name.startswith("yunjue."):
            raise PluginError(f"The built-in {name} failed: {why}.", hint="This is a bug.")
        self.manager.unregister(name=name)
        found = self._sources.get(name) or Found(name, "", "", lambda: None)
        self._leave_out(found, why)
        self._complain(name, why)

    def info(self) -> list[PluginInfo]:
        """All plugins, built-ins first, then those that do not take part."""
        loaded = []
        for name, plugin in self.manager.list_name_plugin():
            if plugin is None:
                continue
            hooks = tuple(caller.name for caller in self.manager.get_hookcallers(plugin) or ())
            found = self._sources.get(name)
            version = found.version if found else metadata.version("yunjue")
            loaded.append(PluginInfo(name, found.source if found else "built in", version, hooks))
        return loaded + self.failed

    def each(
        self, hook: str, *, bounded: bool = True, only: str = "", **arguments: Any
    ) -> Iterator[tuple[str, Any]]:
        """Call the hook of each plugin, or of the one named ``only``, in the order they were
        loaded: (name, its result)."""
        caller = getattr(self.manager.hook, hook)
        for impl in caller.get_hookimpls():
            if only and impl.plugin_name != only:
                continue
            values = {name: arguments[name] for name in impl.argnames}
            try:
                with guarded(bounded=bounded):
                    result = impl.function(**values)
            except Misbehaved as problem:
                self.disable(impl.plugin_name, f"{hook}: {problem}")
                continue
            yield impl.plugin_name, result

    def offered(self, kind: str, check: Callable[[str, Any], str] | None = None) -> dict:
        """name -> what was registered under it with the hook ``register_KIND``. Of two plugins
        with one name the later is disabled.

        Args:
            check: (name, thing) -> why it cannot be taken; "" if it can.
        """
        hook = f"register_{kind}"
        # Kept whole: the id of one that is gone may be that of a later one.
        impls = tuple(getattr(self.manager.hook, hook).get_hookimpls())
        known = self._offered.get(kind)
        if known is not None and known[0] == impls:
            return known[1]
        kept: dict[str, Any] = {}
        mine: dict[str, Any] = {}

        def register(name: Any, thing: Any = None) -> None:
            name, thing = (name, thing) if isinstance(name, str) else (name.name, name)
            if name in kept or name in mine:
                raise PluginError(f"there is another {singular(kind)} {name!r}")
            if check is not None and (why := check(name, thing)):
                raise PluginError(why)
            mine[name] = thing

        # A plugin that fails in the middle leaves nothing behind.
        failed = len(self.failed)
        for _, _ in self.each(hook, register=register):
            kept.update(mine)
            mine.clear()
        if len(self.failed) > failed:
            return self.offered(kind, check)
        self._offered[kind] = (impls, kept)
        return kept

    def choose(self, kind: str, name: str, *args: Any) -> Any:
        """Make the ``kind`` (``models``, ``sandboxes``, ``engines``, …) called ``name``.

        Raises:
            UsageError: nobody offers that name.
            PluginError: its maker fails.
        """
        makers = self.offered(kind)
        if name not in makers:
            known = ", ".join(sorted(makers))
            raise UsageError(f"There is no {singular(kind)} {name!r}; there are {known}.")
        try:
            return makers[name](*args)
        except YunjueError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise PluginError(f"The {singular(kind)} {name} cannot be made: {text}") from error

    def domains(self) -> dict[str, Domain]:
        """name -> domain, in the order plugins were loaded."""
        return self.offered("domains", _not_a_domain)

    def tool_folders(self) -> dict[str, Path]:
        """name -> folder of tools in export form that belong to no domain."""
        return self.offered("tools", _not_a_folder)

    def skill_folders(self) -> dict[str, Path]:
        """name -> folder of skills; those of domains under the domain's name."""
        of_domains = {name: one.skills for name, one in self.domains().items() if one.skills}
        return {**of_domains, **self.offered("skills", _not_a_folder)}

    def verifiers(self) -> dict[str, Verify]:
        """name -> what judges answers of any task."""
        return self.offered("verifiers")

    def offers(self, plugin: str) -> dict[str, list[str]]:
        """kind -> names of what the plugin registers, tools and commands included."""
        from yunjue.plugin_commands import names, scratch

        own = scratch()
        found: dict[str, list[str]] = {}

        def noting(kind: str) -> Callable[..., None]:
            def note(thing: Any, *_: Any) -> None:
                found.setdefault(kind, []).append(getattr(thing, "name", thing))

            return note

        for hook in vars(self.manager.hook):
            kind = hook.removeprefix("register_")
            if kind == hook:
                continue
            arguments = {"app": own} if kind == "commands" else {"register": noting(kind)}
            for _ in self.each(hook, only=plugin, **arguments):
                pass
        commands = {"commands": names(own)} if names(own) else {}
        return {**commands, **found}

    def add_commands(self, app: typer.Typer) -> None:
        """Put the commands of all plugins into ``app``."""
        from yunjue.plugin_commands import merge, scratch

        for impl in self.manager.hook.register_commands.get_hookimpls():
            own = scratch()
            try:
                with guarded():
                    impl.function(app=own)
                merge(app, own)
            except Misbehaved as problem:
                self.disable(impl.plugin_name, f"register_commands: {problem}")
            except PluginError as problem:
                self.disable(impl.plugin_name, problem.message)

    def see(self, event: Any) -> None:
        """Show every plugin an event of a run."""
        for _ in self.each("on_event", event=event):
            pass

    def approve(self, proposal: Any) -> Any:
        """The first decision a plugin makes about ``proposal``; None if none does. It may wait
        for somebody as long as it likes."""
        from dataclasses import replace

        from yunjue.approvals import Decision, wrong_inputs

        for name, decision in self.each("approve_call", bounded=False, proposal=proposal):
            if decision is None:
                continue
            if not isinstance(decision, Decision):
                self.disable(name, f"approve_call: {type(decision).__name__} is no Decision")
                continue
            wrong = decision.inputs is not None and wrong_inputs(proposal, decision.inputs)
            if wrong:
                self.disable(name, f"approve_call: its inputs do not fit: {wrong}")
                continue
            return replace(decision, by=decision.by or name, always=False)
        return None

    def veto(self, tool: Any, verdict: Any) -> str:
        """The first reason a plugin gives against admitting ``tool``; empty if none."""
        reasons = [why for _, why in self.each("admit_tool", tool=tool, verdict=verdict) if why]
        return str(reasons[0]) if reasons else ""


WITHOUT = "`yunjue plugins disable NAME` or YUNJUE_LOAD_PLUGINS starts without it."
SINGULAR = {"sandboxes": "sandbox", "strategies": "strategy"}


def singular(kind: str) -> str:
    return SINGULAR.get(kind, kind.removesuffix("s"))


def _not_a_domain(name: str, domain: Any) -> str:
    if not isinstance(domain, Domain):
        return f"{type(domain).__name__} is no Domain"
    return domain.problem()


def _not_a_folder(name: str, folder: Any) -> str:
    return "" if Path(folder).is_dir() else f"{name}: there is no folder {folder}"


@cache
def plugins() -> Plugins:
    """The plugins of this process, loaded on first use."""
    loaded = Plugins()
    loaded.load()
    return loaded
