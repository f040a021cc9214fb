"""What a tool did on the network is told in the run, as it happens."""

from __future__ import annotations

from pathlib import Path

import story

from yunjue.agent.services import Services
from yunjue.agent.told import told
from yunjue.config import load_settings
from yunjue.events import Events
from yunjue.grants import GrantedSandbox
from yunjue.types import CallOutcome, Visit

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
        ("gateway", "library", "synthesizer", "meter", "effects", "remote", "approvals")
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
