"""What a tool did on the network is told in the run, as it happens."""

from __future__ import annotations

from pathlib import Path

import pytest
import story

from yunjue.agent.run import runs, solve
from yunjue.agent.services import Services
from yunjue.agent.told import told
from yunjue.config import load_settings
from yunjue.events import Events
from yunjue.grants import GrantedSandbox
from yunjue.hashing import content_id
from yunjue.library.open import open_library
from yunjue.traces.trace import read_trace
from yunjue.types import CallOutcome, Verdict, Visit

WENT = CallOutcome(
    status="ok",
    network=["a.org"],
    visits=[
        Visit(host="a.org", port=443, allowed=True, connections=1, sent=10, received=20),
        Visit(host="b.org", port=80, allowed=False, connections=1, why="is not among: a.org"),
    ],
)


class Sandbox:
    async def call(self, job):
        return [WENT]


async def test_each_host_is_an_event_and_a_line():
    events, seen = Events(), []
    events.subscribe(seen.append)
    settings = load_settings()
    absent = dict.fromkeys(
        ("gateway", "library", "synthesizer", "meter", "effects", "remote", "stage", "approvals")
    )
    sandbox = GrantedSandbox(Sandbox(), settings)
    services = Services(
        run="r",
        settings=settings,
        sandbox=sandbox,
        events=events,
        outputs=Path("outputs"),
        **absent,
    )
    assert await services.call("call-1", story.tool(), {"text": "a"}, {}) == WENT
    assert [event.kind for event in seen] == ["tool.network"] * 2
    assert seen[0].data["tool"] == "reverse_text" and seen[0].data["sent"] == 10
    assert [told(event) for event in seen] == [
        "network   reverse_text reached a.org:443: 10 bytes sent, 20 received",
        "network   reverse_text was kept from b.org:80, which is not among: a.org",
    ]


@pytest.mark.usefixtures("shared_base")
async def test_a_tool_that_lacks_a_grant_is_left_out_and_the_user_told(tmp_path):
    settings = story.story_settings(tmp_path)
    made = story.stock(settings)
    source = made.source.replace("TOOL_META__ = {", "TOOL_META__ = {'network': ['a.org'], ", 1)
    assert source != made.source
    library = open_library(settings, print)
    library.retire(made.id)
    needy = made.model_copy(
        update={"source": source, "id": content_id(source), "name": "fetch_reversed"}
    )
    library.add(needy, Verdict(tool_id=needy.id, admitted=True, stages=[]))
    library.close()
    result = await solve(story.TASK, settings)
    events = read_trace(runs().directory / result.run / "trace.jsonl")
    (left,) = [event for event in events if event.kind == "tools.lacking"][:1]
    assert left.data["tool"] == "fetch_reversed"
    assert "--allow-net a.org" in told(left)
    (found,) = [event for event in events if event.kind == "tools.retrieved"][:1]
    assert found.data["names"] == []
    assert result.answer == "radec"  # by a tool that it makes
