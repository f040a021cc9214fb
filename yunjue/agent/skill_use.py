"""What the nodes of the graph do with the skill in use, if there is one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yunjue.agent.form import is_free
from yunjue.agent.skilled import may
from yunjue.agent.state import State
from yunjue.agent.views import elide, outcome_text, show_value
from yunjue.errors import DependencyError
from yunjue.files import as_paths
from yunjue.protocols import Outputs
from yunjue.skills.distil import TOOLS
from yunjue.skills.parse import ACTIONS
from yunjue.skills.scripts import arguments, job_for
from yunjue.types import CallOutcome

if TYPE_CHECKING:
    from yunjue.agent.services import Services

MOST_READ = 4
"""Parts of files that are read in one run; all of them stay in view."""

MOST_FAILURES = 3
"""Script runs that fail before no further one is offered: a small model tries for ever."""

PROCEDURE = 2_000
"""Characters of the skill that the author and the tester of a tool see."""


async def adopt(state: State, services: Services) -> dict[str, Any]:
    """Choose the skill for the task. If it says which tools may be used, only those are
    offered, and they are, however far from the task their descriptions are."""
    assert services.skilled is not None, "asked for with skills on"
    skill = await services.skilled.choose(state)
    tools = state["tools"]
    chosen: State = {**state, "skill": skill}
    if skill:
        tools = [tool for tool in tools if permits(chosen, tool["name"])]
        known = {tool["name"] for tool in tools}
        for name in named_tools(skill):
            if name not in known and (tool := await services.find(name)):
                tools.append(tool.model_dump())
        _warn_of_other_versions(skill, tools, services)
    return {"tools": tools, "lessons": state["lessons"], "skill": skill}


def _warn_of_other_versions(
    skill: Mapping[str, Any], tools: list[dict[str, Any]], services: Services
) -> None:
    """A distilled skill was proven with certain versions of its tools."""
    pairs = skill["metadata"].get(TOOLS, "").split()
    proven = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    for tool in tools:
        if proven.get(tool["name"], tool["id"]) != tool["id"]:
            message = f"{tool['name']} is not the version that {skill['name']} was proven with."
            services.events.emit("warning", message=message)


def begin(state: State, services: Services, script: str) -> dict[str, Any]:
    """The manager chose a script: the executor is asked for its arguments alone."""
    services.events.emit("manager.decided", decision="script", function=script)
    return {"computes": True, "skill": {**(state["skill"] or {}), "script": script}}


async def read_resource(state: State, services: Services, action: dict[str, Any]) -> dict[str, Any]:
    """Read a part of one of the skill's files; it stays in view for the rest of the run."""
    skill = state["skill"]
    assert skill and services.skilled, "the schema offers it only then"
    read = await services.skilled.read(skill, action["path"], action["part"])
    known = [
        one for one in skill["read"] if (one["path"], one["part"]) == (read["path"], read["part"])
    ]
    remark = f"You have read {read['path']}, part {read['part']}, already." if known else ""
    # A repeated reading counts, too: else a model could read the same for ever.
    shown = {**read, "text": "(see above)"} if known else read
    return {"skill": {**skill, "read": [*skill["read"], shown]}, "pending": None, "remark": remark}


async def run_script(state: State, services: Services, action: dict[str, Any]) -> dict[str, Any]:
    """Run one of the skill's scripts in the sandbox, without network and without secrets."""
    skill = state["skill"]
    assert skill and services.skilled, "the schema offers it only then"
    call = f"call-{len(state['steps']) + 1}"
    outcome = await _ran(state, services, call, action)
    apart = _words_apart(action["args"])
    if outcome.status != "ok" and apart != action["args"]:
        # Small models write a whole command line as one argument, and again when told.
        again = {**action, "args": apart}
        second = await _ran(state, services, call, again)
        action, outcome = (again, second) if second.status == "ok" else (action, outcome)
    inputs = given(action)
    services.events.emit(
        "skill.ran", name=skill["name"], call=call, inputs=inputs, outcome=outcome.model_dump()
    )
    step = {
        "tool": "run_script",
        "inputs": inputs,
        "status": outcome.status,
        "text": outcome_text(outcome),
        "value": show_value(outcome.output),
        "free": is_free(outcome.output),
        "files": [f"{call}/{file.name}" for file in outcome.files],
    }
    return {"steps": [*state["steps"], step], "skill": {**skill, "script": ""}, "pending": None}


