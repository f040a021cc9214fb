"""The executor: reason and act (ReAct) with the tools at hand, one decision a step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from yunjue.agent import skill_use
from yunjue.agent.form import is_free
from yunjue.agent.grounding import made_up
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import (
    call_schema,
    find_tool,
    input_descriptions,
    outcome_text,
    show_value,
    step_line,
    task_messages,
)
from yunjue.errors import ModelOutputInvalid
from yunjue.synthesis.schemas import closed
from yunjue.types import Tool

SHOWN_STEPS = 6
MAX_SEARCHES = 2
MENDINGS = 2
"""How often a call that a domain's tool refused is written anew before anything else is tried."""


async def decide_step(state: State, services: Services) -> dict[str, Any]:
    """Ask for the next action. It is carried out in another node, so that a resumed run
    never repeats an effect that was finished."""
    services.meter.step()
    chosen = [tool for name in state["chosen"] if (tool := find_tool(state, name))]
    if chosen:
        action = await _first_call(state, services, chosen)
    else:
        action = await _next_action(state, services)
    services.events.emit("executor.acted", step=services.meter.spent.steps, **action)
    return {"chosen": [], "remark": "", **_consequence(state, action)}


async def _first_call(state: State, services: Services, chosen: list[Tool]) -> dict[str, Any]:
    """The manager chose tools: only the inputs are asked for. Small models are weak at
    not calling a tool, and better the fewer they see. If they have to make up the inputs,
    the tool does not fit, and one that does is made."""
    views = [{"name": tool.name, "inputs": input_descriptions(tool)} for tool in chosen]
    messages = task_messages(state, "call", chosen=views, steps=_history(state))
    schema = {"anyOf": [call_schema(tool) for tool in chosen]}
    answer = await services.gateway.ask_json("executor", messages, schema, max_tokens=1500)
    sources = [state["task"], *state["files"], *(step["text"] for step in state["steps"])]
    sources += skill_use.words(state)
    if answer["tool"] not in state["made"] and made_up(answer["inputs"], sources):
        return {"action": "misfit", **answer}
    return {"action": "call", **answer}


async def _next_action(state: State, services: Services) -> dict[str, Any]:
    if to_mend(state) and (tool := find_tool(state, state["steps"][-1]["tool"])):
        try:
            return await _ask(state, services, ["call"], [tool], check=partial(_refused, state))
        except ModelOutputInvalid as error:
            services.events.emit("warning", message=f"No other call was written: {error.message}")
    offered = offered_actions(state, services.settings.max_new_tools, bool(services.experience))
    return await _ask(state, services, offered, [Tool(**tool) for tool in state["tools"]])


async def _ask(
    state: State, services: Services, offered: list[str], tools: list[Tool], **more: Any
) -> dict[str, Any]:
    messages = task_messages(
        state,
        "next",
        steps=_history(state),
        remark=state["remark"],
        offered=offered,
    )
    schema = action_schema(tools, offered, state)
    return await services.gateway.ask_json("executor", messages, schema, max_tokens=1200, **more)


def _refused(state: State, action: Mapping[str, Any]) -> str:
    """What is wrong with a call that was refused before; "" if it is another one. A small model
    likes to write the same again."""
    wrong = [step["inputs"] for step in state["steps"] if step["status"] == "input_error"]
    same = "This very call was refused: write another, that does what the error says."
    return same if action["inputs"] in wrong else ""


def to_mend(state: State) -> bool:
    """Whether, in a domain's run, a tool refused its inputs just now: it said what is wrong with
    them, and a small model with a choice looks elsewhere. It has :data:`MENDINGS` tries."""
    last = [step["status"] for step in state["steps"][-MENDINGS - 1 :]]
    given_up = last == ["input_error"] * (MENDINGS + 1)
    wrong = last[-1:] == ["input_error"] and not state["remark"]
    return bool(state["domain"]) and wrong and not given_up


def _history(state: State) -> list[str]:
    return [step_line(step) for step in state["steps"][-SHOWN_STEPS:]]


def offered_actions(state: State, max_new_tools: int, principles: bool = False) -> list[str]:
    """What the executor may do now. What cannot help is not offered: a small model that
    may search again does so for ever."""
    if (state.get("skill") or {}).get("script"):
        return skill_use.actions(state)
    offered = ["answer", *skill_use.actions(state)]
    fresh = not (state["steps"] or state["refused"] or state["rounds"] or state["computes"])
    if fresh and not state["tools"]:
        return offered  # the manager said that nothing is to be computed
    if state["steps"] and state["steps"][-1]["status"] == "ok":
        offered.insert(0, "finish")
    if state["tools"]:
        offered.append("call")
    if state["searches"] < MAX_SEARCHES:
        offered.append("search_tools")
        if principles:
            offered.append("search_principles")
    may_make = not state["refused"] and skill_use.may_make(state)
    if may_make and len(state["made"]) < max_new_tools:
        offered.append("request_tools")
    return offered


