"""Which domain a task goes to: the user's word, else the manager's, else none."""

from __future__ import annotations

from typing import Any

from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import task_messages
from yunjue.domains import Domain
from yunjue.errors import UsageError
from yunjue.plugins import plugins
from yunjue.synthesis.schemas import closed

AUTO, NONE = "auto", "none"


def domain_of(state: State) -> Domain | None:
    """The domain that the task was sent to; None for the plain agent.

    Raises:
        UsageError: no plugin offers it any more.
    """
    return named(state["domain"]) if state["domain"] else None


def named(name: str) -> Domain:
    """The domain called ``name``.

    Raises:
        UsageError: there is none; says which there are.
    """
    domains = plugins().domains()
    if name not in domains:
        known = ", ".join(sorted(domains)) or "none"
        raise UsageError(
            f"There is no domain {name!r}; there are: {known}.",
            hint="`yunjue plugins list` shows what is loaded; --domain none does without.",
        )
    return domains[name]


async def route(state: State, services: Services) -> dict[str, Any]:
    """Choose the domain. The manager is asked only about domains that say they may fit, so
    a task that none of them claims costs nothing."""
    wanted = services.settings.domain
    if wanted == NONE:
        return {"domain": ""}
    if wanted != AUTO:
        chosen, asked = named(wanted).name, []
    else:
        asked = [
            domain
            for domain in plugins().domains().values()
            if domain.fits(state["task"], list(state["files"]))
        ]
        chosen = await _asked(state, services, asked) if asked else ""
    if chosen or asked:
        services.events.emit(
            "domain.chosen", domain=chosen, offered=[domain.name for domain in asked]
        )
    return {"domain": chosen}


async def _asked(state: State, services: Services, domains: list[Domain]) -> str:
    schema = closed({"domain": {"enum": [*(domain.name for domain in domains), NONE]}})
    messages = task_messages(state, "domain", domains=domains)
    answer = await services.gateway.ask_json("manager", messages, schema, max_tokens=30)
    return "" if answer["domain"] == NONE else answer["domain"]
