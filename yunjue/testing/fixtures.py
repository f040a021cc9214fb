"""The fixtures of :mod:`yunjue.testing`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from yunjue.testing.direct import DirectPlugin
from yunjue.testing.scripts import Rule, write_script

if TYPE_CHECKING:
    from yunjue.agent.run import RunResult
    from yunjue.library.library import Library
    from yunjue.protocols import Embedder


@pytest.fixture
def yunjue_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``YUNJUE_HOME`` in a temporary folder, no key and no setting of the user's, a working
    folder without settings, and no installed plugin."""
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.startswith("YUNJUE_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    monkeypatch.setenv("YUNJUE_LOAD_PLUGINS", "")
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def with_plugin() -> Iterator[Callable[..., None]]:
    """``with_plugin(module_or_object)`` loads a plugin for the test."""
    from yunjue.plugins import plugins

    loaded: list[Any] = []

    def load(plugin: Any) -> None:
        plugins().manager.register(plugin, name=f"test-{len(loaded)}")
        plugins().manager.check_pending()
        loaded.append(plugin)

    yield load
    for plugin in loaded:
        if plugins().manager.is_registered(plugin):
            plugins().manager.unregister(plugin)


@pytest.fixture
def direct_sandbox(with_plugin: Callable[..., None]) -> str:
    """The name of a sandbox that runs tools at once in this process: for code of your own."""
    with_plugin(DirectPlugin())
    return "direct"


@pytest.fixture
def run_task(yunjue_home: Path, tmp_path: Path, direct_sandbox: str) -> Callable[..., RunResult]:
    """``run_task(task, rules, domain=..., files=...)`` solves a task with a scripted model (see
    :mod:`yunjue.testing.scripts`), the hashing embedder and the direct sandbox. More arguments
    are settings."""
    from yunjue.agent.run import solve
    from yunjue.config import load_settings

    def run(
        task: str, rules: Sequence[Rule], *, files: Mapping[str, Path] | None = None, **flags: Any
    ) -> RunResult:
        chosen = {
            "model": write_script(tmp_path / "script.json", rules),
            "sandbox": direct_sandbox,
            "embedder": "hash",
            "min_similarity": -1.0,
            **flags,
        }
        return asyncio.run(solve(task, load_settings(**chosen), files=files))

    return run


@pytest.fixture
def tool_library(yunjue_home: Path) -> Iterator[Library]:
    """The library of the temporary home, with the hashing embedder."""
    from yunjue.config import load_settings
    from yunjue.library.open import open_library

    library = open_library(load_settings(embedder="hash"), print)
    yield library
    library.close()


@pytest.fixture
def hash_embedder() -> Embedder:
    """An embedder that needs no weights: equal words are near, meaning it knows none."""
    from yunjue.store.embedders.hashing import HashEmbedder

    return HashEmbedder()
