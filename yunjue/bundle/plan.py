"""What an import would do to the library, decided before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from yunjue.errors import LibraryError, UnknownToolError
from yunjue.library.library import Library
from yunjue.types import Case, Tool

OnCollision = Literal["refuse", "keep", "replace"]
"""A tool is the hash of its text, and its name stands in the text: it cannot be renamed."""

ADD, REPLACE, RESTORE = "add", "replace", "restore"
PRESENT, KEPT, REFUSED = "already there", "kept ours", "refused"
TAKEN = (ADD, REPLACE, RESTORE)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A tool on its way in.

    Attributes:
        cases: to prove it with; empty if they are still to be written.
        meta: its ``__TOOL_META__``.
        active: False for an earlier version, which comes along for the history.
    """

    tool: Tool
    cases: Sequence[Case]
    meta: dict[str, Any]
    active: bool = True


@dataclass(slots=True)
class Planned:
    """One tool and what becomes of it.

    Attributes:
        action: what is to be done, and at the end what was done.
        reason: short name of why it was refused.
        detail: one sentence for a person.
        holder: id of the active tool that it replaces.
        evidence: what the stage that refused it saw.
    """

    incoming: Incoming
    action: str
    reason: str = ""
    detail: str = ""
    holder: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    def refuse(self, reason: str, detail: str) -> None:
        self.action, self.reason, self.detail = REFUSED, reason, detail

    @property
    def taken(self) -> bool:
        return self.action in TAKEN

    def to_dict(self) -> dict[str, Any]:
        """All that a person should know before and after."""
        tool, meta = self.incoming.tool, self.incoming.meta
        return {
            "name": tool.name,
            "id": tool.id,
            "action": self.action,
            "reason": self.reason,
            "detail": self.detail,
            "description": tool.description,
            "signature": tool.signature,
            "requirements": tool.requirements,
            "network": meta.get("network", []),
            "secrets": meta.get("secrets", []),
            "licence": tool.origin.get("licence", ""),
            "active": self.incoming.active,
            "cases": len(self.incoming.cases),
            "evidence": self.evidence,
        }


def plan(
    library: Library, incoming: Sequence[Incoming], on_collision: OnCollision
) -> list[Planned]:
    """One decision for each tool, in order. Reads the library only.

    An earlier version is taken if the one in use is.
    """
    active = {one.tool.name: _decide(library, one, on_collision) for one in incoming if one.active}
    planned = []
    for one in incoming:
        if one.active:
            planned.append(active[one.tool.name])
            continue
        known = _known(library, one.tool.id) is not None
        taken = active[one.tool.name].taken and not known
        planned.append(Planned(one, ADD if taken else PRESENT if known else KEPT))
    return planned


def _decide(library: Library, incoming: Incoming, on_collision: OnCollision) -> Planned:
    tool = incoming.tool
    holder = _holder(library, tool.name)
    if holder == tool.id:
        return Planned(incoming, PRESENT, detail="the same version is in use")
    if holder:
        what, done = f"another version, {holder[:12]}, is in use here", REPLACE
    elif _known(library, tool.id):
        what, done = "this version was retired here", RESTORE
    else:
        return Planned(incoming, ADD)
    if on_collision == "replace":
        return Planned(incoming, done, detail=what, holder=holder)
    if on_collision == "keep":
        return Planned(incoming, KEPT, detail=what)
    detail = f"{what}; choose --on-collision keep or replace"
    return Planned(incoming, REFUSED, "collision", detail)


def _holder(library: Library, name: str) -> str:
    """Id of the active tool of that name, even if its file is damaged; or empty."""
    try:
        versions = library.versions(name)
    except UnknownToolError:
        return ""
    return next((one["id"] for one in versions if one["in_use"]), "")


def _known(library: Library, tool_id: str) -> Tool | None:
    try:
        return library.get_by_id(tool_id)
    except UnknownToolError:
        return None
    except LibraryError:  # it is known, and its file is damaged: say so when it is used
        return None
