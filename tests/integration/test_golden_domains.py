"""Recorded runs of the three domains of ``plugins/`` replay without the model. Their packages
must be installed."""

from __future__ import annotations

import asyncio
import importlib
import json
from pathlib import Path

import pytest
from conftest import missing

from yunjue.agent.replay import replay
from yunjue.config import load_settings
from yunjue.plugins import plugins
from yunjue.traces.trace import read_trace

PLUGINS = Path(__file__).parents[2] / "plugins"
TRACES = sorted(PLUGINS.glob("*/traces/*.jsonl"))

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_domains_run_replays(trace, home, bubblewrap_sandbox, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    package = trace.parents[1].name
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError:
        missing(f"{package} is not installed: `pip install --no-deps -e plugins/{package}`")
    plugins().manager.register(module, name=package)
    try:
        replayed(trace, package)
    finally:
        plugins().manager.unregister(name=package)


def replayed(trace, package):
    tasks = PLUGINS / package / package.replace("-", "_") / "tasks"
    lines = (tasks / "tasks.jsonl").read_text("utf-8").splitlines()
    (task,) = [one for one in map(json.loads, lines) if one["id"] == trace.stem]
    files = {Path(name).name: tasks / name for name in task["files"]}
    done = asyncio.run(replay(trace, load_settings(sandbox="bubblewrap"), files=files))
    assert done.differences == []
    assert read_trace(trace)[-1].data["answer"] == done.result.answer
