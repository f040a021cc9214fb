"""Domains in an evolution: their tasks, and their tools, which come in before the first batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from yunjue.agent.domain_use import named
from yunjue.agent.routing import AUTO, NONE
from yunjue.bundle.provide import provide
from yunjue.config import Settings
from yunjue.domains import Domain
from yunjue.errors import UsageError, YunjueError
from yunjue.evolution.task_rows import StreamTask
from yunjue.library.open import open_library
from yunjue.plugin_guard import Misbehaved, guarded
from yunjue.plugins import plugins
from yunjue.sandbox.select import opened_sandbox

SOURCE = "domain:"


def tasks_of(source: str) -> tuple[str, Path]:
    """The domain of ``domain:NAME``, and its file of tasks.

    Raises:
        UsageError: there is no such domain, or it has no tasks.
    """
    domain = named(source.removeprefix(SOURCE))
    if domain.tasks is None:
        raise UsageError(f"The domain {domain.name} brings no tasks.", hint="")
    return domain.name, domain.tasks


def labelled(tasks: Sequence[StreamTask], domain: str) -> list[StreamTask]:
    """The tasks under the domain's name in metrics, where they have none of their own."""
    return [task if task.domain else replace(task, domain=domain) for task in tasks]


async def bring_tools(
    tasks: Sequence[StreamTask], settings: Settings, run: str, tell: Callable[[str], None]
) -> None:
    """Add the tools that the tasks may need to the library: later each batch reads it as it is.

    Args:
        run: id of what they are wanted for.
        tell: is told what came in and what was refused.

    Raises:
        YunjueError: there is no sandbox, or the library cannot be written.
    """
    folders = {name: (folder, "") for name, folder in plugins().tool_folders().items()}
    for domain in _wanted(tasks, settings):
        if domain.tools is not None:
            folders[domain.name] = (domain.tools, domain.name)
    if not folders:
        return
    library = open_library(settings, tell)
    limits = settings.tool_limits()
    try:
        async with opened_sandbox(settings, tell) as sandbox:
            for name, (folder, domain) in folders.items():
                try:
                    provided = await provide(
                        *(folder, name, domain, library, sandbox, limits),
                        run=run,
                        veto=plugins().veto,
                    )
                except YunjueError as error:
                    tell(f"the tools of {name} are left out: {error.message}")
                    continue
                if provided.added:
                    tell(f"{name} brings {', '.join(provided.added)}")
                for why in provided.refused:
                    tell(f"{name}: refused {why}")
    finally:
        library.close()


def _wanted(tasks: Sequence[StreamTask], settings: Settings) -> list[Domain]:
    """The domain that was named, or those that a task may go to."""
    if settings.domain == NONE:
        return []
    if settings.domain != AUTO:
        return [named(settings.domain)]
    domains = list(plugins().domains().values())
    return [domain for domain in domains if any(_fits(domain, task) for task in tasks)]


def _fits(domain: Domain, task: StreamTask) -> bool:
    try:
        with guarded():
            return bool(domain.fits(task.task, list(task.files)))
    except Misbehaved:
        return False  # the run says so
