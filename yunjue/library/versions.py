"""Versions of tools: taken out of use, put back, replaced, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.errors import LibraryError, UnknownToolError
from yunjue.hashing import content_id
from yunjue.library.finding import Finding
from yunjue.store.records import Addition
from yunjue.types import TOOL_NAME, Case, Tool, Verdict


class Versions(Finding):
    """The changes of :class:`yunjue.library.library.Library`; the index follows by itself."""

    def add(self, tool: Tool, verdict: Verdict) -> Tool:
        """Keep a proven tool with its verdict and cases; adding it again changes nothing.

        Raises:
            NameTaken: another tool in use has the name.
            LibraryError: the verdict does not admit this tool, or its name or id is wrong.
            DatabaseLocked, DatabaseDamaged, DiskFull: nothing was added.
        """
        _check_admissible(tool, verdict)
        self._written().add(tool, verdict)
        return tool

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Add several proven tools in one step: all of them, or none. Raises as :meth:`add`."""
        for one in additions:
            _check_admissible(one.tool, one.verdict)
        if additions:
            self._written().add_all(additions)

    def replace(self, old_id: str, tool: Tool, verdict: Verdict, why: str) -> Tool:
        """Put a repaired version in the place of the one in use, in one step.

        ``verdict.cases`` become the cases of the new version: give it those of the old one
        (:meth:`cases`), which it must have passed. The old id joins its ``parents``.

        Raises:
            LibraryError: the old version is not in use any more or has another name, or the
                verdict does not admit the new one.
        """
        parents = tool.origin.get("parents", [])
        if old_id not in parents:
            origin = {**tool.origin, "parents": [*parents, old_id]}
            tool = tool.model_copy(update={"origin": origin})
        _check_admissible(tool, verdict)
        self._written().replace(old_id, tool, verdict, why)
        return tool

    def propose(self, tool: Tool, cases: list[Case], why: str) -> Tool:
        """Keep a tool that is not proven here as a candidate: it is not found until
        :meth:`add` brings its verdict.

        Raises:
            LibraryError: its name or id is wrong.
        """
        _check_named(tool)
        self._written().propose(tool, cases, why)
        return tool

    def retire(self, tool_id: str, why: str = "") -> None:
        """Take a tool out of use and free its name; its file and history are kept.

        Raises:
            UnknownToolError: there is no such tool.
        """
        self._known(tool_id)
        self._written().retire(tool_id, why)

    def restore(self, tool_id: str, why: str = "", replace: bool = False) -> Tool:
        """Put a retired tool into use again.

        Args:
            replace: retire the tool in use of the same name in the same step.

        Raises:
            UnknownToolError: there is no such tool.
            NameTaken: another tool in use has the name, and is not to be replaced.
            LibraryError: it was never proven here, or its file is gone or was changed.
        """
        tool = self.get_by_id(tool_id)
        self._written().restore(tool_id, why, replace)
        return tool

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All tools that ever had the name, oldest first: ``id``, ``status``, ``created``
        (ISO time in UTC), ``signature``, ``origin``.

        Raises:
            UnknownToolError: none ever had it; the message names similar ones.
        """
        records = self._records()
        found = records.versions(name) if records else []
        if not found:
            raise self._unknown(name, ever=True)
        return found

    def history(self, name: str) -> list[dict[str, Any]]:
        """What became of the tools of that name, oldest first: ``id``, ``what`` (proposed,
        added, suspected, cleared, retired, restored, deleted), ``why``, ``created``."""
        records = self._records()
        return records.history(name) if records else []

    def add_verdict(self, verdict: Verdict) -> None:
        """Keep a later verdict on a tool, which :meth:`verdict` then gives.

        Raises:
            UnknownToolError: there is no such tool.
        """
        self._known(verdict.tool_id)
        self._written().add_verdict(verdict)

    def verdict(self, tool_id: str) -> Verdict | None:
        """The last word on the tool: why it was admitted, or what a later proof found."""
        records = self._records()
        return records.verdict(tool_id) if records else None

    def _known(self, tool_id: str) -> None:
        if not self.has(tool_id):
            raise UnknownToolError(f"There is no tool with the id {tool_id!r}.")


def _check_named(tool: Tool) -> None:
    if not TOOL_NAME.match(tool.name) or len(tool.name) > 64:
        raise LibraryError(f"{tool.name!r} is not a lower_snake_case name of 64 characters.")
    if tool.id != content_id(tool.source):
        raise LibraryError(f"The id of {tool.name} is not the hash of its source.")


def _check_admissible(tool: Tool, verdict: Verdict) -> None:
    _check_named(tool)
    if not verdict.admitted or verdict.tool_id != tool.id:
        raise LibraryError(f"The verdict does not admit {tool.name}: {verdict.reason()}.")
