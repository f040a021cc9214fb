"""Solving a task by acting in its domain's environment, step by step.

Each node does one kind of thing: ``choose`` asks models, ``permit`` asks the user's rules or a
person, ``perform`` acts. What was chosen is in a checkpoint before it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from yunjue.agent.domain_use import domain_of, verified
from yunjue.agent.services import Services
from yunjue.agent.stage import step_from_json, step_to_json
from yunjue.agent.state import State
from yunjue.approvals import Proposal
from yunjue.domains import OTHERWISE, ActionKind, Domain, Observed, Step
from yunjue.errors import ModelOutputInvalid
from yunjue.files import as_paths
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
    files = as_paths(state["files"])

    async def action() -> dict[str, Any]:
        return asdict(await services.stage.start(domain, state["task"], files))

    request = {"start": domain.name, "task": state["task"], "files": sorted(files)}
    observed = await services.effects.perform(EFFECT, request, action)
    services.events.emit("environment.entered", domain=domain.name, state=observed["state"])
    return {"episode": new_episode(observed)}


def new_episode(observed: Mapping[str, Any]) -> dict[str, Any]:
    """An episode that begins with ``observed``; plain JSON.

    ``past`` and ``choices`` have an entry for each action; ``pending`` is the choice to carry
    out next; ``over`` says that the agent has stopped, ``final`` that it cannot go back, ``stuck``
    that it knew no more.
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
        "final": False,
        "stuck": "",
    }


async def choose(state: State, services: Services) -> dict[str, Any]:
    """Choose the next action. If the model has no usable one left, that which the environment
    names for this is taken; if it names none, the episode ends."""
    services.meter.act()
    episode, domain = state["episode"], _domain(state)
    decision = _decision(state, services)
    mind = _mind(domain, services)
    try:
        choice = await services.stage.strategy(domain).choose(decision, mind)
    except ModelOutputInvalid as error:
        services.events.emit("warning", message=f"No action can be chosen: {error.message}")
        otherwise = _otherwise(decision)
        if otherwise is None:
            return {"episode": {**episode, "stuck": error.message}}
        choice = Choice(otherwise, "the model chose no other", {})
    risk = mind.risk(choice.action, decision.observed)
    services.events.emit(
        "action.chosen",
        number=decision.number,
        action=dict(choice.action),
        why=choice.why,
        risk=risk,
    )
    return {"episode": {**episode, "pending": {**choice.to_dict(), "risk": risk}, "remark": ""}}


def _otherwise(decision: Decision) -> Mapping[str, Any] | None:
    """The action to take when the model chooses none, if there is one that can be done and was
    not taken in this state before."""
    action = decision.observed.details.get(OTHERWISE)
    names = [kind.name for kind in decision.actions]
    if not isinstance(action, dict) or action.get("action") not in names:
        return None
    return None if action in [one.action for one in decision.here] else action


async def permit(state: State, services: Services) -> dict[str, Any]:
    """Decide whether the chosen action may be done: by the user's rules, or by asking. One that
    is denied becomes a part of the history, as if it had failed."""
    episode, domain = state["episode"], _domain(state)
    pending = episode["pending"]
    kinds = services.stage.environment(domain).actions(Observed(**episode["observed"]))
    decision = await services.approvals.decide(_proposal(state, pending, kinds))
    if decision.approved and decision.inputs is None:
        return {}
    if decision.approved:
        action = {"action": pending["action"]["action"], **decision.inputs}
        return {"episode": {**episode, "pending": {**pending, "action": action}}}
    why = f"Not allowed: {decision.words or 'the user does not want it.'}"
    past = Past(pending["action"], episode["observed"]["state"], why)
    return {
        "episode": {
            **episode,
            "past": [*episode["past"], past.to_dict()],
            "choices": [*episode["choices"], _chosen(pending).to_dict()],
            "pending": None,
        }
    }


def _proposal(state: State, pending: Mapping[str, Any], kinds: Sequence[ActionKind]) -> Proposal:
    action = dict(pending["action"])
    name = action.pop("action")
    risk = pending["risk"]
    kind = next((one for one in kinds if one.name == name), None)
    shown = inline(", ".join(f"{key}={value!r}" for key, value in action.items()), 300)
    return Proposal(
        kind="environment",
        name=name,
        inputs=action,
        domain=state["domain"],
        permissions=("irreversible",) if risk else (),
        summary=f"{name}({shown})" + (f": {inline(risk, 300)}" if risk else ""),
        schema=closed(dict(kind.arguments)) if kind else {},
        call=f"action-{len(state['episode']['past']) + 1}",
    )


def _chosen(pending: Mapping[str, Any]) -> Choice:
    return Choice(pending["action"], pending["why"], pending["details"])


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
    choice = _chosen(pending)
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
        "final": step.final,
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
    """Whether the task is done: verifiers say so, else the environment's reward, else the
    critic."""
    episode, domain = state["episode"], _domain(state)
    checks = [] if episode["stuck"] else await verified(state, services)
    holds, why = await _verdict(state, services, checks)
    told = {"checks": checks} if checks else {}
    services.events.emit(
        "critic.judged",
        round=state["rounds"],
        answered=holds,
        why=why,
        draft=state["draft"],
        **told,
    )
    if not holds and not _ended_for_good(episode) and state["rounds"] < MAX_ROUNDS:
        remark = f"The answer {state['draft'][:200]!r} was not accepted: {why}"
        again = {**episode, "over": False, "remark": remark}
        return {"status": "", "rounds": state["rounds"] + 1, "episode": again}
    strategy, mind = services.stage.strategy(domain), _mind(domain, services)
    await strategy.ended(_choices(episode), holds, mind)
    return {"status": "solved" if holds else "not_solved", "checks": checks}


def _ended_for_good(episode: Mapping[str, Any]) -> bool:
    return bool(episode["stuck"] or episode.get("final"))


async def _verdict(
    state: State, services: Services, checks: Sequence[Mapping[str, Any]]
) -> tuple[bool, str]:
    episode, domain = state["episode"], _domain(state)
    if episode["stuck"]:
        return False, episode["stuck"]
    for check in checks:
        if not check["holds"]:
            return False, check["why"] or f"{check['by']} says that it does not hold"
    if any(check["by"] == domain.name for check in checks):
        return True, f"{domain.name} says that it holds"
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
    return "conclude" if state["episode"]["stuck"] else "permit"


def after_permit(state: State) -> str:
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
        tokens=domain.action_tokens,
    )


def _choices(episode: Mapping[str, Any]) -> Sequence[Choice]:
    return [Choice(**choice) for choice in episode["choices"]]
