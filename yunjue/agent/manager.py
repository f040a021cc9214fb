"""The manager: which tools a task needs, and which of them are missing."""

from __future__ import annotations

import keyword
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from yunjue.agent.grounding import fixed_values, free_numbers
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import task_messages
from yunjue.errors import ModelOutputInvalid, PromptTooLong
from yunjue.hashing import canonical_json
from yunjue.synthesis.schemas import NAME, closed, specification_schema
from yunjue.types import FieldSpec, Message, Tool, ToolSpec

DECISION = closed({"kind": {"enum": ["compute", "knowledge", "language"]}, "function": NAME})
RETRY_TEMPERATURE = 0.7
"""At less a small model answers the same again."""
SHOWN_VALUES = 4
GENERALISE = (
    "What may differ next time must be an input, and must not be named elsewhere. "
    "Reply with the whole JSON again."
)
NAMINGS = 3
"""How often the manager may name a tool whose name another tool holds."""


async def retrieve(state: State, services: Services) -> dict[str, Any]:
    """Find the few tools of the library that may fit.

    A small model takes whatever tool it is shown, so those that are not about the task are
    not shown; the executor can still search for them.
    """
    tools = await services.search(state["task"], services.settings.min_similarity, state["domain"])
    lessons = await services.lessons(state["task"])
    return {"tools": [tool.model_dump() for tool in tools], "lessons": lessons}


async def decide(state: State, services: Services) -> dict[str, Any]:
    """Use tools at hand, have one made, or answer from knowledge.

    The model names the function that answers the task. If it is one of those shown, it is
    used; if not, it is made. Asked whether a tool fits, small models say yes or no to
    everything; asked for the name, they write another one when another is wanted.
    """
    messages = task_messages(state, "decide", lessons=state["lessons"])
    answer = await services.gateway.ask_json("manager", messages, DECISION, max_tokens=80)
    computes, function = answer["kind"] == "compute", answer["function"]
    at_hand = function in [tool["name"] for tool in state["tools"]]
    decision = "answer" if not computes else "use" if at_hand else "make"
    services.events.emit("manager.decided", decision=decision, function=function)
    why = await services.pass_over(function) if decision == "make" else ""
    refused = [f"{function}: {why}"] if why else []
    return {
        "computes": computes,
        "chosen": [function] if decision == "use" else [],
        "needs": [""] if decision == "make" and not refused else [],
        "refused": state["refused"] + refused,
        "remark": no_tool(refused),
    }


def no_tool(refused: list[str]) -> str:
    """What the executor is told of tools that could not be made; "" if there are none."""
    return "No tool could be made: " + "; ".join(refused) if refused else ""


async def specify(state: State, services: Services, need: str) -> ToolSpec | Tool:
    """The specification of the tool that is missing, or the tool that has it already.

    Args:
        need: what is asked for; "" when the task itself needs it.

    Raises:
        ModelOutputInvalid: no valid specification within the repairs.
    """
    name, values = ("specify_need", {"need": need}) if need else ("specify", {})
    messages = task_messages(state, name, lessons=state["lessons"], **values)
    taken: list[str] = []
    for attempt in range(NAMINGS):
        ask = partial(
            services.gateway.ask_json,
            "manager",
            schema=specification_schema(taken),
            temperature=RETRY_TEMPERATURE if attempt else 0.0,
            seed=attempt,
            max_tokens=400,
            check=_problem,
        )
        spec = await _generalised(await ask(messages), state["task"], messages, ask, services)
        existing = await services.find(spec.name)
        if existing is None:
            return spec
        if existing.signature == spec.signature():
            return existing
        taken.append(spec.name)
    raise ModelOutputInvalid(f"The names {', '.join(taken)} are taken by other tools.")


async def _generalised(
    answer: dict[str, Any],
    task: str,
    messages: list[Message],
    ask: Callable[..., Awaitable[dict[str, Any]]],
    services: Services,
) -> ToolSpec:
    """The specification; asked for once more if it seems to fit this task alone. Then it is
    taken as it is, for what seems a value may be a rule of all such tasks."""
    spec = to_spec(answer)
    problem = _narrow(spec, task)
    if not problem:
        return spec
    services.events.emit("manager.generalised", function=spec.name, problem=problem)
    turns = [
        Message(role="assistant", content=canonical_json(answer)),
        Message(role="user", content=f"{problem} {GENERALISE}"),
    ]
    try:
        return to_spec(await ask([*messages, *turns], temperature=RETRY_TEMPERATURE))
    except (ModelOutputInvalid, PromptTooLong):
        return spec


def _narrow(spec: ToolSpec, task: str) -> str:
    """Why the specification seems to be for this task alone, or ""."""
    fixed = fixed_values([spec.description, spec.output.description], task)
    if fixed:
        return f"It is written for {_listed(fixed)} only."
    rules = free_numbers(spec.description)
    numbers = [number for number in free_numbers(task) if number not in rules]
    takes_many = any(field.type.startswith("list") for field in spec.inputs)
    if len(numbers) > len(spec.inputs) and not takes_many:
        taken = len(spec.inputs)
        return f"The task gives {_listed(numbers)}, and the function takes {taken} of them."
    return ""


def _listed(values: list[str]) -> str:
    return " and ".join(repr(value) for value in values[:SHOWN_VALUES])


def to_spec(answer: dict[str, Any]) -> ToolSpec:
    """The manager's answer as a specification, white space tidied.

    Raises:
        ValidationError: a name or type is not valid.
    """
    tidy = [
        {**field, "description": " ".join(field["description"].split())}
        for field in [*answer["inputs"], answer["output"]]
    ]
    return ToolSpec(
        name=answer["name"],
        description=" ".join(answer["description"].split()),
        inputs=[FieldSpec(**field) for field in tidy[:-1]],
        output=FieldSpec(**tidy[-1]),
    )


def _problem(answer: dict[str, Any]) -> str | None:
    """What keeps the answer from being a specification, told to the model."""
    try:
        spec = to_spec(answer)
    except ValidationError as error:
        return "; ".join(problem["msg"] for problem in error.errors())
    names = [field.name for field in spec.inputs]
    if len(set(names)) < len(names):
        return "Two inputs have the same name."
    if any(keyword.iskeyword(name) for name in [spec.name, spec.output.name, *names]):
        return "A name is a Python keyword; choose another."
    return None if spec.description else "The description is empty."
