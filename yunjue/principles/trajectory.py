"""A run as the distiller sees it, from the events of its trace.

Only what is named here is shown, so no known answer can be among it: a trace holds none, and
neither the run's own answer nor what tools returned is shown, only of which shape it was. All
text that others wrote (the task, inputs, errors, what the critic said) is shown as a JSON
string on one line: it is data, and cannot look like a line of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.errors import UsageError
from yunjue.events import Event
from yunjue.principles.credit import Failure, Outcome

LOG_CHARACTERS = 4096
"""Of EvolveR; about 1,300 tokens."""

_TASK = 1000
_TEXT = 240
_SHORTEST_ANSWER = 2


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What happened in a run.

    Attributes:
        run: its id.
        task: the user's words.
        outcome: how it ended, with its failures.
        log: what the distiller reads: at most :data:`LOG_CHARACTERS` characters.
        steps: number of the event -> its line of the log, before that was cut.
        tools: names of the tools that occur in it.
        names: these, and the names of their inputs.
        answers: what the run answered or was about to; no principle may give it away.
        foreign: what tools gave and printed, and their errors. No principle may retell it.
        told: the task, inputs, what the critic said, why tools were refused. Strangers' text
            may be part of it; no principle may repeat it.
    """

    run: str
    task: str
    outcome: Outcome
    log: str
    steps: Mapping[int, str]
    tools: frozenset[str]
    names: frozenset[str]
    answers: tuple[str, ...]
    foreign: tuple[str, ...]
    told: tuple[str, ...]


def trajectory(events: Sequence[Event]) -> Trajectory:
    """The trajectory of a run that ended.

    Raises:
        UsageError: it did not, or it ended by an error that says nothing of how it worked.
    """
    started = next((event for event in events if event.kind == "run.started"), None)
    if started is None:
        raise UsageError("The run stopped before it began: there is nothing to learn.")
    tools = frozenset(_tools(events))
    lines = [f"task: {_quoted(started.data['task'], _TASK)}"]
    steps: dict[int, str] = {}
    for event in events:
        if line := _line(event):
            steps[event.seq] = line
    return Trajectory(
        run=started.data["run"],
        task=started.data["task"],
        outcome=outcome(events),
        log=cut([*lines, *steps.values()], LOG_CHARACTERS),
        steps=steps,
        tools=tools,
        names=tools.union(_inputs(events)),
        answers=tuple(dict.fromkeys(_answers(events))),
        foreign=tuple(dict.fromkeys(_foreign(events))),
        told=tuple(dict.fromkeys([started.data["task"], *_told(events)])),
    )


def outcome(events: Iterable[Event]) -> Outcome:
    """How a run ended, by itself alone, and what went wrong on the way.

    Raises:
        UsageError: it did not end, or ended by an error such as a model out of reach.
    """
    failures: list[Failure] = []
    status = ""
    for event in events:
        data = event.data
        if event.kind == "tool.called" and data["outcome"]["status"] != "ok":
            failures.append(Failure(data["name"], _error(data["outcome"])))
        elif event.kind == "tool.refused":
            failures.append(Failure(data["name"], "refused"))
        elif event.kind in ("run.finished", "run.failed"):
            status = data["status"]
    if status not in ("solved", "not_solved", "limit"):
        raise UsageError(
            "The run did not end: there is nothing to learn yet.",
            hint="`yunjue resume RUN` goes on with it.",
        )
    ended = "success" if status == "solved" else "failure"
    return Outcome(ended, tuple(dict.fromkeys(failures)))


def cut(lines: Sequence[str], most: int) -> str:
    """The lines in at most ``most`` characters: the first and the last of them, which say what
    was asked and how it ended, and how many were left out in between."""
    if len("\n".join(lines)) <= most:
        return "\n".join(lines)
    room = most - len(_gap(len(lines))) - 2
    head: list[str] = []
    tail: list[str] = []
    rest = list(lines)
    while rest:
        side, line = (head, rest[0]) if _size(head) <= _size(tail) else (tail, rest[-1])
        if _size(head) + _size(tail) + len(line) + 1 > room:
            break
        side.append(line)
        rest.pop(0 if side is head else -1)
    return "\n".join([*head, _gap(len(rest)), *reversed(tail)])


