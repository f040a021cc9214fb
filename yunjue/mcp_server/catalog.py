"""Tools of the library as the protocol describes tools (MCP 2025-11-25, section Tools)."""

from __future__ import annotations

from mcp_types import ListToolsResult, ToolAnnotations
from mcp_types import Tool as Listed

from yunjue.grants import declared
from yunjue.library.library import Library
from yunjue.types import Tool

PAGE = 100
"""Tools of one answer to ``tools/list``; the client asks for the next page."""

SOLVE = Listed(
    name="solve",
    title="Solve a task",
    description=(
        "Solve a task given in words. Uses the tools of the library, and writes, proves and "
        "keeps the ones that are missing. Takes from seconds to minutes."
    ),
    input_schema={
        "type": "object",
        "properties": {"task": {"type": "string", "minLength": 1, "description": "the task"}},
        "required": ["task"],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {
            "run": {"type": "string"},
            "status": {"type": "string", "enum": ["solved", "not_solved"]},
            "answer": {"type": "string"},
            "new_tools": {"type": "array", "items": {"type": "string"}},
            "tools_used": {"type": "array", "items": {"type": "string"}},
            "tokens": {"type": "integer"},
            "cost_usd": {"type": "number"},
            "seconds": {"type": "number"},
        },
        "required": ["run", "status", "answer"],
    },
    annotations=ToolAnnotations(
        read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
    ),
)


def page(library: Library, cursor: str, only: frozenset[str], solving: bool) -> ListToolsResult:
    """A page of the tools in use, by name, after the one named ``cursor``.

    Args:
        only: names to serve; empty for all.
        solving: put ``solve`` first; then a tool of that name is not served.
    """
    found = library.page(after=cursor, most=PAGE)
    served = [tool for tool in found if is_served(tool.name, only, solving) and is_plain(tool)]
    tools = [SOLVE] if solving and not cursor else []
    return ListToolsResult(
        tools=tools + [listed(tool) for tool in served],
        next_cursor=found[-1].name if len(found) == PAGE else None,
    )


def is_served(name: str, only: frozenset[str], solving: bool) -> bool:
    """Whether the library's tool of that name is offered."""
    return (not only or name in only) and not (solving and name == SOLVE.name)


def is_plain(tool: Tool) -> bool:
    """Whether it takes and gives objects, as the protocol wants it: one that does not would
    spoil the whole list."""
    schemas = (tool.input_schema, tool.output_schema)
    return all(schema.get("type", "object") == "object" for schema in schemas)


def listed(tool: Tool) -> Listed:
    """The tool as it is listed. A tool keeps nothing and changes nothing; only one that
    declares hosts meets the world outside."""
    network = bool(declared(tool.source).get("network"))
    return Listed(
        name=tool.name,
        description=tool.description,
        input_schema={"type": "object", **tool.input_schema},
        output_schema={"type": "object", **tool.output_schema},
        annotations=ToolAnnotations(
            read_only_hint=not network,
            destructive_hint=False if not network else None,
            idempotent_hint=not network,
            open_world_hint=network,
        ),
    )
