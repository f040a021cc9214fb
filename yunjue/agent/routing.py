"""Which domain a task goes to: the user's word, else the manager's, else none."""

from __future__ import annotations

from typing import Any

from yunjue.agent.domain_use import domain_of, named, prepared
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import task_messages
from yunjue.domains import Domain
from yunjue.plugin_guard import Misbehaved, guarded
from yunjue.plugins import plugins
from yunjue.synthesis.schemas import closed

AUTO, NONE = "auto", "none"

__all__ = ["domain_of", "named", "route"]


async def route(state: State, services: Services) -> dict[str, Any]:
    """Choose the domain, and prepare what it brings."""
    chosen = await _chosen(state, services)
    return {"domain": chosen, **await prepared(state, services, named(chosen) if chosen else None)}


async def _chosen(state: State, services: Services) -> str:
    """The domain's name, "" for none. The manager is asked only about domains that say they
    may fit, so a task that none of them claims costs nothing."""
    wanted = services.settings.domain
    if wanted == NONE:
        return ""
    if wanted != AUTO:
        chosen, asked = named(wanted).name, []
    else:
        asked = [
            domain for domain in plugins().domains().values() if _may_fit(domain, state, services)
        ]
        chosen = await _asked(state, services, asked) if asked else ""
    if chosen or asked:
        services.events.emit(
            "domain.chosen", domain=chosen, offered=[domain.name for domain in asked]
        )
    return chosen


def _may_fit(domain: Domain, state: State, services: Services) -> bool:
    try:
        with guarded():
            return bool(domain.fits(state["task"], list(state["files"])))
    except Misbehaved as problem:
        message = f"The domain {domain.name} is passed over: {problem}."
        services.events.emit("warning", message=message)
        return False


async def _asked(state: State, services: Services, domains: list[Domain]) -> str:
    schema = closed({"domain": {"enum": [*(domain.name for domain in domains), NONE]}})
    messages = task_messages(state, "domain", domains=domains)
    answer = await services.gateway.ask_json("manager", messages, schema, max_tokens=30)
    return "" if answer["domain"] == NONE else answer["domain"]
