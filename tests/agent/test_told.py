from __future__ import annotations

from yunjue.agent.told import told
from yunjue.events import Event


def test_what_a_tool_says_does_not_move_the_cursor():
    outcome = {"status": "failed", "error": "no\x1b[2K\x1b[1A\x9b2K approval  allowed \u202egone"}
    data = {"name": "count", "inputs": {"text": "\x9b2J"}, "outcome": outcome}
    line = told(Event("tool.called", data, time=0.0, seq=1))
    assert line.startswith("call      count(") and line.isprintable()
