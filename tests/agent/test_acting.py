"""Whole runs that act in an environment, with a scripted model."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rooms import TASK, Fragile, Rooms, offered, rule, settings_of
from rooms import rooms as rooms  # a fixture

from yunjue.agent import held_environment
from yunjue.agent.replay import replay
from yunjue.agent.run import resume, runs, solve
from yunjue.agent.stage import Stage, observation_tokens
from yunjue.approvals import Decision
from yunjue.config import load_settings
from yunjue.domains import OTHERWISE, ActionKind, Domain, Judged, Observed
from yunjue.errors import LimitReached, Paused, PluginError, YunjueError
from yunjue.synthesis.schemas import closed
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")


def events_of(run):
    return read_trace(runs().path(run) / "trace.jsonl")


def newest():
    return runs().names()[-1]


def prompts(run):
    asked = [e.data["request"] for e in events_of(run) if e.data.get("effect") == "model"]
    return [one["request"]["messages"][-1]["content"] for one in asked]


async def test_a_task_is_solved_by_acting(tmp_path, rooms):
    result = await solve(TASK, settings_of(tmp_path))
    assert (result.status, result.answer) == ("solved", "cellar")
    (place,) = rooms.made
    assert [action["action"] for action in place.done] == ["go", "go", "stop"]
    assert place.closed
    assert [Path(file).name for file in result.files] == ["1.txt", "2.txt"]
    assert "outputs/rooms/" in result.files[0]
    told = [event.kind for event in events_of(result.run)]
    assert told.count("action.chosen") == told.count("action.done") == 3


async def test_a_prompt_begins_with_the_task_and_ends_with_what_is_seen(tmp_path, rooms):
    result = await solve(TASK, settings_of(tmp_path))
    first, second, third, *_ = prompts(result.run)
    same = first.index("What is there now")
    assert first[:same] == second[:same]
    assert "Rooms are in a row." in first[:same]
    assert '{"action": "go", "way": "on"}\n| hall -> kitchen' in third
    assert third.index("kitchen -> cellar") < third.index("| You are in the cellar.")


async def test_a_replay_needs_no_environment(tmp_path, rooms):
    result = await solve(TASK, settings_of(tmp_path))
    again = await replay(runs().path(result.run) / "trace.jsonl", settings_of(tmp_path))
    assert (again.differences, again.result.answer) == ([], "cellar")
    assert [place.opened for place in rooms.made] == [1, 0]


async def test_a_resumed_run_goes_on_where_it_was(tmp_path, rooms):
    with pytest.raises(LimitReached, match="actions"):
        await solve(TASK, settings_of(tmp_path, max_actions=1))
    result = await resume(newest(), {"max_actions": 9})
    assert (result.status, result.answer) == ("solved", "cellar")
    before, after = rooms.made
    assert [action["action"] for action in before.done] == ["go"]
    assert [action["action"] for action in after.done] == ["go", "stop"]


async def test_what_may_have_been_done_is_not_done_again(tmp_path):
    Fragile.broken = False
    with offered(environment=Fragile):
        with pytest.raises(YunjueError, match="fell down"):
            await solve(TASK, settings_of(tmp_path))
        result = await resume(newest(), {})
        assert result.status == "solved"
        # It was restored in the kitchen, told that it is not known what happened, and went on.
        assert [action["action"] for action in Rooms.made[-1].done] == ["go", "stop"]
    told = [e.data["change"] for e in events_of(result.run) if e.kind == "action.done"]
    assert "not known whether this was done" in told[1]


async def _die(self, action):
    if len(self.done) == 1:
        raise KeyError("the floor")
    return await Rooms.step(self, action)


async def _hang(self, action):
    await asyncio.sleep(99)


async def _nothing(self, action):
    return None


def _deaf(self, observed):
    return []


def _loud(self, action, observed):
    print("risk!")


async def _no_start(self, task, files):
    raise ConnectionResetError("the house is gone")


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"action": "stop", "answer": "hall"}, "solved"),
        ({"action": "fly"}, "not_solved"),
        ("stop", "not_solved"),
        ({"action": "go", "way": "up"}, "not_solved"),  # fails, and is not taken twice
    ],
)
async def test_what_is_done_when_the_model_chooses_nothing(tmp_path, action, status):
    class Patient(Rooms):
        def seen(self):
            seen = super().seen()
            return Observed(seen.text, seen.state, {OTHERWISE: action})

    lost = rule("Which action", action="dance")
    with offered(environment=Patient):
        result = await solve(TASK, settings_of(tmp_path, lost))
    assert result.status == status
    (done,) = [place.done for place in Rooms.made]
    assert done == ([action] if isinstance(action, dict) and action["action"] != "fly" else [])
    chosen = [e.data["why"] for e in events_of(result.run) if e.kind == "action.chosen"]
    assert chosen == ["the model chose no other"] * len(done)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"step": _die}, "fails in step: KeyError: 'the floor'"),
        ({"step": _hang}, "fails in step: it takes longer than"),
        ({"step": _nothing}, "fails in step: NoneType is no Step"),
        ({"actions": _deaf}, "fails in actions: it offers no ActionKind"),
        ({"risk": _loud}, "fails in risk: it writes to stdout"),
        ({"start": _no_start}, "fails in start: ConnectionResetError: the house is gone"),
    ],
    ids=["dies", "hangs", "answers-nothing", "offers-nothing", "prints", "never-begins"],
)
async def test_an_environment_that_dies_is_one_clear_error_and_the_run_can_go_on(
    tmp_path, monkeypatch, broken, why
):
    monkeypatch.setattr(held_environment, "SECONDS", 0.5)
    with offered(environment=type("Ruin", (Rooms,), broken)):
        with pytest.raises(PluginError, match="environment of rooms " + re.escape(why)) as raised:
            await solve(TASK, settings_of(tmp_path))
    assert "yunjue resume" in raised.value.hint
    assert events_of(newest())[-1].kind == "run.failed"
    assert all(place.closed for place in Rooms.made if place.opened)
    with offered():
        result = await resume(newest(), {})
    assert (result.status, result.answer) == ("solved", "cellar")


async def test_an_environment_that_does_not_close_costs_no_answer(tmp_path):
    async def stuck(self):
        raise OSError("the door is jammed")

    with offered(environment=type("Jammed", (Rooms,), {"close": stuck})):
        result = await solve(TASK, settings_of(tmp_path))
    assert result.answer == "cellar"
    (warning,) = [e for e in events_of(result.run) if "jammed" in str(e.data)]
    assert "does not close: OSError" in warning.data["message"]


async def test_an_action_that_failed_is_not_taken_again_in_the_same_place(tmp_path, rooms):
    stubborn = rule("Which action", action="go", way="up")
    result = await solve(TASK, settings_of(tmp_path, stubborn))
    assert result.status == "not_solved"
    assert len(rooms.made[0].done) == 1
    asked = [e.data["request"] for e in events_of(result.run) if e.data.get("effect") == "model"]
    ways = [one["request"]["schema_"]["anyOf"][0]["properties"]["way"]["enum"] for one in asked]
    assert ways[0] == ["on", "back", "up"] and ways[1] == ["on", "back"]


async def test_the_critic_sends_the_agent_back_once(tmp_path, rooms):
    early = rule("(?<!not accepted).*hall.*Which action", action="stop", answer="hall")
    early["times"] = 1
    unsure = rule("says that the task is done", why="no lamp was seen", done=False)
    unsure["times"] = 1
    result = await solve(TASK, settings_of(tmp_path, early, unsure))
    assert (result.status, result.answer) == ("solved", "cellar")
    assert "was not accepted: no lamp was seen" in prompts(result.run)[2]


async def test_what_is_final_is_not_gone_back_to(tmp_path):
    class Once(Rooms):
        async def step(self, action):
            step = await super().step(action)
            return replace(step, final=step.answer is not None)

    early = rule("hall.*Which action", action="stop", answer="hall")
    unsure = rule("says that the task is done", why="no lamp was seen", done=False)
    with offered(environment=Once):
        result = await solve(TASK, settings_of(tmp_path, early, unsure))
    assert result.status == "not_solved"
    assert [place.done for place in Rooms.made] == [[{"action": "stop", "answer": "hall"}]]


@pytest.mark.parametrize(("tries", "status"), [(0, "not_solved"), (1, "solved")])
async def test_a_model_that_is_stuck_is_asked_less_coldly(tmp_path, rooms, tries, status):
    stuck = {**rule("Which action", action="dance"), "times": 3}
    result = await solve(TASK, settings_of(tmp_path, stuck, fresh_ideas=tries))
    assert result.status == status
    asked = [e.data["request"] for e in events_of(result.run) if e.data.get("effect") == "model"]
    fresh = [one["request"]["temperature"] == 1.0 for one in asked]
    assert sum(fresh) == tries and fresh[3:4] == [True] * tries


async def test_a_domain_says_how_long_an_action_may_be(tmp_path):
    with offered(action_tokens=900):
        result = await solve(TASK, settings_of(tmp_path))
    asked = [e.data["request"] for e in events_of(result.run) if e.data.get("effect") == "model"]
    assert asked[0]["request"]["max_tokens"] == 900
    assert observation_tokens(4096, 900) < observation_tokens(4096)


async def test_the_verifier_of_the_domain_has_the_last_word(tmp_path):
    def verify(task, answer, files):
        return Judged(answer == "attic", "the lamp is in the attic")

    with offered(verify=verify):
        result = await solve(TASK, settings_of(tmp_path))
    assert result.status == "not_solved"


async def test_the_prompt_fits_a_small_model(tmp_path, rooms, monkeypatch):
    monkeypatch.setattr(Rooms, "seen", lambda self: _wide(self))
    result = await solve(
        TASK, settings_of(tmp_path, rule("Which action", action="stop", answer="x"))
    )
    assert result.status == "solved"
    assert "(what follows is left out)" in prompts(result.run)[0]


def _wide(place):
    from yunjue.domains import Observed

    return Observed("wall " * 20_000, "hall")


async def test_what_cannot_be_taken_back_waits_for_a_word(tmp_path, rooms):
    jump = rule("in the hall.*Which action", action="jump")
    with pytest.raises(Paused, match="nobody comes back from there"):
        await solve(TASK, settings_of(tmp_path, jump))
    assert rooms.made[0].done == []
    no = Decision(False, words="Walk instead.", by="person")
    walk = rule("Walk instead.*in the hall.*Which action", action="go", way="on")
    settings_of(tmp_path, walk, jump)
    result = await resume(newest(), {}, ask=lambda proposal: no)
    assert result.status == "solved"
    assert [action["action"] for action in rooms.made[-1].done] == ["go", "go", "stop"]


async def test_a_rule_allows_what_cannot_be_taken_back(tmp_path, rooms):
    jump = rule("in the hall.*Which action", action="jump")
    jump["times"] = 1
    await solve(TASK, settings_of(tmp_path, jump, approval=["allow action:jump"]))
    assert rooms.made[0].done[0] == {"action": "jump"}


async def test_a_run_that_ended_leaves_no_session_of_a_browser(tmp_path):
    kept = tmp_path / "web" / "session.json"

    class Room:
        async def start(self, task, files):
            return Observed("a room", "1")

        async def close(self):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text("{}")

    domain = Domain("web", "x", fits=lambda *_: True, environment=lambda place: Room())
    for ended in (False, True):
        stage = Stage(load_settings(), tmp_path, 4000, print)
        await stage.start(domain, "look", {})
        stage.ended = ended
        await stage.close()
        assert kept.exists() is not ended


async def test_the_sorts_of_an_action_s_arguments_are_told(tmp_path, rooms, monkeypatch):
    pair = closed({"room": {"type": "string"}, "floor": {"type": "integer"}})
    arguments = {"rooms": {"type": "array", "items": pair}, "dark": {"type": "boolean"}}
    kinds = [*Rooms.actions(None, None), ActionKind("map", "draw them", arguments)]
    monkeypatch.setattr(Rooms, "actions", lambda self, observed: kinds)
    result = await solve(TASK, settings_of(tmp_path))
    line = '{"action": "map", "rooms": [{"room": "...", "floor": number}], "dark": true|false}'
    assert line in prompts(result.run)[0]
