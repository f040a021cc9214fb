"""A proven run as a skill: its steps, its tools by version, and checks.

The text is put together from the tools' own specifications and from where each input came; the
task, the values and the answer of the run are not among its sources. The model only gives the
name and the description, and is shown nothing but the tools. Still every piece is searched for
values of the run before it is taken: a specification can be narrow, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from yunjue.errors import ModelOutputInvalid, SkillRefused, UsageError
from yunjue.events import Event
from yunjue.models.gateway import Gateway
from yunjue.prompts import conversation
from yunjue.skills.folder import check_files
from yunjue.skills.parse import MAX_DESCRIPTION, MAX_NAME
from yunjue.skills.types import SKILL_FILE, Skill, refused
from yunjue.synthesis.schemas import closed
from yunjue.types import Case, Tool

ROLE = "distiller"
TOOLS = "yunjue-tools"
"""Member of the metadata: ``name=id`` of each tool that the skill was proven with."""
MOST_STEPS = 12
MOST_CASES = 2
"""Checks for one tool."""
SHORTEST = 3
"""Characters of a value that is searched for; a shorter one is in every text. Of numbers two
digits are enough."""

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)+$", "maxLength": MAX_NAME}
_SCHEMA = closed({"name": _NAME, "description": {"type": "string", "maxLength": 400}})
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|“([^”\n]+)”")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:/-]\d+)*(?!\w)")

Cases = Callable[[str], Sequence[Case]]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the run.

    Attributes:
        sources: input -> number of the earlier step whose result it is; 0 if from the task.
    """

    tool: Tool
    inputs: Mapping[str, Any]
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Proven:
    """What of a solved run makes a skill.

    Attributes:
        values: what belongs to this one task: no text of the skill may hold it.
        whole: the answer is the last step's result to the letter.
    """

    run: str
    task: str
    steps: Sequence[Step]
    values: Sequence[str]
    whole: bool


def proven(events: Sequence[Event], find: Callable[[str], Tool]) -> Proven:
    """The steps of a run that was solved with tools.

    Args:
        find: the tool with this id.

    Raises:
        UsageError: it was not, or was done by another skill.
        UnknownToolError: a tool it called is not in the library.
    """
    started = next((event.data for event in events if event.kind == "run.started"), None)
    finished = next((event.data for event in events if event.kind == "run.finished"), {})
    if started is None or finished.get("status") != "solved":
        raise UsageError("Only a run that was solved becomes a skill.", hint="")
    used = [event.data["name"] for event in events if event.kind == "skill.chosen"]
    if any(used):
        raise UsageError(f"The run was done by the skill {used[-1]} already.", hint="")
    calls = [
        event.data
        for event in events
        if event.kind == "tool.called" and event.data["outcome"]["status"] == "ok"
    ]
    if not calls:
        raise UsageError("The run called no tool: there is no procedure in it.", hint="")
    if len(calls) > MOST_STEPS:
        raise UsageError(f"The run has {len(calls)} calls; at most {MOST_STEPS} make a skill.")
    results = [_result(call) for call in calls]
    steps = [
        Step(find(call["id"]), call["inputs"], _sources(call["inputs"], results[:number]))
        for number, call in enumerate(calls)
    ]
    answer = str(finished["answer"])
    return Proven(
        run=started["run"],
        task=started["task"],
        steps=steps,
        values=list(dict.fromkeys(_values(started["task"], answer, calls))),
        whole=answer == results[-1],
    )


async def describe(gateway: Gateway, found: Proven) -> tuple[str, str]:
    """Name and description, by the model; from the tools' own words if it gives none that
    can be taken.

    Raises:
        ModelError, LimitReached: as :meth:`yunjue.models.gateway.Gateway.ask`.
    """
    tools = _tools(found)
    messages = conversation("distiller_system", "distil_skill", tools=tools)
    try:
        answer = await gateway.ask_json(
            ROLE, messages, _SCHEMA, max_tokens=200, check=partial(_problem, found)
        )
        return answer["name"], " ".join(answer["description"].split())
    except ModelOutputInvalid:
        return plain_name(found), plain_description(found)


def plain_name(found: Proven) -> str:
    name = "-then-".join(tool.name.replace("_", "-") for tool in _tools(found)[:3])
    return name[:MAX_NAME].strip("-")


def plain_description(found: Proven) -> str:
    about = [_clean(tool.description, found) or tool.signature for tool in _tools(found)]
    text = " Then: ".join(one.rstrip(".") + "." for one in about)
    return f"{text[: MAX_DESCRIPTION - 60]} Use when a task asks for just this."


def skill_of(
    found: Proven, name: str, description: str, cases: Cases, more: Mapping[str, str] | None = None
) -> Skill:
    """The skill, checked as any other.

    Args:
        cases: of the tool with this id; those its tester wrote become the skill's checks.
        more: further metadata.

    Raises:
        SkillRefused: a value of the run is in it, or it breaks the specification.
    """
    text = _text(found, name, description, cases, more or {})
    if leaks := leaked(text, found):
        raise SkillRefused(
            f"The skill would hold {leaks[0]!r}, which belongs to the first task alone.",
            hint="Its tools are narrow: solve a task of the kind again, or write the skill.",
        )
    skill, problems = check_files({SKILL_FILE: text.encode()}, name)
    if skill is None:
        raise refused(name, problems)
    return skill


