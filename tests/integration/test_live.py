"""A short check with the real embedded model: structure, not wording."""

from __future__ import annotations

import pytest

from yunjue.agent.run import runs, solve
from yunjue.config import load_settings
from yunjue.errors import YunjueError
from yunjue.traces.trace import read_trace

TASK = "What is the SHA-256 hash, in lowercase hex, of the text 'cedar river delta'?"


@pytest.mark.live
@pytest.mark.timeout(900)
async def test_the_embedded_model_drives_a_run(tmp_path, live_model, bubblewrap_sandbox):
    settings = load_settings(
        model=f"local/{live_model}",
        sandbox="bubblewrap",
        library=tmp_path / "library",
        candidates=2,
        repairs=0,
        timeout=600,
    )
    try:
        result = await solve(TASK, settings)
        assert result.status in ("solved", "not_solved")
        assert result.tokens > 0 and result.cost_usd == 0
    except YunjueError as error:  # the smallest model may lose its way, but says so
        assert error.message and error.exit_code in (1, 4)
    events = read_trace(runs().directory / runs().names()[-1] / "trace.jsonl")
    asked = [
        event for event in events if event.kind == "effect" and event.data["effect"] == "model"
    ]
    assert asked and asked[0].data["request"]["role"] == "manager"
    assert events[-1].kind in ("run.finished", "run.failed")