def action_schema(tools: list[Tool], offered: list[str], state: State) -> dict[str, Any]:
    """What the executor may answer when ``offered`` are its actions."""
    short = {"type": "string", "maxLength": 300}
    members: dict[str, dict[str, Any]] = {
        "finish": {},
        "answer": {"text": {"type": "string", "maxLength": 4000}},
        "search_tools": {"query": short},
        "search_principles": {"query": short},
        "request_tools": {"needs": {"type": "array", "items": short, "minItems": 1, "maxItems": 3}},
        **skill_use.members(state),
    }
    options = [
        closed({"action": {"const": name}, **members[name]}) for name in offered if name != "call"
    ]
    if "call" in offered:
        options += [call_schema(tool, action={"const": "call"}) for tool in tools]
    return {"anyOf": options}


def _consequence(state: State, action: dict[str, Any]) -> dict[str, Any]:
    kind = action["action"]
    if kind == "finish":
        return _finish(state)
    if kind == "answer":
        text = action["text"].strip()
        grounded = any(step["status"] == "ok" and step["text"] == text for step in state["steps"])
        return {"draft": text, "grounded": grounded, "pending": None}
    if kind == "request_tools":
        return {"needs": list(dict.fromkeys(action["needs"])), "pending": None}
    if kind == "misfit":
        others = [tool for tool in state["tools"] if tool["name"] != action["tool"]]
        return {"tools": others, "needs": [""], "pending": None}
    if kind == "call" and _repeats(state, action):
        # The same call gives the same result: the model has nothing better to do.
        return _finish(state)
    asked = skill_use.calls_of(action) if kind == "run_script" else []
    if any(_repeats(state, {"tool": kind, "inputs": inputs}) for inputs in asked):
        return _finish(state)
    return {"pending": action}


def _finish(state: State) -> dict[str, Any]:
    last = state["steps"][-1]
    # A script may print a whole report, of which the task wants a part: the critic looks at it.
    report = last["tool"] == "run_script" and "\n" in last["value"]
    return {"draft": last["value"], "grounded": not report, "pending": None}


def _repeats(state: State, action: dict[str, Any]) -> bool:
    last = state["steps"][-1] if state["steps"] else None
    return (
        last is not None
        and last["status"] == "ok"
        and (last["tool"], last["inputs"]) == (action["tool"], action["inputs"])
    )


async def act(state: State, services: Services) -> dict[str, Any]:
    """Carry out the pending action: a search, or a call in the sandbox."""
    action = state["pending"] or {}
    if action["action"] == "search_tools":
        return await _search(state, services, action["query"])
    if action["action"] == "search_principles":
        return await _consult(state, services, action["query"])
    if action["action"] == "read_resource":
        return await skill_use.read_resource(state, services, action)
    if action["action"] == "run_script":
        return await skill_use.run_script(state, services, action)
    tool = find_tool(state, action["tool"])
    assert tool is not None, "the schema names only tools on offer"
    call = f"call-{len(state['steps']) + 1}"
    outcome = await services.call(call, tool, action["inputs"], state["files"])
    worn = await services.recorded(call, tool, outcome, action["inputs"])
    services.events.emit(
        "tool.called",
        call=call,
        name=tool.name,
        id=tool.id,
        inputs=action["inputs"],
        outcome=outcome.model_dump(),
    )
    step = {
        "tool": tool.name,
        "inputs": action["inputs"],
        "status": outcome.status,
        "text": outcome_text(outcome),
        "value": show_value(outcome.output),
        "free": is_free(outcome.output),
        "files": [f"{call}/{file.name}" for file in outcome.files],
    }
    return {"steps": [*state["steps"], step], "pending": None, "worn": worn}


async def _search(state: State, services: Services, query: str) -> dict[str, Any]:
    known = {tool["name"] for tool in state["tools"]}
    found = [
        tool
        for tool in await services.search(query, domain=state["domain"])
        if tool.name not in known and skill_use.permits(state, tool.name)
    ]
    names = ", ".join(tool.name for tool in found)
    return {
        "tools": state["tools"] + [tool.model_dump() for tool in found],
        "searches": state["searches"] + 1,
        "pending": None,
        "remark": f"Found {names}." if names else f"No other tool was found for: {query}",
    }


async def _consult(state: State, services: Services, query: str) -> dict[str, Any]:
    """Look for lessons of earlier runs."""
    lessons = await services.lessons(query)
    told = "\n".join(["Lessons of earlier runs:", *(f"- {line}" for line in lessons)])
    return {
        "searches": state["searches"] + 1,
        "pending": None,
        "remark": told if lessons else f"There is no lesson about: {query}",
    }