def leaked(text: str, found: Proven) -> list[str]:
    """Values of the run that are in the text, but for words of the frame: names of tools and
    inputs, and what stands in every such skill."""
    frame = _text(found, "x", "x", lambda tool: [], {}, bare=True)
    return [one for one in found.values if _stands(one, text) and not _stands(one, frame)]


def _text(
    found: Proven,
    name: str,
    description: str,
    cases: Cases,
    more: Mapping[str, str],
    bare: bool = False,
) -> str:
    tools = _tools(found)
    versions = " ".join(f"{tool.name}={tool.id}" for tool in tools)
    metadata = {"yunjue-run": found.run, TOOLS: versions, **more}
    lines = [
        "---",
        f"name: {name}",
        f"description: {json.dumps(description, ensure_ascii=False)}",
        f"allowed-tools: {' '.join(tool.name for tool in tools)}",
        "metadata:",
        *(f"  {key}: {json.dumps(value)}" for key, value in metadata.items()),
        "---",
        "",
        "# Steps",
        "",
    ]
    for number, step in enumerate(found.steps, 1):
        lines += _step_lines(number, step, found, bare)
    last = len(found.steps)
    lines += [
        "",
        f"The answer is the result of step {last}, to the letter."
        if found.whole
        else "The answer is written from these results, in the form the task asks for.",
        "",
        "# Tools",
        "",
    ]
    for tool in tools:
        about = "" if bare else _clean(tool.description, found)
        lines.append(f"- `{tool.signature}`, version {tool.id}. {about}".rstrip())
    checks = [] if bare else [line for tool in tools for line in _checks(tool, cases, found)]
    return "\n".join([*lines, *(["", "# Checks", "", *checks] if checks else []), ""])


def _step_lines(number: int, step: Step, found: Proven, bare: bool) -> Iterator[str]:
    yield f"{number}. Call `{step.tool.name}` with:"
    described = step.tool.input_schema.get("properties", {})
    for name in step.inputs:
        source = step.sources[name]
        origin = f"the result of step {source}" if source else "from the task"
        about = "" if bare else _clean(str(described.get(name, {}).get("description", "")), found)
        yield f"   - `{name}`: {f'{about}, {origin}' if about else origin}"


def _checks(tool: Tool, cases: Cases, found: Proven) -> list[str]:
    """Cases of the tester, who saw the specification and no value of the run's."""
    written = [case for case in cases(tool.id) if case.origin == "tester" and not case.raises]
    lines = [
        f"- `{tool.name}` with `{json.dumps(case.inputs, ensure_ascii=False)}` "
        f"gives `{json.dumps(case.expected, ensure_ascii=False)}`."
        for case in written
    ]
    clean = [line for line in lines if _clean(line, found) and len(line) < 400 and "\n" not in line]
    return clean[:MOST_CASES]


def _tools(found: Proven) -> list[Tool]:
    return list({step.tool.name: step.tool for step in found.steps}.values())


def _clean(piece: str, found: Proven) -> str:
    """The piece on one line, or "" if a value of the run is in it."""
    piece = " ".join(piece.split())
    names = {name for step in found.steps for name in (step.tool.name, *step.inputs)}
    return "" if any(_stands(one, piece) and one not in names for one in found.values) else piece


def _problem(found: Proven, answer: Mapping[str, Any]) -> str | None:
    if not answer["description"].strip():
        return "The description is empty."
    held = [one for one in found.values if _stands(one, answer["description"].replace("-", " "))]
    return f"It is about {held[0]!r} only; it must fit all tasks of the kind." if held else None


def _stands(value: str, text: str) -> bool:
    pattern = rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _sources(inputs: Mapping[str, Any], results: Sequence[str]) -> dict[str, int]:
    """input -> the last earlier step that gave its value, or 0."""
    found = {}
    for name, value in inputs.items():
        same = [number for number, result in enumerate(results, 1) if result == _shown(value)]
        found[name] = same[-1] if same else 0
    return found


def _result(call: Mapping[str, Any]) -> str:
    output = call["outcome"].get("output") or {}
    return _shown(next(iter(output.values()))) if len(output) == 1 else _shown(output)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _values(task: str, answer: str, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What belongs to this task: the answer, inputs, results, what it quotes, its numbers."""
    found = [answer]
    for call in calls:
        found += [*_leaves(call["inputs"]), *_leaves(call["outcome"].get("output"))]
    found += [next(filter(None, groups)) for groups in _QUOTED.findall(task)]
    found += _NUMBER.findall(task)
    for value in (one.strip() for one in found):
        if len(value) >= (2 if re.fullmatch(r"[\d.,:/-]+", value) else SHORTEST):
            yield value


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield _shown(value)
