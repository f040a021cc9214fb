"""A tool's signature and specification, worked out from its JSON schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from yunjue.protocols import ToolSchemas
from yunjue.types import FIELD_TYPES, FieldSpec, Tool, ToolSpec

_NAMES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
    "array": "list",
    "null": "None",
}
MAX_SIGNATURE = 400
MAX_INPUTS = 5
"""Of a specification."""


def type_name(schema: Any) -> str:
    """A property's type as Python would write it; ``Any`` for what has no short name."""
    if not isinstance(schema, Mapping):
        return "Any"
    kind = schema.get("type")
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        inner = schema["items"].get("type")
        return f"list[{_NAMES.get(inner, 'Any') if isinstance(inner, str) else 'Any'}]"
    if isinstance(kind, str):
        return _NAMES.get(kind, "Any")
    options = schema.get("anyOf")
    if isinstance(options, list) and options:
        names = (_NAMES.get(str(one.get("type")), "Any") for one in options if one)
        return " | ".join(dict.fromkeys(names))
    return "Any"


def signature(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """One line for people and prompts: ``name(a: int, b: str) -> c: str``."""
    text = f"{name}({_fields(inputs)}) -> {_fields(outputs) or 'nothing'}"
    return text if len(text) <= MAX_SIGNATURE else text[: MAX_SIGNATURE - 1] + "…"


def declaring(tool: Tool, schemas: ToolSchemas) -> Tool:
    """The tool with the schemas that its file declares, and their signature."""
    inputs, outputs = dict(schemas.input_schema), dict(schemas.output_schema)
    return tool.model_copy(
        update={
            "input_schema": inputs,
            "output_schema": outputs,
            "signature": signature(tool.name, inputs, outputs),
        }
    )


def specification(
    name: str, description: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> ToolSpec:
    """What a tester must know to write cases for a tool that exists already.

    An input that has a default and a type of its own is left at its default. Of several
    outputs the first is tested, as everywhere.

    Raises:
        ValueError: the tool has inputs or an output that no tester can be asked for.
    """
    required = set(inputs.get("required", []))
    fields = []
    for field, schema in inputs.get("properties", {}).items():
        fits = type_name(schema) in FIELD_TYPES
        if not fits and field in required:
            raise ValueError(f"its input {field!r} is of a type no tester knows")
        if fits and (field in required or len(fields) < MAX_INPUTS):
            fields.append(_field(field, schema))
    output, schema = next(iter(outputs.get("properties", {}).items()), ("", None))
    if type_name(schema) not in FIELD_TYPES:
        raise ValueError(f"its first output {output!r} is of a type no tester knows")
    try:
        return ToolSpec(
            name=name, description=description, inputs=fields, output=_field(output, schema)
        )
    except ValidationError as error:
        raise ValueError(f"it has no inputs that fit: {error.errors()[0]['msg']}") from None


def _field(name: str, schema: Mapping[str, Any]) -> FieldSpec:
    about = schema.get("description", "")
    try:
        return FieldSpec(name=name, type=type_name(schema), description=str(about)[:200])
    except ValidationError:
        raise ValueError(f"its field {name!r} has a name no tester may use") from None


def _fields(schema: Mapping[str, Any]) -> str:
    found = schema.get("properties")
    return ", ".join(
        f"{name if name.isidentifier() else json.dumps(name)}: {type_name(property_)}"
        for name, property_ in (found if isinstance(found, Mapping) else {}).items()
    )