async def _ran(
    state: State, services: Services, call: str, action: Mapping[str, Any]
) -> CallOutcome:
    assert state["skill"] and services.skilled
    job = job_for(
        await services.skilled.files(state["skill"]),
        action["script"],
        action["args"],
        action["stdin"],
        limits=services.settings.tool_limits(),
        inputs=as_paths(state["files"]),
        outputs=Outputs(services.outputs / call),
    )
    try:
        return (await services.sandbox.call(job))[0]
    except DependencyError as error:
        # The model may do it without the script; a broken sandbox still stops the run.
        return CallOutcome(status="failed", reason="import", error=error.message)


def _words_apart(args: list[str]) -> list[str]:
    """The arguments with each that holds spaces split as a shell would."""
    try:
        return [word for one in args for word in (shlex.split(one) if " " in one else [one])]
    except ValueError:  # a quotation without an end
        return args


def given(action: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a call of a script."""
    return arguments(action["script"], action["args"], action["stdin"])


def calls_of(action: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inputs with which the action may run its script."""
    return [given(action), given({**action, "args": _words_apart(action["args"])})]


def permits(state: State, name: str) -> bool:
    """Whether the skill in use lets the run use the tool ``name``. What the run makes itself
    it may use: making is what has to be permitted."""
    permitted = (state.get("skill") or {}).get("permitted")
    return permitted is None or name in permitted or name in state["made"]


def may_make(state: State) -> bool:
    """Whether the skill in use lets the run have tools made."""
    permitted = (state.get("skill") or {}).get("permitted")
    return permitted is None or "request_tools" in permitted


def named_tools(skill: Mapping[str, Any] | None) -> list[str]:
    """Tools of the library that the skill allows by name."""
    return [name for name in (skill or {}).get("permitted") or [] if name not in ACTIONS]


def script_called(state: State, function: str) -> str:
    """The skill's script that the manager means by the function's name, or ""."""
    skill = state.get("skill")
    scripts = skill["scripts"] if skill and may(skill, "run_script") else []
    return next((path for path in scripts if path == f"scripts/{function}.py"), "")


def actions(state: State) -> list[str]:
    """What the executor may do with the skill now. The script that the manager chose comes
    first, alone: what a small model is not offered it cannot get wrong."""
    skill = state.get("skill")
    if not skill:
        return []
    failed = [s for s in state["steps"] if s["tool"] == "run_script" and s["status"] != "ok"]
    can_run = skill["scripts"] and may(skill, "run_script") and len(failed) < MOST_FAILURES
    run = ["run_script"] if can_run else []
    more = len(skill["read"]) < MOST_READ and skill["resources"]
    read = ["read_resource"] if more and may(skill, "read_resource") else []
    return [*run, *read]


def members(state: State) -> dict[str, dict[str, Any]]:
    """Action -> the members of its JSON."""
    skill = state.get("skill") or {"scripts": [], "resources": [], "script": ""}
    arguments = {"type": "array", "items": {"type": "string", "maxLength": 400}, "maxItems": 20}
    scripts = [skill["script"]] if skill["script"] else skill["scripts"]
    return {
        "run_script": {
            "script": {"enum": scripts},
            "args": arguments,
            "stdin": {"type": "string", "maxLength": 4000},
        },
        "read_resource": {
            "path": {"enum": skill["resources"]},
            "part": {"type": "integer", "minimum": 1, "maximum": 999},
        },
    }


def words(state: State) -> list[str]:
    """The skill's text: a value that stands there is not made up."""
    skill = state.get("skill")
    return [skill["body"], *(one["text"] for one in skill["read"])] if skill else []


def procedure(state: State) -> str:
    """What the author of a tool is told of the skill; "" without one."""
    return elide("\n\n".join(words(state)), PROCEDURE)
