"""The file format of a tool: what the author's function is put into.

One Python file with ``__TOOL_META__``, pydantic ``InputModel`` and ``OutputModel`` and
``run(input: InputModel) -> OutputModel`` (the open format of the Yunjue technical report,
arXiv 2601.18226). The author writes only the function: models frame it wrongly more often
than they compute wrongly, and the reply is a third as long.
"""

from __future__ import annotations

import ast
from typing import Any

from yunjue.types import ToolSpec


def render_tool(spec: ToolSpec, body: str, requirements: list[str]) -> str:
    """The tool's whole file around ``body``, which defines the function ``spec.name``."""
    meta = {
        "name": spec.name,
        "description": spec.description,
        "dependencies": sorted(requirements),
    }
    arguments = ", ".join(f"{field.name}=input.{field.name}" for field in spec.inputs)
    future, rest = _split_future_imports(body)
    return "\n".join(
        [
            _docstring(spec.description),
            "",
            *future,
            "from pydantic import BaseModel, ConfigDict, Field",
            "",
            "__TOOL_META__ = " + _literal(meta),
            "",
            "",
            *_model("InputModel", spec.inputs),
            "",
            "",
            *_model("OutputModel", [spec.output]),
            "",
            "",
            rest.strip(),
            "",
            "",
            "def run(input: InputModel) -> OutputModel:",
            f"    return OutputModel({spec.output.name}={spec.name}({arguments}))",
            "",
        ]
    )


def read_meta(source: str) -> dict[str, Any]:
    """``__TOOL_META__`` of a tool file, read without running it.

    Raises:
        ValueError: it is missing or no plain literal.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__TOOL_META__" for target in node.targets
        ):
            meta = ast.literal_eval(node.value)
            if isinstance(meta, dict):
                return meta
    raise ValueError("__TOOL_META__ is missing")


def _model(name: str, fields: list) -> list[str]:
    # Numbers are accepted for text: models write 42 where a tool wants "42".
    lines = [f"class {name}(BaseModel):"]
    lines.append("    model_config = ConfigDict(coerce_numbers_to_str=True)")
    for field in fields:
        description = f" = Field(description={field.description!r})" if field.description else ""
        lines.append(f"    {field.name}: {field.type}{description}")
    return lines


def _literal(meta: dict[str, Any]) -> str:
    members = ",\n".join(f"    {key!r}: {value!r}" for key, value in meta.items())
    return "{\n" + members + ",\n}"


def _docstring(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    cleaned = printable.replace("\\", "\\\\").replace('"""', "'''").strip()
    return f'"""{cleaned} """' if cleaned.endswith('"') else f'"""{cleaned}"""'


def _split_future_imports(body: str) -> tuple[list[str], str]:
    """``from __future__`` must come first in a file, wherever the author put it."""
    lines = body.splitlines()
    future = [line for line in lines if line.startswith("from __future__ import ")]
    rest = "\n".join(line for line in lines if line not in future)
    return future, rest
