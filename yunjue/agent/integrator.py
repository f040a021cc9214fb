"""The integrator: the answer the user sees."""

from __future__ import annotations

from typing import Any

from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import step_line, task_messages
from yunjue.synthesis.schemas import closed


async def integrate(state: State, services: Services) -> dict[str, Any]:
    """One tool's result is the answer to the letter, and needs no model, which could
    miscopy it; an answer from several results is written anew from them."""
    answer = state["draft"]
    succeeded = [step for step in state["steps"] if step["status"] == "ok"]
    if not state["grounded"] and len(succeeded) > 1:
        steps = [step_line(step) for step in succeeded]
        schema = closed({"answer": {"type": "string", "maxLength": 4000}})
        messages = task_messages(state, "integrate", steps=steps)
        reply = await services.gateway.ask_json("integrator", messages, schema, max_tokens=1200)
        answer = reply["answer"].strip() or answer
    services.events.emit("run.answered", answer=answer, status=state["status"])
    return {"answer": answer}
