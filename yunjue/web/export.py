"""What happened in the browser as training data of a world model: (page, action, next page)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from yunjue import keys
from yunjue.errors import TraceError
from yunjue.events import Event
from yunjue.files import write_whole
from yunjue.redaction import SHORTEST, Redactor
from yunjue.traces.runs import Runs
from yunjue.traces.trace import TRACE_FILE, read_trace


def write_transitions(runs: Runs, file: Path, warn: Callable[[str], None]) -> int:
    """Write one JSON object a line for each action of all runs in the browser: ``run``,
    ``step``, ``task``, ``state`` (the page as text), ``action``, ``next_state``, ``change``,
    ``error``, and ``foreseen`` if the world model was asked.

    Values of secrets are replaced by their names in brackets.

    Returns:
        The number of lines.

    Raises:
        DiskFull, YunjueError: the file cannot be written.
    """
    lines = []
    for name in runs.names():
        try:
            events = read_trace(runs.directory / name / TRACE_FILE)
        except TraceError as error:
            warn(f"warning: {error.message}")
            continue
        clean = Redactor(_secrets(events))
        for row in transitions(name, events):
            lines.append(json.dumps(clean.value(row), ensure_ascii=False) + "\n")
    write_whole(file, "".join(lines).encode("utf-8", "replace"))
    return len(lines)


def transitions(run: str, events: list[Event]) -> Iterator[dict[str, Any]]:
    """The actions of one run, in order; of a run that was not in the browser there are none."""
    task, state = "", ""
    foreseen: Mapping[str, Any] = {}
    for event in events:
        data = event.data
        if event.kind == "run.started":
            task = data["task"]
        elif event.kind == "action.foreseen":
            foreseen = {**foreseen, json.dumps(data["action"], sort_keys=True): data["change"]}
        elif event.kind == "effect" and data["effect"] == "environment":
            if data["request"].get("start") == "web":
                state = data["result"]["text"]
            elif "step" in data["request"] and state:
                step, result = data["request"]["step"], data["result"]
                after = result["observed"]["text"]
                yield {
                    "run": run,
                    "step": step["number"],
                    "task": task,
                    "state": state,
                    "action": step["action"],
                    "next_state": after,
                    "change": result["details"].get("change", {}),
                    "error": result["error"],
                    "foreseen": foreseen.get(json.dumps(step["action"], sort_keys=True)),
                }
                state, foreseen = after, {}


def _secrets(events: list[Event]) -> dict[str, str]:
    """All that is stored, and what the run was given."""
    names = {name.upper() for name in keys.stored()}
    for event in events:
        if event.kind == "run.started":
            given = event.data["settings"].get("web_secrets", [])
            names |= {text.partition("=")[0] for text in given}
    values = {name: keys.secret(name) for name in names}
    return {name: value for name, value in values.items() if value and len(value) >= SHORTEST}
