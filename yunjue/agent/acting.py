"""Solving a task by acting in its domain's environment, step by step.

Each node does one kind of thing: ``choose`` asks models, ``approve`` asks the user's rules or a
person, ``perform`` acts. What was chosen is in a checkpoint before it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.agent.routing import domain_of
from yunjue.agent.services import Services
from yunjue.agent.stage import step_from_json, step_to_json
from yunjue.agent.state import State
from yunjue.domains import Domain, Observed, Step
from yunjue.errors import ModelOutputInvalid, Paused
from yunjue.foreign import inline
from yunjue.strategies.proposing import asked
from yunjue.strategies.shape import Choice, Decision, Mind, Past
from yunjue.synthesis.schemas import closed

MAX_ROUNDS = 1
"""How often the critic sends the agent back to work."""
EFFECT = "environment"
SETTLED = closed({"why": {"type": "string", "maxLength": 160}, "done": {"type": "boolean"}})
NO_WORDS = "done"
"""The answer of a task that asks for none."""


async def enter(state: State, services: Services) -> dict[str, Any]:
    """Open the environment."""
    domain = _domain(state)
    files = {name: Path(path) for name, path in state["files"].items()}

    async def action() -> dict[str, Any]:
        return asdict(await services.stage.start(domain, state["task"], files))

    request = {"start": domain.name, "task": state["task"], "files": sorted(files)}
    observed = await services.effects.perform(EFFECT, request, action)
    services.events.emit("environment.entered", domain=domain.name, state=observed["state"])
    return {"episode": new_episode(observed)}


def new_episode(observed: Mapping[str, Any]) -> dict[str, Any]:
    """An episode that begins with ``observed``; plain JSON.

    ``past`` and ``choices`` have an entry for each action; ``pending`` is the choice to carry
    out next; ``over`` says that the agent has stopped, ``stuck`` that it knew no more.
    """
    return {
        "observed": observed,
        "past": [],
        "choices": [],
        "pending": None,
        "remark": "",
        "files": [],
        "reward": None,
        "over": False,
        "stuck": "",
    }


async def choose(state: State, services: Services) -> dict[str, Any]:
    """Choose the next action. A model that has no usable one left ends the episode."""
    services.meter.act()
    episode, domain = state["episode"], _domain(state)
    decision = _decision(state, services)
    mind = _mind(domain, services)
    try:
        choice = await services.stage.strategy(domain).choose(decision, mind)
    except ModelOutputInvalid as error:
        services.events.emit("warning", message=f"No action can be chosen: {error.message}")
        return {"episode": {**episode, "stuck": error.message}}
    risk = mind.risk(choice.action, decision.observed)
    services.events.emit(
        "action.chosen",
        number=decision.number,
        action=dict(choice.action),
        why=choice.why,
        risk=risk,
    )
    return {"episode": {**episode, "pending": {**choice.to_dict(), "risk": risk}, "remark": ""}}


async def approve(state: State, services: Services) -> dict[str, Any]:
    """Ask about an action that cannot be taken back."""
    pending = state["episode"]["pending"]
    if pending["risk"]:
        raise Paused(f"{pending['action']} waits for approval: {pending['risk']}.")
    return {}


async def perform(state: State, services: Services) -> dict[str, Any]:
    """Do the action that was chosen, and see what followed."""
    episode, domain = state["episode"], _domain(state)
    pending = episode["pending"]
    step = await _done(state, services, pending["action"])
    services.events.emit(
        "action.done",
        number=len(episode["past"]) + 1,
        action=pending["action"],
        error=step.error,
        change=step.change,
        files=list(step.files),
    )
    choice = Choice(pending["action"], pending["why"], pending["details"])
    choices = [*_choices(episode), choice]
    decision, mind = _decision(state, services), _mind(domain, services)
    await services.stage.strategy(domain).learn(decision, choices, step, mind)
    past = Past(choice.action, episode["observed"]["state"], step.error, step.change)
    after = {
        **episode,
        "observed": asdict(step.observed),
        "past": [*episode["past"], past.to_dict()],
        "choices": [each.to_dict() for each in choices],
        "pending": None,
        "files": [*episode["files"], *(f"{domain.name}/{name}" for name in step.files)],
        "reward": episode["reward"] if step.reward is None else step.reward,
        "over": step.answer is not None,
    }
    answered = {} if step.answer is None else {"draft": step.answer.strip() or NO_WORDS}
    return {"episode": after, **answered}


async def _done(state: State, services: Services, action: Mapping[str, Any]) -> Step:
    """What the action came to, done at most once whatever interrupts the run: that it is about
    to be done is recorded first."""
    episode, domain = state["episode"], _domain(state)
    number = len(episode["past"]) + 1
    request = {"number": number, "action": action, "state": episode["observed"]["state"]}
    fresh = False

    async def begin() -> dict[str, Any]:
        nonlocal fresh
        fresh = True
        return {}

    async def act() -> dict[str, Any]:
        done = [past["action"] for past in episode["past"]]
        last = Observed(**episode["observed"])
        return step_to_json(await services.stage.step(domain, action, done, last, fresh))

    await services.effects.perform(EFFECT, {"begin": request}, begin)
    return step_from_json(await services.effects.perform(EFFECT, {"step": request}, act))


async def conclude(state: State, services: Services) -> dict[str, Any]:
    """Whether the task is done: the domain's verifier says so, else the environment's reward,
    else the critic."""
    episode, domain = state["episode"], _domain(state)
    holds, why = await _verdict(state, services)
    services.events.emit(
        "critic.judged", round=state["rounds"], answered=holds, why=why, draft=state["draft"]
    )
    if not holds and not episode["stuck"] and state["rounds"] < MAX_ROUNDS:
        remark = f"The answer {state['draft'][:200]!r} was not accepted: {why}"
        again = {**episode, "over": False, "remark": remark}
        return {"status": "", "rounds": state["rounds"] + 1, "episode": again}
    strategy, mind = services.stage.strategy(domain), _mind(domain, services)
    await strategy.ended(_choices(episode), holds, mind)
    return {"status": "solved" if holds else "not_solved"}


async def _verdict(state: State, services: Services) -> tuple[bool, str]:
    episode, domain = state["episode"], _domain(state)
    if episode["stuck"]:
        return False, episode["stuck"]
    if domain.verify is not None:
        files = {name: Path(path) for name, path in state["files"].items()}
        judged = domain.verify(state["task"], state["draft"], files)
        return judged.holds, judged.why
    if episode["reward"] is not None:
        return episode["reward"] > 0, f"the environment's reward is {episode['reward']:g}"
    decision, mind = _decision(state, services), _mind(domain, services)
    answer = await asked(
        mind,
        "critic",
        "act_settle",
        decision,
        SETTLED,
        max_tokens=160,
        answer=inline(state["draft"], 1000),
    )
    return answer["done"], answer["why"]


def after_choose(state: State) -> str:
    return "conclude" if state["episode"]["stuck"] else "approve"


def after_approve(state: State) -> str:
    return "perform" if state["episode"]["pending"] else "choose"


def after_perform(state: State) -> str:
    return "conclude" if state["episode"]["over"] else "choose"


def after_conclude(state: State) -> str:
    return "integrator" if state["status"] else "choose"


def _domain(state: State) -> Domain:
    domain = domain_of(state)
    assert domain is not None, "the graph sends only tasks of a domain here"
    return domain


def _mind(domain: Domain, services: Services) -> Mind:
    environment = services.stage.environment(domain)
    return Mind(
        services.run,
        services.settings,
        services.gateway,
        services.events,
        services.effects,
        environment.actions,
        environment.risk,
    )


def _decision(state: State, services: Services) -> Decision:
    episode, domain = state["episode"], _domain(state)
    observed = Observed(**episode["observed"])
    return Decision(
        task=state["task"],
        observed=observed,
        actions=services.stage.environment(domain).actions(observed),
        past=[Past(**past) for past in episode["past"]],
        advice=domain.prompt,
        files=list(state["files"]),
        remark=episode["remark"],
    )


def _choices(episode: Mapping[str, Any]) -> Sequence[Choice]:
    return [Choice(**choice) for choice in episode["choices"]]
