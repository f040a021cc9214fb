"""A recorded evolution of a real model replays without it: its library and its metrics."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from yunjue.config import load_settings
from yunjue.evolution.folder import Folder
from yunjue.evolution.replay import replay_evolution
from yunjue.metrics.journal import history
from yunjue.metrics.summary import arm_summary

EVOLUTIONS = sorted((Path(__file__).parents[2] / "traces" / "evolutions").glob("*/journal.jsonl"))


def test_a_recorded_evolution_is_there():
    assert EVOLUTIONS


@pytest.mark.integration
@pytest.mark.timeout(900)
@pytest.mark.parametrize("journal", EVOLUTIONS, ids=lambda path: path.parent.name)
def test_a_golden_evolution_replays(journal, home, bubblewrap_sandbox, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    result = asyncio.run(replay_evolution(journal.parent, load_settings(sandbox="bubblewrap")))
    assert result.differences == []
    assert result.tasks >= 60


@pytest.mark.parametrize("journal", EVOLUTIONS, ids=lambda path: path.parent.name)
def test_metrics_agree_with_a_count_of_the_traces(journal):
    """Made and called, counted in the runs' own traces and not by the journal."""
    counted = Counter()
    for trace in sorted(journal.parent.glob("tasks/[0-9]*/trace.jsonl")):
        if "undone" not in trace.parent.name:
            counted.update(json.loads(line)["kind"] for line in trace.read_text().splitlines())
    found = arm_summary(history(Folder(journal.parent).journal()), "evolve")
    assert found["made"] == counted["tool.admitted"]
    assert found["calls"] == counted["tool.called"]
    assert found["egl"] == counted["tool.admitted"] / counted["tool.called"]
