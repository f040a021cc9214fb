"""Recorded runs of a real model replay without it, tools executed anew in the sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from yunjue.agent.replay import replay
from yunjue.config import load_settings

GOLDEN = Path(__file__).parents[2] / "traces" / "golden"
TRACES = sorted(GOLDEN.glob("*/*.jsonl"))


def test_the_recorded_stream_is_there():
    assert len(TRACES) >= 24


@pytest.mark.integration
@pytest.mark.parametrize("trace", TRACES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_golden_trace_replays(trace, home, bubblewrap_sandbox, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    done = asyncio.run(replay(trace, load_settings(sandbox="bubblewrap")))
    assert done.differences == []
