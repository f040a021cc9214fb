"""The last resort of a task for which no tool could be proven: candidates of it are run on the
task's own inputs, and what most of them say is told as a guess. The run stays not solved, and
nothing enters the library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from yunjue.agent import skill_use
from yunjue.agent.critic import nothing_computed
from yunjue.agent.form import is_free
from yunjue.agent.manager import specify
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import call_schema, input_descriptions, show_value, task_messages
from yunjue.concurrency import together
from yunjue.errors import ModelOutputInvalid
from yunjue.files import as_paths
from yunjue.grants import call_of
from yunjue.hashing import canonical_json
from yunjue.types import CallOutcome, Tool


def may_guess(state: State, services: Services) -> bool:
    """Whether the run ends without an answer for want of a tool, and may guess: not where no
    code is to be written."""
    settings = services.settings
    allowed = settings.guess and settings.max_new_tools > 0 and skill_use.may_make(state)
    wanting = state["status"] == "not_solved" and bool(state["refused"])
    return allowed and wanting and nothing_computed(state)


async def guess(state: State, services: Services) -> dict[str, Any]:
    """Run the candidates on the inputs of the task; the draft is what most of them say."""
    try:
        sketches = await _sketches(state, services)
        if not sketches:
            return {}
        inputs = await _inputs(state, services, sketches[0])
    except ModelOutputInvalid as error:
        services.events.emit("warning", message=f"Nothing can be guessed: {error.message}")
        return {}
    outcomes = await together(*(_tried(tool, inputs, state, services) for tool in sketches))
    results = [one.output for one in outcomes if one.status == "ok"]
    if not results:
        return {}
    told = [canonical_json(result) for result in results]
    most, agree = Counter(told).most_common(1)[0]  # of equals the first, which is the best
    result = results[told.index(most)]
    value = show_value(result)
    step = {
        "tool": sketches[0].name,
        "inputs": inputs,
        "status": "ok",
        "text": value,
        "value": value,
        "free": is_free(result),
        "files": [],
        "unproven": True,
    }
    count = {"agree": agree, "of": len(sketches)}
    services.events.emit(
        "answer.guessed", name=sketches[0].name, inputs=inputs, value=value, **count
    )
    steps = [*state["steps"], step]
    return {"draft": value, "grounded": True, "steps": steps, "guessed": count}


async def _sketches(state: State, services: Services) -> Sequence[Tool]:
    """Those of the tool that was refused; where it was not tried, because it was refused
    lately, a few are written."""
    if kept := state.get("sketches"):
        return [Tool(**tool) for tool in kept]
    spec = await specify(state, services, "")
    if isinstance(spec, Tool):
        return []
    procedure = skill_use.procedure(state)
    return await services.synthesizer.sketch(spec, state["task"], state["files"], procedure)


async def _inputs(state: State, services: Services, tool: Tool) -> dict[str, Any]:
    views = [{"name": tool.name, "inputs": input_descriptions(tool)}]
    messages = task_messages(state, "call", chosen=views, steps=[])
    schema = {"anyOf": [call_schema(tool)]}
    answer = await services.gateway.ask_json("executor", messages, schema, max_tokens=1500)
    return answer["inputs"]


async def _tried(
    tool: Tool, inputs: dict[str, Any], state: State, services: Services
) -> CallOutcome:
    files = as_paths(state["files"])
    job = replace(call_of(tool, inputs, services.settings), files=files)
    return (await services.sandbox.call(job))[0]