def _gap(lines: int) -> str:
    return f"[... {lines} lines left out ...]"


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _line(event: Event) -> str:
    maker = _LINES.get(event.kind)
    return maker(event.data) if maker else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _called(data: Mapping[str, Any]) -> str:
    result = data["outcome"]
    call = f"call: {_quoted(data['name'])} with {_quoted(_json(data['inputs']))}"
    if result["status"] == "ok":
        return f"{call} ok, gave {_shape(result['output'])}"
    return f"{call} {_error(result)}: {_quoted(result['error'] or result['reason'])}"


def _judged(data: Mapping[str, Any]) -> str:
    verdict = "accepted" if data["answered"] else "did not accept"
    return f"critic: {verdict} the answer: {_quoted(data['why'])}"


def _made(data: Mapping[str, Any]) -> str:
    return f"tool made and proved: {_quoted(data['signature'])}"


_LINES = {
    "tools.retrieved": lambda d: f"tools at hand: {_quoted(', '.join(d['names']) or 'none')}",
    "manager.decided": lambda d: f"manager: {d['decision']} {_quoted(d['function'])}",
    "manager.generalised": lambda d: f"manager: specified again: {_quoted(d['problem'])}",
    "tool.specified": lambda d: f"specified: {_quoted(d['spec']['description'])}",
    "tool.admitted": _made,
    "tool.refused": lambda d: f"tool refused: {_quoted(d['name'])}: {_quoted(d['why'])}",
    "tool.passed_over": lambda d: f"tool not tried again: {_quoted(d['name'])}",
    "tool.called": _called,
    "executor.acted": lambda d: (
        f"executor: {d['action']}" if d["action"] not in ("call", "answer") else ""
    ),
    "critic.judged": _judged,
    "run.finished": lambda d: f"end: {d['status']}",
    "run.failed": lambda d: "end: a limit was reached",
}


def _error(result: Mapping[str, Any]) -> str:
    return "input_error" if result["status"] == "input_error" else result["reason"] or "raised"


def _shape(output: Mapping[str, Any] | None) -> str:
    """What a tool gave, without giving it."""
    shapes = [f"{name} ({_kind(value)})" for name, value in (output or {}).items()]
    return _quoted(", ".join(shapes) or "nothing")


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, (list, dict)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def _quoted(text: str, most: int = _TEXT) -> str:
    """One line, whatever is in the text."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(text) > most:
        text = f"{text[: most // 2]} [...] {text[-most // 2 :]}"
    return json.dumps(text, ensure_ascii=False)


def _tools(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        if event.kind == "tools.retrieved":
            yield from event.data["names"]
        elif event.kind in ("tool.specified", "tool.admitted", "tool.refused", "tool.called"):
            yield event.data["name"]
        elif event.kind == "manager.decided":
            yield event.data["function"]


def _inputs(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        if event.kind == "tool.called":
            yield from event.data["inputs"]
        elif event.kind == "tool.specified":
            yield from (field["name"] for field in event.data["spec"]["inputs"])


def _answers(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        data = event.data
        found = {
            "critic.judged": data.get("draft"),
            "run.answered": data.get("answer"),
            "run.finished": data.get("answer"),
        }.get(event.kind)
        if isinstance(found, str) and found.strip():
            yield found.strip()
        if event.kind == "tool.called":
            yield from (
                text
                for text in _leaves(data["outcome"].get("output"))
                if any(letter.isdigit() for letter in text) and len(text) > _SHORTEST_ANSWER
            )


def _foreign(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        if event.kind == "tool.called":
            outcome = event.data["outcome"]
            yield from (outcome.get(name, "") for name in ("error", "stdout", "stderr"))
            # Whole, too: a page may come as a list of its lines or words.
            leaves = list(_leaves(outcome.get("output")))
            yield from leaves
            yield " ".join(leaves)
        elif event.kind == "action.done":
            yield from (event.data["error"], event.data["change"])


def _told(events: Iterable[Event]) -> Iterable[str]:
    for event in events:
        if event.kind == "tool.called":
            yield from _leaves(event.data["inputs"])
        elif event.kind in ("critic.judged", "tool.refused"):
            yield event.data["why"]


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
