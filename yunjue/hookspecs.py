"""The hooks a plugin may implement: the whole extension surface, on one page.

A plugin is a module or object whose functions carry :data:`hookimpl`. Built-ins register
through the same hooks (:mod:`yunjue.default_plugins`). A plugin says which hooks it was written
for with ``yunjue_hooks = "1"``; names it registers are lower_snake_case and free. Hooks take the
arguments they name; they may leave some out. docs/plugins-reference.md is made from this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from yunjue.errors import PluginError

if TYPE_CHECKING:
    import typer

    from yunjue.approvals import Decision, Proposal
    from yunjue.config import Settings
    from yunjue.domains import Domain, Verify
    from yunjue.events import Event
    from yunjue.evolution.engine import Context, Engine
    from yunjue.metrics.record import History
    from yunjue.protocols import ChatModel, Embedder, Sandbox
    from yunjue.strategies.shape import Strategy
    from yunjue.types import Tool, Verdict

HOOKS_VERSION = (1, 0)
"""The first number changes when a plugin must; the second when there is something new."""

hookspec = pluggy.HookspecMarker("yunjue")
hookimpl = pluggy.HookimplMarker("yunjue")


def check_version(needed: object) -> None:
    """Raise PluginError unless a plugin that needs the hooks ``"1"`` or ``"1.3"`` can be had."""
    ours = ".".join(map(str, HOOKS_VERSION))
    try:
        major, minor = (int(part) for part in f"{needed}.0".split(".")[:2])
    except ValueError:
        raise PluginError(f'yunjue_hooks is {needed!r}; write it as "{ours}"') from None
    if major < HOOKS_VERSION[0]:
        raise PluginError(f"it is for the hooks {needed}, older than {ours}: it must be updated")
    if (major, minor) > HOOKS_VERSION:
        raise PluginError(f"it needs the hooks {needed}; this Yunjue has {ours}: update Yunjue")


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands.

    >>> app.command("hello")(say_hello)
    >>> app.add_typer(group, name="acme")
    """


@hookspec
def register_tools(register: Callable[[str, Path], None]) -> None:
    """Offer tools for all tasks: a folder as docs/bundles.md says. They are proved in
    the user's sandbox before they enter the library.

    >>> register("acme", Path(__file__).parent / "tools")
    """


@hookspec
def register_skills(register: Callable[[str, Path], None]) -> None:
    """Offer skills for all tasks: a folder of folders with a SKILL.md.

    >>> register("acme", Path(__file__).parent / "skills")
    """


@hookspec
def register_domains(register: Callable[[Domain], None]) -> None:
    """Offer domains. ``--domain acme`` sends a task there; else the manager is asked about
    those whose :attr:`~yunjue.domains.Domain.fits` says that they may fit.

    >>> register(Domain("acme", "work on acme files", fits=lambda task, files: "acme" in task))
    """


@hookspec
def register_models(register: Callable[[str, Callable[[str, Settings], ChatModel]], None]) -> None:
    """Offer models. ``--model acme/NAME`` calls ``make("NAME", settings)``.

    >>> register("acme", make)
    """


@hookspec
def register_embedders(register: Callable[[str, Callable[[Settings], Embedder]], None]) -> None:
    """Offer embedders. The setting ``embedder = "acme"`` or ``"acme/MODEL"`` calls
    ``make(settings)``.

    >>> register("acme", make)
    """


@hookspec
def register_sandboxes(register: Callable[[str, Callable[[Settings], Sandbox]], None]) -> None:
    """Offer sandbox backends. ``--sandbox acme`` calls ``make(settings)``.

    >>> register("acme", make)
    """


@hookspec
def register_verifiers(register: Callable[[str, Verify], None]) -> None:
    """Offer verifiers of answers, for all tasks: (task, answer, files) -> Judged, or None if
    this is not theirs to judge. An answer that does not hold goes back to the model.

    >>> register("acme", lambda task, answer, files: Judged("?" not in answer, "no question"))
    """


@hookspec
def register_strategies(register: Callable[[str, Callable[[Settings], Strategy]], None]) -> None:
    """Offer strategies: ``register("acme", make)``; a domain with ``strategy="acme"`` has its
    actions chosen by ``make(settings)``."""


@hookspec
def register_engines(register: Callable[[str, Callable[[Context], Engine]], None]) -> None:
    """Offer engines for the batches of an evolution. ``yunjue evolve --engine acme`` calls
    ``make(context)``.

    >>> register("acme", make)
    """


@hookspec
def register_metrics(
    register: Callable[[str, Callable[[History], Mapping[str, Any]]], None],
) -> None:
    """Offer metrics of an evolution: plain numbers by name, which ``yunjue metrics`` shows.

    >>> register("acme", lambda past: {"tasks": len(past.tasks)})
    """


@hookspec
def admit_tool(tool: Tool, verdict: Verdict) -> str | None:
    """Veto a proven tool before it enters the library: the reason, or None. Any veto wins.

    >>> return "no tools about moons" if "moon" in tool.name else None
    """


@hookspec
def approve_call(proposal: Proposal) -> Decision | None:
    """Decide about a tool call or an action in place of the person who would be asked; the
    first answer wins, None leaves it to the others. A rule that denies is not asked about.

    >>> return Decision(False, words="not at night") if is_night() else None
    """


@hookspec
def on_event(event: Event) -> None:
    """See every event of a run (:data:`yunjue.events.KINDS`), after it is on disk.

    >>> count[event.kind] += 1
    """
