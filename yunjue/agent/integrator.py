"""The integrator: the answer the user sees."""

from __future__ import annotations

from typing import Any

from yunjue.agent.form import part_of, says_more, says_same
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import step_line, task_messages
from yunjue.synthesis.schemas import closed


async def integrate(state: State, services: Services) -> dict[str, Any]:
    """A tool's text is the answer to the letter, and needs no model, which could miscopy it.
    A broken number or a list is written in the form the task asks for, if that says the
    same; of what a domain's tool gives in several parts the one that is asked for is
    taken. An answer from several results is written anew from them."""
    answer = state["draft"]
    succeeded = [step for step in state["steps"] if step["status"] == "ok"]
    if state["grounded"]:
        source = next((step for step in reversed(succeeded) if step["value"] == answer), None)
        if source and source["free"]:
            written = await _written(state, services, [source])
            answer = written if says_same(written, answer) else answer
        elif source and state["domain"] and says_more(answer):
            written = await _written(state, services, [source])
            same = says_same(written, answer) or part_of(written, answer)
            answer = written if same else answer
    elif len(succeeded) > 1:
        answer = await _written(state, services, succeeded) or answer
    services.events.emit("run.answered", answer=answer, status=state["status"])
    return {"answer": answer}


async def _written(state: State, services: Services, steps: list[dict[str, Any]]) -> str:
    """The answer as the model writes it from these steps."""
    schema = closed({"answer": {"type": "string", "maxLength": 4000}})
    messages = task_messages(state, "integrate", steps=[step_line(step) for step in steps])
    reply = await services.gateway.ask_json("integrator", messages, schema, max_tokens=1200)
    return reply["answer"].strip()
