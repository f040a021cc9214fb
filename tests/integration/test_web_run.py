"""Whole runs in real Chromium, on the shop as HTML."""

from __future__ import annotations

import json
import subprocess
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


async def test_a_recipe_of_a_run_does_it_again_in_chromium_with_another_input():
    with served() as (url, shop):
        flags = {"start_url": url, "allow_private": True, "look_ahead": "always"}
        run = new_run_id()
        await sitting_of(Live(shop), run, ask=lambda _: Decision(True, by="person"), **flags).sit(
            TASK, {}
        )
        command("web", "distil", run, "--name", "order_lamp")
        (recipe,) = json.loads(command("web", "list", "--json").stdout)
        assert list(recipe["inputs"]) == ["search"]
        again = ["web", "run", "order_lamp", "-i", "search=red lamp", "--allow-private"]
        refused = command(*again, code=2)
        assert "buys or pays" in refused.stderr and shop.orders == ["blue lamp, 18"]
        shop.page = "home"  # another visit
        done = command(*again, "--approve", "order_lamp", "--json")
    assert json.loads(done.stdout)["status"] == "ok", done.stdout
    assert (shop.query, shop.orders) == ("red lamp", ["blue lamp, 18"] * 2)


def command(*args, code=0):
    """``yunjue ...`` in a process of its own, in this test's home."""
    call = [sys.executable, "-m", "yunjue", *args]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done
