"""Runs that need a person's word: asked, paused, resumed, replayed."""

from __future__ import annotations

import pytest
import story

from yunjue.agent.approval import asked
from yunjue.agent.replay import replay
from yunjue.agent.run import CHECKPOINTS, resume, runs, seconds_of, solve, with_flags
from yunjue.approvals import Decision, Proposal
from yunjue.cli.asking import decided, waiting_proposal
from yunjue.errors import Paused, UsageError
from yunjue.events import Event
from yunjue.hookspecs import hookimpl
from yunjue.plugins import plugins
from yunjue.traces.trace import read_trace

pytestmark = pytest.mark.usefixtures("shared_base")

ASK = {"approval": ["ask reverse_*"]}


def path_of(run):
    return runs().directory / run / "trace.jsonl"


def data(run, kind):
    return [event.data for event in read_trace(path_of(run)) if event.kind == kind]


def decision(run):
    (found,) = data(run, "approval.decided")
    return found["decision"]


async def paused_run(settings):
    with pytest.raises(Paused) as stopped:
        await solve(story.TASK, settings)
    (run,) = runs().names()
    assert runs().summary(run).status == "paused"
    assert f"yunjue resume {run} --decide approve" in stopped.value.hint
    assert "reverse_text(text='cedar') runs in the sandbox" in stopped.value.message
    assert data(run, "tool.called") == []
    return run


def answer(run, decide, words=None, inputs=None):
    return decided(decide, words, inputs, waiting_proposal(run), None)


async def test_a_run_pauses_without_a_terminal_and_takes_the_decision_later(tmp_path, own_home):
    run = await paused_run(story.story_settings(tmp_path, ASK))
    with pytest.raises(Paused):
        await resume(run, {})
    done = await resume(run, {}, ask=answer(run, "always"))
    assert (done.answer, done.tool_calls) == ("radec", 1)
    assert decision(run)["by"] == "person"
    assert '"allow tool:reverse_text"' in (own_home / "approval.toml").read_text()
    again = await replay(path_of(run), story.story_settings(tmp_path))
    assert again.differences == []
    with pytest.raises(UsageError, match="waits for no decision"):
        waiting_proposal(run)


async def test_edited_inputs_are_checked_and_used(tmp_path):
    run = await paused_run(story.story_settings(tmp_path, ASK))
    with pytest.raises(UsageError, match="no input 'word'"):
        await resume(run, {}, ask=answer(run, "approve", inputs='{"word": "amber"}'))
    with pytest.raises(Paused):
        await resume(run, {})
    done = await resume(run, {}, ask=answer(run, "approve", inputs='{"text": "amber"}'))
    assert done.answer == "rebma"
    assert data(run, "tool.called")[0]["inputs"] == {"text": "amber"}
    assert (await replay(path_of(run), story.story_settings(tmp_path))).differences == []


async def test_a_rejected_call_is_an_error_for_the_model_with_the_users_words(tmp_path):
    told = {"when": "not allowed.*say it aloud", "reply": {"action": "answer", "text": "no"}}
    refused = {"when": "Proposed answer", "reply": {"answered": False, "why": "no"}}
    settings = story.story_settings(tmp_path, ASK, first=[told, refused])
    run = await paused_run(settings)
    done = await resume(run, {}, ask=answer(run, "reject", "say it aloud"))
    assert (done.status, done.tools_used, done.tool_calls) == ("not_solved", [], 0)
    assert data(run, "tool.called") == []
    assert (await replay(path_of(run), story.story_settings(tmp_path))).differences == []


async def test_rules_of_a_resumed_run_go_before_its_own_and_replace_none(tmp_path):
    run = await paused_run(story.story_settings(tmp_path, ASK))
    with pytest.raises(Paused):
        await resume(run, {"approval": ["allow other_*"]})
    assert (await resume(run, {"approval": ["allow reverse_*"]})).answer == "radec"


def test_what_a_run_is_resumed_with_is_added_to_what_it_was_granted():
    had = {"allow_net": ["a.example"], "max_tokens": 5, "model": "m"}
    given = {"allow_net": ["b.example"], "web_secrets": ["K=https://c.example"], "max_tokens": 9}
    assert with_flags(had, {**given, "model": None}) == {
        "allow_net": ["b.example", "a.example"],
        "web_secrets": ["K=https://c.example"],
        "max_tokens": 9,
        "model": "m",
    }


async def test_lost_checkpoints_ask_nothing_twice(tmp_path):
    run = await paused_run(story.story_settings(tmp_path, ASK))
    for file in path_of(run).parent.glob(f"{CHECKPOINTS}*"):
        file.unlink()
    done = await resume(run, {}, ask=answer(run, "approve"))
    assert done.answer == "radec"


async def test_rules_and_plugins_decide_without_asking(tmp_path):
    class Guard:
        @hookimpl
        def approve_call(self, proposal):
            return Decision(True, by="guard") if proposal.name == "reverse_text" else None

    guard = Guard()
    plugins().manager.register(guard, name="guard")
    try:
        allowed = await solve(story.TASK, story.story_settings(tmp_path, ASK))
        assert allowed.answer == "radec" and decision(allowed.run)["by"] == "guard"
        wrong = {"action": "answer", "text": "no"}
        denying = story.story_settings(tmp_path, {"approval": ["deny reverse_*"]}, next=wrong)
        denied = await solve(story.TASK, denying)
    finally:
        plugins().manager.unregister(guard)
    assert denied.tools_used == []
    assert decision(denied.run)["by"] == "deny reverse_*"


async def test_a_run_without_rules_holds_no_word_of_approval(tmp_path):
    done = await solve(story.TASK, story.story_settings(tmp_path))
    assert data(done.run, "approval.decided") == []
    assert all(effect["effect"] != "approval" for effect in data(done.run, "effect"))


async def test_a_decision_goes_for_the_proposal_that_was_shown(tmp_path):
    run = await paused_run(story.story_settings(tmp_path, ASK))
    from dataclasses import replace

    shown = replace(waiting_proposal(run), inputs={"text": "other"})
    with pytest.raises(Paused):
        await resume(run, {}, ask=decided("approve", None, None, shown, None))


def test_the_time_in_which_a_person_thinks_does_not_count():
    kinds = [("run.started", 0), ("approval.asked", 5), ("approval.decided", 65), ("effect", 70)]
    assert seconds_of([Event(kind, {}, time) for kind, time in kinds]) == 10


def test_always_about_an_action_makes_no_lasting_rule(own_home):
    click = Proposal("environment", "click", {"target": 3}, domain="web")
    given = asked(click, lambda proposal: Decision(True, by="person", always=True))
    assert given["approved"] and not (own_home / "approval.toml").exists()
