"""The tool library of a folder: add proven tools, find them again, remember their calls.

::

    LIBRARY/library.db      rows: tools, verdicts, cases, calls
    LIBRARY/code/ab/…py     the tools' files, by content hash
    LIBRARY/index/          vectors; can be deleted at any time
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.errors import DatabaseDamaged, LibraryError, NameTaken, UnknownToolError, YunjueError
from yunjue.hashing import content_id
from yunjue.library.ranking import fuse
from yunjue.protocols import Embedder
from yunjue.store.code import CodeFiles
from yunjue.store.database import Database
from yunjue.store.fulltext import match_any, shorten
from yunjue.store.index import VectorIndex
from yunjue.store.records import Addition, Records
from yunjue.store.seal import intact
from yunjue.types import TOOL_NAME, CallOutcome, Case, Tool, Verdict

QUERY_CHARACTERS = 4000
"""What full text reads of a query; a task may bring 100 kB of material along."""

EMBEDDED_CHARACTERS = 1000
"""What the embedder reads of it: about 256 tokens."""

WORDS_WEIGHT = 0.1
"""Next to meaning, which counts 1. A task seldom uses its tool's words: with equal weights
the one tool that happens to share a word overtakes the right one (30 paraphrased tasks, right
tool first: 17 by meaning alone, 12 with weight 1, 15 with 0.1). Names and jargon that the
embedder does not know still decide between tools that mean the same to it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A tool for a query.

    Attributes:
        score: ranks within one search only; larger is better.
        similarity: cosine of query and tool, comparable between searches; None when the
            tool was found by words alone.
    """

    tool: Tool
    score: float
    similarity: float | None = None


class Library:
    """The tools of one folder. Any number of processes and threads may use it at once.

    Nothing is opened before it is needed and no file is made before the first write: a
    library that does not exist is an empty one.

    Args:
        directory: the folder.
        make_embedder: called once, when there is a tool to find; may raise YunjueError,
            then search goes on by words alone.
        warn: told what is wrong but does not stop the work.
    """

    def __init__(
        self,
        directory: Path,
        make_embedder: Callable[[], Embedder],
        warn: Callable[[str], None],
    ) -> None:
        self.directory = directory
        self._make_embedder = make_embedder
        self._warn = warn
        self._turn = threading.RLock()
        self._database: Database | None = None
        self._index: VectorIndex | None = None
        self._no_embedder = False

    def search(self, query: str, k: int) -> list[Found]:
        """The ``k`` active tools that fit ``query`` best, by words and by meaning."""
        records = self._records()
        if records is None or not (names := records.active()):
            return []
        depth = max(20, 4 * k)
        match = match_any(shorten(query, QUERY_CHARACTERS))
        by_words = records.matching(match, depth) if match else []
        by_meaning = self._nearest(shorten(query, EMBEDDED_CHARACTERS), depth)
        similar = dict(by_meaning)
        found: list[Found] = []
        for tool_id, score in fuse((list(similar), 1.0), (by_words, WORDS_WEIGHT)):
            if len(found) >= k:
                break
            # Another process may have retired it, or added it, since the names were read.
            if tool_id in names and (tool := self._readable(records, tool_id)):
                found.append(Found(tool, score, similar.get(tool_id)))
        return found

    def find(self, name: str) -> Tool | None:
        """The active tool of that name, or None.

        Raises:
            LibraryError: its file is gone or was changed.
        """
        records = self._records()
        return records.by_name(name) if records else None

    def get(self, name: str) -> Tool:
        """The active tool of that name.

        Raises:
            UnknownToolError: there is none; the message names similar ones.
            LibraryError: its file is gone or was changed.
        """
        if tool := self.find(name):
            return tool
        raise _unknown(name, list(self._names().values()))

    def get_by_id(self, tool_id: str) -> Tool:
        """The tool with that content id, active or retired.

        Raises:
            UnknownToolError: there is none.
            LibraryError: its file is gone or was changed.
        """
        records = self._records()
        tool = records.by_id(tool_id) if records else None
        if tool is None:
            raise UnknownToolError(f"There is no tool with the id {tool_id!r}.")
        return tool

    def active(self) -> list[Tool]:
        """All active tools by name, but those whose files are not sound: it warns of them."""
        records = self._records()
        if records is None:
            return []
        tools = (self._readable(records, tool_id) for tool_id in records.active())
        return [tool for tool in tools if tool]

    def count(self) -> int:
        """How many tools are active."""
        return len(self._names())

    def add(self, tool: Tool, verdict: Verdict) -> Tool:
        """Keep a proven tool with its verdict and cases; adding it again changes nothing.

        Raises:
            NameTaken: another active tool has the name.
            LibraryError: the verdict does not admit this tool, or its name or id is wrong.
            DatabaseLocked, DatabaseDamaged, DiskFull: nothing was added.
        """
        _check_admissible(tool, verdict)
        records = self._records(create=True)
        records.add(tool, verdict)
        self._index_tool(tool)
        return tool

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Add several proven tools in one step: all of them, or none. Raises as :meth:`add`."""
        for one in additions:
            _check_admissible(one.tool, one.verdict)
        if additions:
            self._records(create=True).add_all(additions)
        for one in additions:
            if one.active:
                self._index_tool(one.tool)

    def retire(self, tool_id: str, why: str = "") -> None:
        """Take a tool out of use and free its name; its file and history are kept.

        Raises:
            UnknownToolError: there is no such tool.
        """
        self.get_by_id(tool_id)
        self._records(create=True).retire(tool_id, why)

    def restore(self, tool_id: str, why: str = "", replace: bool = False) -> Tool:
        """Put a retired tool into use again.

        Args:
            replace: retire the active tool of the same name in the same step.

        Raises:
            UnknownToolError: there is no such tool.
            NameTaken: another active tool has the name, and is not to be replaced.
            LibraryError: its file is gone or was changed.
        """
        tool = self.get_by_id(tool_id)
        holder = self.find(tool.name)
        other = holder.id if holder and holder.id != tool.id else ""
        if other and not replace:
            raise NameTaken(f"There is another active tool named {tool.name!r}.")
        self._records(create=True).restore(tool_id, why, other)
        self._index_tool(tool)
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
            raise _unknown(name, records.names() if records else [])
        return found

    def history(self, name: str) -> list[dict[str, Any]]:
        """What became of the tools of that name, oldest first: ``id``, ``what`` (added,
        retired, restored), ``why``, ``created``."""
        records = self._records()
        return records.history(name) if records else []

    def add_verdict(self, verdict: Verdict) -> None:
        """Keep a later verdict on a tool, which :meth:`verdict` then gives.

        Raises:
            UnknownToolError: there is no such tool.
        """
        self.get_by_id(verdict.tool_id)
        self._records(create=True).add_verdict(verdict)

    def verdict(self, tool_id: str) -> Verdict | None:
        """The last word on the tool: why it was admitted, or what a later proof found."""
        records = self._records()
        return records.verdict(tool_id) if records else None

    def cases(self, tool_id: str) -> list[Case]:
        """The cases the tool passed when it was admitted."""
        records = self._records()
        return records.cases(tool_id) if records else []

    def record_call(
        self, run: str, call: str, tool_id: str, outcome: CallOutcome, inputs: Mapping[str, Any]
    ) -> None:
        """Keep what a call came to, once per ``run`` and ``call`` (ids that the caller makes).

        Raises:
            LibraryError: the library has no tool with that id.
        """
        self._records(create=True).record_call(run, call, tool_id, outcome, inputs)

    def stats(self, tool_id: str) -> dict[str, Any]:
        """How the tool's calls went: ``calls``, ``ok``, ``input_errors``, ``failed``,
        ``seconds`` (their sum), ``last_used`` (ISO time in UTC, or None)."""
        if records := self._records():
            return records.stats(tool_id)
        counts = dict.fromkeys(("calls", "ok", "input_errors", "failed"), 0)
        return {**counts, "seconds": 0.0, "last_used": None}

    def check(self) -> list[str]:
        """What is wrong with the library, one line each; empty when it is sound."""
        try:
            records = self._records()
            if records is None or self._database is None:
                return []
            problems = self._database.check() or records.check()
        except LibraryError as error:
            return [error.message]
        if not intact(self._index_folder):
            problems.append("the index is damaged; the next search makes it again")
        return problems

    def reindex(self) -> int:
        """Make the vector index again from the rows; the number of tools in it.

        Raises:
            YunjueError: the embedder cannot be had, or there is no room.
        """
        if self.count() == 0:
            return 0
        with self._turn:
            self._index = self._index or self._new_index()
        return self._index.rebuild()

    def close(self) -> None:
        """Close the files; may be called twice, and the library may be used again."""
        with self._turn:
            if self._database:
                self._database.close()
            self._database = self._index = None

    @property
    def _index_folder(self) -> Path:
        return self.directory / "index"

    def _records(self, create: bool = False) -> Records | None:
        """The rows, or None if there is no library yet and ``create`` is not set."""
        with self._turn:
            code = CodeFiles(self.directory / "code")
            path = self.directory / "library.db"
            if self._database is None:
                if not create and not path.exists():
                    return None
                _refuse_emptied(path, code)
                self._database = Database(path)
            return Records(self._database, code)

    def _names(self) -> dict[str, str]:
        records = self._records()
        return records.active() if records else {}

    def _readable(self, records: Records, tool_id: str) -> Tool | None:
        try:
            return records.by_id(tool_id)
        except LibraryError as error:
            self._warn(f"A tool is left out: {error.message}")
            return None

    def _nearest(self, query: str, most: int) -> list[tuple[str, float]]:
        try:
            index = self._vectors()
            return index.search(query, most) if index else []
        except YunjueError as error:
            self._warn(f"Tools are searched by words only, not by meaning: {error.message}")
            return []

    def _index_tool(self, tool: Tool) -> None:
        try:
            if index := self._vectors():
                index.add(tool.id)
        except YunjueError as error:  # the tool is safe; the index follows when it can
            self._warn(f"{tool.name} is in the library, but not in its index yet: {error.message}")

    def _vectors(self) -> VectorIndex | None:
        """The index, or None when there is no embedder; says so once."""
        with self._turn:
            if self._index is None and not self._no_embedder:
                try:
                    self._index = self._new_index()
                except YunjueError as error:
                    self._no_embedder = True
                    self._warn(
                        "Tools are searched by words only, not by meaning, because there is no "
                        f"embedder: {error.message}"
                    )
            return self._index

    def _new_index(self) -> VectorIndex:
        records = self._records(create=True)
        return VectorIndex(self._index_folder, self._make_embedder(), records.texts, self._warn)


def _unknown(name: str, names: list[str]) -> UnknownToolError:
    near = difflib.get_close_matches(name, names, n=3)
    similar = f" Did you mean {', '.join(near)}?" if near else ""
    return UnknownToolError(f"There is no tool named {name!r}.{similar}")


def _check_admissible(tool: Tool, verdict: Verdict) -> None:
    if not TOOL_NAME.match(tool.name) or len(tool.name) > 64:
        raise LibraryError(f"{tool.name!r} is not a lower_snake_case name of 64 characters.")
    if tool.id != content_id(tool.source):
        raise LibraryError(f"The id of {tool.name} is not the hash of its source.")
    if not verdict.admitted or verdict.tool_id != tool.id:
        raise LibraryError(f"The verdict does not admit {tool.name}: {verdict.reason()}.")


def _refuse_emptied(path: Path, code: CodeFiles) -> None:
    """SQLite takes a file of no bytes for a new database; next to tools it is a lost one."""
    if path.exists() and path.stat().st_size == 0 and code.folder.exists():
        raise DatabaseDamaged(f"{path} is empty, but {code.folder} holds tools.")
