"""JSON schemas of what author, tester and manager must answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.types import FIELD_TYPES, ToolSpec

JSON_TYPES: dict[str, dict[str, Any]] = {
    "str": {"type": "string", "maxLength": 400},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list[str]": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 50},
    "list[int]": {"type": "array", "items": {"type": "integer"}, "maxItems": 50},
    "list[float]": {"type": "array", "items": {"type": "number"}, "maxItems": 50},
}

# The pattern keeps a constrained decoder to snake_case; types.TOOLNAME decides.
NAME = {"type": "string", "pattern": "^[a-z]+(_[a-z0-9]+)*$", "maxLength": 40}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these members, all required, in this order."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def specification_schema(taken: Sequence[str] = ()) -> dict[str, Any]:
    """What the manager answers when it specifies a missing tool; names in ``taken`` are
    another tool's."""
    field = closed(
        {
            "name": NAME,
            "description": {"type": "string", "maxLength": 100},
            "type": {"enum": list(FIELD_TYPES)},
        }
    )
    return closed(
        {
            "name": {**NAME, "not": {"enum": list(taken)}} if taken else NAME,
            "description": {"type": "string", "maxLength": 250},
            "inputs": {"type": "array", "items": field, "minItems": 1, "maxItems": 5},
            # Named before it is typed: the name makes a small model choose the right type.
            "output": field,
        }
    )


def inputs_schema(spec: ToolSpec) -> dict[str, Any]:
    """The inputs of one call of the specified tool."""
    return closed({field.name: JSON_TYPES[field.type] for field in spec.inputs})


def cases_schema(spec: ToolSpec, count: int) -> dict[str, Any]:
    """What the tester answers: ``count`` cases, or at least two."""
    case = closed(
        {
            "inputs": inputs_schema(spec),
            "expected": {**JSON_TYPES[spec.output.type], **_SHORT.get(spec.output.type, {})},
        }
    )
    return closed({"cases": {"type": "array", "items": case, "minItems": 2, "maxItems": count}})


# A model asked for what it cannot know (a hash, say) may never end its string.
_SHORT = {"str": {"maxLength": 80}}
