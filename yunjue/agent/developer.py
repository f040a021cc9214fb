"""The developer: has missing tools made, several at once, and keeps what is admitted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.agent import skill_use
from yunjue.agent.manager import no_tool, specify
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.concurrency import together
from yunjue.errors import ModelOutputInvalid, NameTaken
from yunjue.limits import Spent
from yunjue.types import Tool, Verdict


async def develop(state: State, services: Services) -> dict[str, Any]:
    """Make a tool for each need; a need that cannot be met is told to the executor."""
    allowed = max(0, services.settings.max_new_tools - len(state["made"]))
    why_not = "no more tools may be made for this task"
    if not skill_use.may_make(state):
        allowed, why_not = 0, f"the skill {state['skill']['name']} allows no new tools"
    needs, dropped = state["needs"][:allowed], state["needs"][allowed:]
    results = await together(*(_make(state, services, need) for need in needs))
    # Two needs may come to the same tool.
    tools = list({result.name: result for result in results if isinstance(result, Tool)}.values())
    failed = [result for result in results if isinstance(result, Unmade)]
    refused = [one.why for one in failed] + [f"{why_not}: {need}" for need in dropped]
    sketches = next((one.sketches for one in failed if one.sketches), ())
    names = [tool.name for tool in tools]
    others = [tool for tool in state["tools"] if tool["name"] not in names]
    return {
        "tools": [tool.model_dump() for tool in tools] + others,
        "chosen": list(dict.fromkeys([*state["chosen"], *names])),
        "made": state["made"] + [t.name for t in tools if t.origin.get("run") == services.run],
        "refused": state["refused"] + refused,
        "sketches": [tool.model_dump() for tool in sketches] or state.get("sketches", []),
        "needs": [],
        "remark": no_tool(refused),
    }


@dataclass(frozen=True, slots=True)
class Unmade:
    """Why there is no new tool, and the candidates of which nothing could be proven."""

    why: str
    sketches: Sequence[Tool] = ()


async def _make(state: State, services: Services, need: str) -> Tool | Unmade:
    with services.meter.tally() as spent:
        started = time.monotonic()
        try:
            spec = await specify(state, services, need)
        except ModelOutputInvalid as error:
            services.events.emit("tool.refused", name="", why=error.message)
            return Unmade(error.message)
        if isinstance(spec, Tool):
            return spec
        model = services.gateway.model_name("author")
        why, sketches = await services.pass_over(spec.name), ()
        if not why:
            origin = {
                "run": services.run,
                "task": state["task"][:500],
                "need": need,
                "model": model,
            }
            if state["domain"]:
                origin["domain"] = state["domain"]
            synthesis = await services.synthesizer.make(
                spec, need or state["task"], origin, state["files"], skill_use.procedure(state)
            )
            if synthesis.tool is not None and synthesis.verdict is not None:
                cost = _cost(spent, time.monotonic() - started)
                return _keep(services, _with_origin(synthesis.tool, cost=cost), synthesis.verdict)
            why, sketches = synthesis.refusal, synthesis.sketches
            services.library.refuse(spec.name, model, why, services.run)
        return Unmade(f"{spec.signature()}: {why}", sketches)


def _cost(spent: Spent, seconds: float) -> dict[str, float]:
    """What the making of one tool took, candidates that failed included. Seconds are of this
    sitting: what a resumed run had finished earlier takes none again."""
    return {
        "tokens": spent.tokens,
        "cost_usd": round(spent.cost_usd, 6),
        "seconds": round(seconds, 3),
    }


def _with_origin(tool: Tool, **more: Any) -> Tool:
    return tool.model_copy(update={"origin": {**tool.origin, **more}})


def _keep(services: Services, tool: Tool, verdict: Verdict) -> Tool:
    """Add the tool to the library."""
    try:
        services.library.add(tool, verdict)
        services.library.forget_refusals([tool.name])
        kept = True
    except NameTaken as error:
        # Another process took the name meanwhile: this run may use the tool, not keep it.
        services.events.emit("warning", message=f"{tool.name} is not kept: {error.message}")
        kept = False
    services.events.emit(
        "tool.admitted",
        name=tool.name,
        id=tool.id,
        signature=tool.signature,
        kept=kept,
        verdict=verdict.model_dump(),
    )
    return tool
