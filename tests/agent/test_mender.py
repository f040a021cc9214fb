"""A tool that fails too often is written anew in the run that finds out."""

from __future__ import annotations

import pytest
import story

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve
from yunjue.library.open import open_library
from yunjue.traces.trace import read_trace
from yunjue.types import CallOutcome

pytestmark = pytest.mark.usefixtures("shared_base")

BRITTLE = (
    "```python\ndef reverse_text(text: str) -> str:\n    if text == 'cedar':\n"
    "        raise RuntimeError('no cedars')\n    return text[::-1]\n```"
)
AGAIN = {"action": "call", "tool": "reverse_text", "inputs": {"text": "cedar"}}
CALL_AGAIN = [{"when": "(?s)was repaired: call it again.*What next", "reply": AGAIN}]
UNKNOWN = {"action": "answer", "text": "I do not know"}
GIVE_UP = [{"when": "could not be repaired", "reply": UNKNOWN}]


@pytest.fixture
async def worn(tmp_path):
    """The library holds a brittle tool that is one failure short of being suspect."""
    settings = story.story_settings(tmp_path, author=BRITTLE)
    made = await solve(story.OTHER_TASK, settings)
    assert made.answer == "rebma"
    library = open_library(settings, print)
    tool = library.get("reverse_text")
    failed = CallOutcome(status="failed", error="RuntimeError: no cedars")
    for number in range(2):
        library.record_call(f"run-{number}", "call-1", tool.id, failed, {"text": "cedar"})
    library.close()
    return tool


def opened(settings):
    return open_library(settings, print)


async def test_it_is_repaired_called_again_and_kept(tmp_path, worn):
    settings = story.story_settings(tmp_path, first=CALL_AGAIN)
    result = await solve(story.TASK, settings)
    assert (result.status, result.answer) == ("solved", "radec")
    assert result.new_tools == []
    path = runs().directory / result.run / "trace.jsonl"
    kinds = [event.kind for event in read_trace(path)]
    assert kinds.count("tool.called") == 2 and kinds.count("tool.mended") == 1
    library = opened(settings)
    tool = library.get("reverse_text")
    assert tool.id != worn.id and library.status(tool.id) == "active"
    assert tool.origin["parents"] == [worn.id] and tool.origin["run"] == result.run
    assert "amber" in str(library.cases(tool.id))  # what it did right in real work
    assert library.stats(tool.id)["ok"] == 1
    library.close()
    again = await replay(path, story.story_settings(tmp_path))
    assert again.differences == []


async def test_what_cannot_be_repaired_stays_suspect_and_is_said(tmp_path, worn):
    settings = story.story_settings(tmp_path, author=BRITTLE, first=GIVE_UP)
    result = await solve(story.TASK, settings)
    assert result.answer != "radec"
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    (unmended,) = [event for event in events if event.kind == "tool.unmended"]
    assert "fail still" in unmended.data["why"]
    library = opened(settings)
    assert library.get("reverse_text").id == worn.id
    assert library.status(worn.id) == "suspect"
    library.close()


async def test_it_can_be_switched_off(tmp_path, worn):
    settings = story.story_settings(tmp_path, {"repair_in_use": False}, next=UNKNOWN)
    result = await solve(story.TASK, settings)
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    assert not [event for event in events if event.kind in ("tool.mended", "tool.unmended")]
    assert [event.data["status"] for event in events if event.kind == "tool.moved"] == ["suspect"]
