"""The critic: is the task answered?

An answer that verifiers of plugins do not let stand is not. One that is a tool's own result is
else taken as it is. One that had to be computed and
was not is a guess, and the run is not solved. Any other is judged by the model, which may
send the executor back, at most :data:`MAX_ROUNDS` times.
"""

from __future__ import annotations

from typing import Any

from yunjue.agent.domain_use import verified
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import step_line, task_messages
from yunjue.synthesis.schemas import closed

MAX_ROUNDS = 1


async def judge(state: State, services: Services) -> dict[str, Any]:
    """Accept the draft (status solved), send it back, or give up (not_solved)."""
    answered, why = await _verdict(state, services)
    checks = await verified(state, services) if answered else []
    failed = next((check for check in checks if not check["holds"]), None)
    if failed is not None:
        answered, why = False, failed["why"] or f"{failed['by']} says that it does not hold"
    told = {"checks": checks} if checks else {}
    services.events.emit(
        "critic.judged",
        round=state["rounds"],
        answered=answered,
        why=why,
        draft=state["draft"],
        **told,
    )
    if answered:
        return {"status": "solved", "checks": checks}
    if state["rounds"] >= MAX_ROUNDS or nothing_computed(state):
        return {"status": "not_solved", "checks": checks}
    return {
        "status": "",
        "rounds": state["rounds"] + 1,
        "remark": f"The answer {state['draft'][:200]!r} was not accepted: {why}",
    }


async def _verdict(state: State, services: Services) -> tuple[bool, str]:
    if not state["draft"]:
        return False, "the answer is empty"
    if state["grounded"]:
        return True, "it is a tool's result"
    if nothing_computed(state):
        return False, "it had to be computed, and no tool computed anything"
    steps = [step_line(step) for step in state["steps"]]
    schema = closed({"answered": {"type": "boolean"}, "why": {"type": "string", "maxLength": 120}})
    messages = task_messages(state, "critic", steps=steps, draft=state["draft"][:2000])
    answer = await services.gateway.ask_json("critic", messages, schema, max_tokens=120)
    return answer["answered"], answer["why"]


def nothing_computed(state: State) -> bool:
    """An exact answer from a model's head is a guess, whatever the model thinks of it."""
    return state["computes"] and not any(step["status"] == "ok" for step in state["steps"])
