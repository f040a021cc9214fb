"""Tools in the forms that other programs read: OpenAI functions, LangChain tools, skills.

These are for use, not for import: a bundle is what carries cases and hashes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from yunjue.bundle.licences import NO_ASSERTION
from yunjue.types import Case, Tool

MAX_DESCRIPTION = 1024
"""Of an OpenAI function, and of a skill."""


def openai_functions(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The ``tools`` member of a chat completion."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description[:MAX_DESCRIPTION],
                "parameters": tool.input_schema,
            },
        }
        for tool in tools
    ]


def langchain_file(tools: Sequence[Tool]) -> str:
    """A Python file with one StructuredTool a tool, each of which runs ``yunjue tools run``."""
    definitions = [
        {
            "name": tool.name,
            "description": tool.description,
            # As text: JSON has true and null, Python has not.
            "schema": json.dumps(tool.input_schema, ensure_ascii=True),
        }
        for tool in tools
    ]
    rows = "".join(f"    {one!a},\n" for one in definitions)
    return _LANGCHAIN.replace("@TOOLS@", f"[\n{rows}]")


def skill_files(tool: Tool, cases: Sequence[Case]) -> dict[str, str]:
    """Path within the skill's folder -> text (Agent Skills specification).

    The tool's file is there byte for byte, so its hash is the tool's id. The folder must be
    named :func:`skill_name`.
    """
    examples = [case for case in cases if case.origin == "tester" and not case.raises][:2]
    licence = tool.origin.get("licence", NO_ASSERTION)
    front = {
        "name": skill_name(tool),
        "description": " ".join(tool.description.split())[:MAX_DESCRIPTION],
        **({} if licence == NO_ASSERTION else {"license": licence}),
        "compatibility": "Needs Python 3.11 or newer with pydantic, or uv.",
        "metadata": {"yunjue-tool": tool.name, "yunjue-id": tool.id},
    }
    requirements = json.dumps(["pydantic>=2", *tool.requirements])
    return {
        "SKILL.md": _front_matter(front) + _body(tool, examples),
        f"scripts/{tool.name}.py": tool.source,
        "scripts/call.py": _CALL.replace("@NAME@", tool.name).replace(
            "@REQUIREMENTS@", requirements
        ),
    }


def skill_name(tool: Tool) -> str:
    """Lower case, digits and single hyphens, at most 64: as the specification wants."""
    return tool.name.replace("_", "-")


def _front_matter(members: Mapping[str, Any]) -> str:
    """YAML whose values are JSON texts, which every YAML reader takes as they are."""
    lines = []
    for key, value in members.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {name}: {json.dumps(one)}" for name, one in value.items())]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(["---", *lines, "---", ""])


def _body(tool: Tool, examples: Sequence[Case]) -> str:
    example = json.dumps(examples[0].inputs) if examples else "{}"
    quoted = "'" + example.replace("'", "'\\''") + "'"
    lines = [
        "",
        f"# {tool.name}",
        "",
        f"`{tool.signature}`",
        "",
        tool.description,
        "",
        "## How to call it",
        "",
        "In Yunjue's sandbox, if the tool is in the library:",
        "",
        f"    yunjue tools run {tool.name} --args {quoted} --json",
        "",
        "Without Yunjue, and without a sandbox, from this folder (`uv run` brings what it",
        "requires; `python` needs pydantic and its requirements installed):",
        "",
        f"    uv run scripts/call.py {quoted}",
        "",
        "The inputs are one JSON object; the result is one JSON object on stdout. Wrong inputs",
        "end with exit code 2 and the reason on stderr.",
        "",
        "## Inputs",
        "",
        "```json",
        json.dumps(tool.input_schema, indent=2, ensure_ascii=False),
        "```",
    ]
    if examples:
        lines += ["", "## Examples", ""]
        lines += [
            f"- `{json.dumps(case.inputs, ensure_ascii=False)}` gives "
            f"`{json.dumps(case.expected, ensure_ascii=False)}`"
            for case in examples
        ]
    return "\n".join(lines) + "\n"


_LANGCHAIN = '''"""Tools of a Yunjue library for LangChain; each call runs in Yunjue's sandbox.

Needs langchain-core, and the command `yunjue` with the tools in its library.
"""

import json
import subprocess

from langchain_core.tools import StructuredTool, ToolException

DEFINITIONS = @TOOLS@


def _caller(name):
    def call(**inputs):
        command = ["yunjue", "tools", "run", name, "--args=" + json.dumps(inputs), "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
        try:
            outcome = json.loads(done.stdout)
        except ValueError:
            raise ToolException(done.stderr.strip() or "yunjue gave no answer") from None
        if outcome.get("status") != "ok":
            error = outcome.get("error")
            raise ToolException(error["message"] if isinstance(error, dict) else str(error))
        return outcome["output"]

    return call


TOOLS = [
    StructuredTool(
        name=one["name"],
        description=one["description"],
        args_schema=json.loads(one["schema"]),
        func=_caller(one["name"]),
        handle_tool_error=True,
    )
    for one in DEFINITIONS
]
'''

_CALL = '''# /// script
# requires-python = ">=3.11"
# dependencies = @REQUIREMENTS@
# ///
"""Calls the tool @NAME@ with one JSON object of inputs; no sandbox stands around it."""

import sys

from pydantic import ValidationError

import @NAME@ as tool

if len(sys.argv) != 2:
    sys.exit("usage: call.py '{\\"input\\": value}'")
try:
    result = tool.run(tool.InputModel.model_validate_json(sys.argv[1]))
except (ValidationError, ValueError) as error:
    print(error, file=sys.stderr)
    sys.exit(2)
print(result.model_dump_json())
'''
