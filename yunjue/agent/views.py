"""How the model sees tools, calls and results: short, and readable as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yunjue.agent.state import State
from yunjue.plugins import plugins
from yunjue.prompts import render
from yunjue.synthesis.schemas import closed
from yunjue.types import CallOutcome, Message, Tool

RESULT_CHARS = 1200
DESCRIPTION_CHARS = 160
PREVIEW_BYTES = 300


def task_messages(state: State, name: str, **values: Any) -> list[Message]:
    """The conversation every role of the agent has: system, task and tools, then the
    role's own prompt ``name``. All roles share the beginning, and so a prompt cache."""
    tools = shown_tools(state)
    task = render("task", task=state["task"], files=_files(state), tools=tools)
    prompt = render(name, tools=tools, **values)
    return [
        Message(role="system", content="\n\n".join([render("system"), *_field(state)])),
        Message(role="user", content=f"{task}\n\n{prompt}"),
    ]


def _field(state: State) -> list[str]:
    """What the task's domain tells all roles."""
    domain = plugins().domains().get(state["domain"])
    return [domain.prompt] if domain is not None and domain.prompt else []


def shown_tools(state: State) -> list[dict[str, str]]:
    """One line for each tool on offer."""
    return [
        {
            "name": tool["name"],
            "signature": tool["signature"],
            "description": elide(tool["description"], DESCRIPTION_CHARS),
        }
        for tool in state["tools"]
    ]


def find_tool(state: State, name: str) -> Tool | None:
    return next((Tool(**tool) for tool in state["tools"] if tool["name"] == name), None)


def call_schema(tool: Tool, **first: Any) -> dict[str, Any]:
    """The JSON a model answers to call ``tool``; ``first`` are members before it."""
    inputs = {key: _plain(value) for key, value in tool.input_schema.get("properties", {}).items()}
    schema = closed(inputs)
    if "$defs" in tool.input_schema:
        schema["$defs"] = tool.input_schema["$defs"]
    required = tool.input_schema.get("required", list(inputs))
    schema["required"] = [name for name in inputs if name in required]
    return closed({**first, "tool": {"const": tool.name}, "inputs": schema})


def input_descriptions(tool: Tool) -> dict[str, str]:
    """name -> what the tool says of this input, or its type."""
    inputs = tool.input_schema.get("properties", {})
    return {
        name: elide(str(schema.get("description") or schema.get("type", "any")), 120)
        for name, schema in inputs.items()
    }


def _plain(schema: Any) -> Any:
    """A JSON schema without titles and defaults, which only cost tokens."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key not in _NOISE}
    if isinstance(schema, list):
        return [_plain(entry) for entry in schema]
    return schema


_NOISE = ("title", "default", "description")


def outcome_text(outcome: CallOutcome) -> str:
    """What the model is told of a call."""
    if outcome.status == "ok":
        files = "".join(f"\nIt left the file {file.name}." for file in outcome.files)
        return elide(show_value(outcome.output), RESULT_CHARS) + elide(files, RESULT_CHARS)
    kind = "wrong inputs" if outcome.status == "input_error" else "the tool failed"
    return f"ERROR ({kind}): {elide(outcome.error or outcome.reason, 300)}"


def show_value(output: dict[str, Any] | None) -> str:
    """A tool's output as text: the bare value when it has one field, else JSON."""
    if not output:
        return ""
    if len(output) > 1:
        return json.dumps(output, ensure_ascii=False)
    value = next(iter(output.values()))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(show_value({"item": item}) for item in value)
    return json.dumps(value, ensure_ascii=False)


def step_line(step: dict[str, Any]) -> str:
    """One line of history: ``tool(inputs) = result``."""
    inputs = elide(json.dumps(step["inputs"], ensure_ascii=False)[1:-1], 200)
    return f"{step['tool']}({inputs}) = {step['text']}"


def elide(text: str, limit: int) -> str:
    """``text`` cut in the middle to ``limit`` characters, saying how much is left out."""
    if len(text) <= limit:
        return text
    half = (limit - 30) // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters ...] {text[-half:]}"


def _files(state: State) -> list[str]:
    return [
        f"{name} ({state.get('previews', {}).get(name) or _preview(Path(path))})"
        for name, path in state["files"].items()
    ]


def _preview(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(PREVIEW_BYTES)
        size = path.stat().st_size
    except OSError:
        return "not readable"
    if b"\0" in start:
        return f"{size} bytes, binary"
    return f"{size} bytes, begins {start.decode('utf-8', 'replace')!r}"
