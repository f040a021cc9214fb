"""The hooks a plugin may implement: the whole extension surface, on one page.

A plugin is an entry point in the group ``yunjue`` that names a module or object whose
functions carry :data:`hookimpl`. Built-ins register through the same hooks
(:mod:`yunjue.default_plugins`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from yunjue.config import Settings
    from yunjue.domains import Domain
    from yunjue.events import Event
    from yunjue.evolution.engine import Context, Engine
    from yunjue.protocols import ChatModel, Embedder, Sandbox
    from yunjue.strategies.shape import Strategy
    from yunjue.types import Tool, Verdict

hookspec = pluggy.HookspecMarker("yunjue")
hookimpl = pluggy.HookimplMarker("yunjue")


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands: ``app.command("hello")(function)`` or ``app.add_typer(group)``."""


@hookspec
def register_models(register: Callable[[str, Callable[[str, Settings], ChatModel]], None]) -> None:
    """Offer models: ``register("acme", make)``; ``--model acme/NAME`` calls
    ``make("NAME", settings)``."""


@hookspec
def register_embedders(register: Callable[[str, Callable[[Settings], Embedder]], None]) -> None:
    """Offer embedders: ``register("acme", make)``; the setting ``embedder = "acme"``
    or ``"acme/MODEL"`` calls ``make(settings)``."""


@hookspec
def register_sandboxes(register: Callable[[str, Callable[[Settings], Sandbox]], None]) -> None:
    """Offer sandbox backends: ``register("acme", make)``; ``--sandbox acme`` calls
    ``make(settings)``."""


@hookspec
def register_domains(register: Callable[[Domain], None]) -> None:
    """Offer domains: ``register(Domain(name="acme", ...))``; ``--domain acme`` sends a task
    there, and the manager is asked where :attr:`~yunjue.domains.Domain.fits` says so."""


@hookspec
def register_strategies(register: Callable[[str, Callable[[Settings], Strategy]], None]) -> None:
    """Offer strategies: ``register("acme", make)``; a domain with ``strategy="acme"`` has its
    actions chosen by ``make(settings)``."""


@hookspec
def register_engines(register: Callable[[str, Callable[[Context], Engine]], None]) -> None:
    """Offer engines for the batches of an evolution: ``register("acme", make)``;
    ``yunjue evolve --engine acme`` calls ``make(context)``."""


@hookspec
def admit_tool(tool: Tool, verdict: Verdict) -> str | None:
    """Veto a proven tool before it enters the library: return the reason, or None."""


@hookspec
def on_event(event: Event) -> None:
    """See every event of a run (:data:`yunjue.events.KINDS`), after it is on disk."""
