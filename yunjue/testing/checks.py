"""Assertions about plugins that say what is wrong."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yunjue.agent.run import RunResult, runs
from yunjue.config import load_settings
from yunjue.domains import Domain
from yunjue.protocols import Sandbox
from yunjue.testing.direct import DirectSandbox
from yunjue.traces.trace import TRACE_FILE, read_trace


def events_of(run: RunResult | str | Path, kind: str = "") -> list[dict[str, Any]]:
    """The data of a run's events of that kind, of all without one; a path is that of a trace."""
    path = _trace(run)
    return [event.data for event in read_trace(path) if not kind or event.kind == kind]


def assert_tools_prove(folder: Path, sandbox: Sandbox | None = None) -> list[str]:
    """Every tool of the folder is admitted as it would be at a user's.

    Args:
        folder: see :mod:`yunjue.bundle.provide`.
        sandbox: where they run; by default in this process, which contains nothing: for tools
            that you wrote.

    Returns:
        Their names.
    """
    from yunjue.bundle.provide import provide
    from yunjue.library.open import open_library

    with tempfile.TemporaryDirectory(prefix="yunjue-tools-") as place:
        settings = load_settings(library=Path(place), embedder="hash")
        library = open_library(settings, print)
        try:
            provided = asyncio.run(
                provide(
                    *(folder, "test", "", library, sandbox or DirectSandbox()),
                    settings.tool_limits(),
                    run="test",
                    veto=lambda tool, verdict: "",
                )
            )
        finally:
            library.close()
    assert not provided.refused, "refused: " + "; ".join(provided.refused)
    assert provided.added, f"there is no tool in {folder}"
    return provided.added


def assert_domain_works(domain: Domain, claims: Sequence[str], leaves: Sequence[str]) -> None:
    """The domain can be registered, claims the tasks ``claims`` and leaves the others alone."""
    problem = domain.problem()
    assert not problem, problem
    missed = [task for task in claims if not domain.fits(task, [])]
    taken = [task for task in leaves if domain.fits(task, [])]
    assert not missed, f"{domain.name} does not claim {missed}"
    assert not taken, f"{domain.name} claims {taken}, and each costs a question to the model"


def assert_replays(run: RunResult | str | Path) -> None:
    """The run gives the same again without its model, tools executed anew in this process."""
    from yunjue.agent.replay import replay

    done = asyncio.run(replay(_trace(run), load_settings(sandbox="direct", embedder="hash")))
    assert not done.differences, done.differences


def _trace(run: RunResult | str | Path) -> Path:
    if isinstance(run, Path):
        return run
    name = run if isinstance(run, str) else run.run
    return runs().path(name) / TRACE_FILE
