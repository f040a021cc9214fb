"""Whether a call or an action may be done: by rule, by plugin, or by asking a person.

The decision is made in a node of its own, whose only effect is the decision: LangGraph runs a
node that was interrupted again from its start. What was decided about stands in a later node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yunjue import grants
from yunjue.agent.services import RECIPE, Services
from yunjue.agent.skill_use import given
from yunjue.agent.state import State
from yunjue.agent.views import elide, find_tool
from yunjue.approvals import (
    RULES_FILE,
    Decision,
    Proposal,
    Rule,
    exact,
    put_first,
    read_rules,
    ruling,
    wrong_inputs,
)
from yunjue.config import Settings, home
from yunjue.errors import Paused, UsageError
from yunjue.events import Event, Events
from yunjue.plugins import plugins
from yunjue.protocols import Effects
from yunjue.types import Tool

SUMMARY_CHARS = 600
SCRIPT = "run_script"
Ask = Callable[[Proposal], Decision]
"""Asks a person. Raises Paused when nobody answers."""


class Approvals:
    """Decides about the proposals of one run.

    Args:
        effects: keeps decisions, so that no question is asked twice and a replay decides alike.
        rules: what is decided without asking; None in a replay: all that it holds no
            decision about was allowed.
        waiting: what the run was paused for. A person who is there now is asked about it, even
            if rules have come to allow it: the answer may be no.
    """

    def __init__(
        self,
        effects: Effects,
        events: Events,
        rules: Sequence[Rule] | None,
        waiting: Proposal | None = None,
    ) -> None:
        self._waiting = waiting
        self._effects = effects
        self._events = events
        self._rules = None if rules is None else list(rules)

    async def decide(self, proposal: Proposal) -> Decision:
        """What is decided about ``proposal``. What a rule allows leaves no trace.

        To be called in a node that has done nothing yet: it interrupts the graph to ask.
        """
        request = {name: getattr(proposal, name) for name in ("call", "kind", "name")}
        request["inputs"] = dict(proposal.inputs)
        unasked = self._unasked(proposal)
        if unasked is ALLOWED and not self._effects.holds("approval", request):
            return ALLOWED

        async def action() -> dict[str, Any]:
            return unasked.to_dict() if unasked else _interrupted(proposal)

        decision = Decision(**await self._effects.perform("approval", request, action))
        told = {**proposal.to_dict(), "schema": {}}
        self._events.emit("approval.decided", proposal=told, decision=decision.to_dict())
        if decision.always and self._rules is not None:
            self._rules.insert(0, exact(proposal))
        return decision

    def _unasked(self, proposal: Proposal) -> Decision | None:
        """What rules and plugins say; None: a person is to be asked."""
        if self._rules is None:
            return ALLOWED
        rule = ruling(self._rules, proposal)
        if rule.verdict == "deny":
            return Decision(False, words="The user's rules do not allow it.", by=str(rule))
        if proposal == self._waiting:
            return None
        decided = plugins().approve(proposal)
        if decided is not None:
            return decided
        return ALLOWED if rule.verdict == "allow" else None


ALLOWED = Decision(True)


def _interrupted(proposal: Proposal) -> dict[str, Any]:
    from langgraph.types import interrupt

    return interrupt(proposal.to_dict())


def rules_of(settings: Settings) -> list[Rule]:
    """Those of the settings, then those of the home. Raises ConfigError."""
    return [*map(Rule.parse, settings.approval), *read_rules(home() / RULES_FILE)]


def waiting_of(earlier: Sequence[Event]) -> Proposal | None:
    """What the run of these events was paused for."""
    last = earlier[-1] if earlier else None
    paused = last is not None and last.kind == "run.paused"
    return Proposal.from_dict(last.data["proposal"]) if paused else None


def asked(proposal: Proposal, ask: Ask | None) -> dict[str, Any]:
    """The person's decision, for the node that waits for it; "always" becomes a rule of the
    home. About an action in an environment it holds for this run alone: a click says nothing of
    what is clicked on next week.

    Raises:
        Paused: there is nobody to ask.
        UsageError: the inputs that were given instead do not fit.
    """
    if ask is None:
        raise paused(proposal)
    decision = ask(proposal)
    if decision.inputs is not None and (wrong := wrong_inputs(proposal, decision.inputs)):
        raise UsageError(f"These inputs do not fit {proposal.name}: {wrong}.", hint="")
    if decision.approved and decision.always and proposal.kind == "tool":
        put_first(home() / RULES_FILE, exact(proposal))
    return decision.to_dict()


def paused(proposal: Proposal) -> Paused:
    return Paused(f"Your word is needed: {proposal.summary}", proposal=proposal.to_dict())


def nobody(proposal: Proposal) -> Decision:
    """Stands for the person where nobody can be asked, as in an evolution."""
    return Decision(False, words="It needs a person's word, and nobody is there.", by="nobody")


async def approve(state: State, services: Services) -> dict[str, Any]:
    """Decide about the pending call of a tool or a skill's script; a denied one becomes a step
    that failed."""
    action = state["pending"] or {}
    proposal = _pending(state, services, action)
    if proposal is None:
        return {}
    decision = await services.approvals.decide(proposal)
    if decision.approved and decision.inputs is None:
        return {}
    if decision.approved:
        return {"pending": {**action, "inputs": dict(decision.inputs)}}
    why = decision.words or "The user does not want it."
    step = {
        "tool": proposal.name,
        "inputs": dict(proposal.inputs),
        "status": "denied",
        "text": f"ERROR (not allowed): {elide(why, 300)}",
        "value": "",
        "free": False,
        "files": [],
    }
    denied = {"steps": [*state["steps"], step], "pending": None}
    if proposal.name == SCRIPT:  # else it alone would be offered again
        denied["skill"] = {**(state["skill"] or {}), "script": ""}
    return denied


def _pending(state: State, services: Services, action: Mapping[str, Any]) -> Proposal | None:
    """What is about to be done; None for what only looks something up."""
    if action["action"] == SCRIPT:
        return _of_script(state, action)
    tool = find_tool(state, action["tool"]) if action["action"] == "call" else None
    return proposed(tool, action["inputs"], state, services) if tool else None


def _of_script(state: State, action: Mapping[str, Any]) -> Proposal:
    """The run of a skill's script: it has no network and no secrets."""
    files = list(state["files"])
    reads = f"; may read {', '.join(files)}" if files else ""
    words = elide(" ".join(map(repr, action["args"])), SUMMARY_CHARS)
    of = (state["skill"] or {})["name"]
    return Proposal(
        kind="tool",
        name=SCRIPT,
        inputs=given(action),
        domain=state["domain"],
        permissions=("files",) if files else (),
        summary=f"{action['script']} {words} of the skill {of} runs in the sandbox{reads}",
        call=f"call-{len(state['steps']) + 1}",
    )


