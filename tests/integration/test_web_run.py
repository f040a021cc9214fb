"""Whole runs in real Chromium, on the shop as HTML."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "web"))

from shop import TASK, served
from shop_story import Story, settings_of

from yunjue.agent.run import Sitting, runs
from yunjue.approvals import Decision
from yunjue.config import ROLES
from yunjue.errors import Paused
from yunjue.models.scripted import ScriptedModel
from yunjue.traces.runs import new_run_id
from yunjue.traces.trace import read_trace
from yunjue.web.environment import STORAGE

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("shared_base")]


class Live(Story):
    """The story over the served shop."""

    def __init__(self, shop, **changes):
        super().__init__(**changes)
        self.live = shop

    @property
    def browser(self):
        return self

    @property
    def shop(self):
        return self.live


def sitting_of(story, run, earlier=(), ask=None, **flags):
    models = {role: [ScriptedModel(story.answer)] for role in ROLES}
    settings = settings_of(approval=[], **flags)
    return Sitting(run, settings, earlier=list(earlier), models=models, ask=ask)


async def test_a_run_in_chromium_is_paused_before_it_orders_and_goes_on():
    with served() as (url, shop):
        story, run = Live(shop), new_run_id()
        flags = {"start_url": url, "allow_private": True, "look_ahead": "always"}
        flags |= {"screenshots": "each"}
        with pytest.raises(Paused, match="buys or pays"):
            await sitting_of(story, run, **flags).sit(TASK, {})
        assert shop.orders == [] and shop.basket == ["blue lamp, 18"]
        outputs = runs().directory / run / "outputs" / "web"
        assert (outputs / STORAGE).stat().st_mode & 0o777 == 0o600
        events = read_trace(runs().directory / run / "trace.jsonl")
        asked = []

        def yes(proposal):
            asked.append(proposal)
            return Decision(True, by="person")

        result = await sitting_of(story, run, events, ask=yes, **flags).sit(TASK, {})
    assert (result.status, shop.orders) == ("solved", ["blue lamp, 18"])
    assert len(asked) == 1  # though the elements have other ids in the second browser
    pictures = [Path(file) for file in result.files]
    assert [file.name for file in pictures][-1] == "end.png"
    assert all(file.read_bytes()[:4] == b"\x89PNG" for file in pictures)
    assert not (outputs / STORAGE).exists()
