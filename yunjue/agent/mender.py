"""The mender: a tool of the library that has failed too often is written anew, in use."""

from __future__ import annotations

from typing import Any

from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.agent.views import find_tool
from yunjue.errors import LibraryError
from yunjue.types import Tool


async def mend(state: State, services: Services) -> dict[str, Any]:
    """Repair the tool that has just become suspect; the executor is told what came of it.

    The new version must pass what the old one passed, do again what it did right in real
    work, and not fail where it failed; else the old one stays, suspect.
    """
    worn = state["worn"] or {}
    tool = find_tool(state, worn["tool"])
    assert tool is not None, "it was called a moment ago"
    repaired = await services.synthesizer.mend(tool, worn["cases"], worn["failures"])
    if repaired.tool is None or repaired.verdict is None:
        services.events.emit("tool.unmended", name=tool.name, id=tool.id, why=repaired.refusal)
        return {"worn": None, "remark": f"{tool.name} is broken and could not be repaired."}
    new = repaired.tool
    new.origin["run"] = services.run
    why = f"repaired: {worn['failures'][0]['error']}"
    kept = True
    try:
        if services.mended and services.library.has(tool.id):  # not in a replay
            new = services.mended.replace(tool.id, new, repaired.verdict, why)
    except LibraryError as error:
        # Another process was faster: this run may use the tool, not keep it.
        services.events.emit("warning", message=f"{tool.name} is not kept: {error.message}")
        kept = False
    services.events.emit(
        "tool.mended",
        name=tool.name,
        old=tool.id,
        id=new.id,
        kept=kept,
        verdict=repaired.verdict.model_dump(),
    )
    return {
        "worn": None,
        "tools": [_replaced(entry, tool, new) for entry in state["tools"]],
        "remark": f"{tool.name} was repaired: call it again.",
    }


def _replaced(entry: dict[str, Any], old: Tool, new: Tool) -> dict[str, Any]:
    return new.model_dump() if entry["id"] == old.id else entry