def proposed(tool: Tool, inputs: dict[str, Any], state: State, services: Services) -> Proposal:
    """The call of ``tool`` as a proposal."""
    permissions, places = needs(tool, state, services)
    shown = elide(", ".join(f"{name}={value!r}" for name, value in inputs.items()), SUMMARY_CHARS)
    return Proposal(
        kind="tool",
        name=tool.name,
        inputs=inputs,
        domain=state["domain"],
        permissions=permissions,
        summary=f"{tool.name}({shown}) {places}",
        schema=tool.input_schema,
        call=f"call-{len(state['steps']) + 1}",
    )


def needs(tool: Tool, state: State, services: Services) -> tuple[tuple[str, ...], str]:
    """The permissions a call of the tool needs, and where it runs with what, for a person."""
    if tool.source:
        return needs_of_code(tool.source, list(state["files"]))
    if RECIPE in tool.origin:
        return tuple(tool.origin["permissions"]), tool.origin["told"]
    return services.remote.permissions(tool)


def needs_of_code(source: str, files: Sequence[str] = ()) -> tuple[tuple[str, ...], str]:
    """The same of a tool's source, called with files of these names."""
    meta = grants.declared(source)
    network, secrets = meta.get("network") or [], meta.get("secrets") or []
    found = {
        "network": network and f"may reach {', '.join(map(str, network))}",
        "files": files and f"may read {', '.join(files)}",
        "secrets": secrets and f"is given {', '.join(map(str, secrets))}",
        "irreversible": meta.get("irreversible") and "says that it cannot be taken back",
    }
    permissions = tuple(name for name, told in found.items() if told)
    told = "; ".join(["runs in the sandbox", *(found[name] for name in permissions)])
    return permissions, told


def unattended(tool: Tool, inputs: Mapping[str, Any], rules: Sequence[Rule]) -> Decision:
    """What rules and plugins say of a call that nobody can be asked about. It may wait for a
    plugin."""
    permissions, told = needs_of_code(tool.source)
    proposal = Proposal(
        kind="tool",
        name=tool.name,
        inputs=inputs,
        permissions=permissions,
        summary=f"{tool.name} {told}",
        schema=tool.input_schema,
    )
    rule = ruling(rules, proposal)
    if rule.verdict == "deny":
        return Decision(False, words="The user's rules do not allow it.", by=str(rule))
    decided = plugins().approve(proposal)
    if decided is not None:
        return decided
    return ALLOWED if rule.verdict == "allow" else nobody(proposal)
