"""Finding tools: by name, by id, and by what is to be done.

Nothing here reads the whole library: full text and vectors give a few dozen ids each, and
only those are looked at. When filters leave too few of them, more are asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from yunjue.errors import UnknownToolError, YunjueError
from yunjue.library.ranking import fuse
from yunjue.library.shelf import Shelf
from yunjue.store.fulltext import shorten, words_of
from yunjue.store.truth import Truth
from yunjue.types import Tool

QUERY_CHARACTERS = 4000
"""What full text reads of a query; a task may bring 100 kB of material along."""

EMBEDDED_CHARACTERS = 1000
"""What the embedder reads of it: about 256 tokens."""

WORDS_WEIGHT = 0.1
"""Next to meaning, which counts 1. A task seldom uses its tool's words: with equal weights
the one tool that happens to share a word overtakes the right one (30 paraphrased tasks, right
tool first: 17 by meaning alone, 12 with weight 1, 15 with 0.1). Names and jargon that the
embedder does not know still decide between tools that mean the same to it."""

DEEPEST = 1280
"""Most tools of each ranking that are looked at when filters let few pass."""


@dataclass(frozen=True, slots=True)
class Found:
    """A tool for a query.

    Attributes:
        score: ranks within one search only; larger is better.
        similarity: cosine of query and tool, comparable between searches; None when the
            tool was found by words alone.
        status: ``active``, or ``suspect``: it failed lately.
    """

    tool: Tool
    score: float
    similarity: float | None = None
    status: str = "active"


class Finding(Shelf):
    """The reads of :class:`yunjue.library.library.Library`."""

    def search(
        self,
        query: str,
        k: int,
        *,
        domain: str | None = None,
        permissions: Collection[str] | None = None,
    ) -> list[Found]:
        """The ``k`` tools in use that fit ``query`` best, by words and by meaning; of these
        the suspect ones last.

        Args:
            domain: only tools of this domain, and those of none.
            permissions: only tools that need no others than these.
        """
        records, words = self._records(), self._words()
        if records is None or words is None or not records.any_in_use():
            return []
        told = words_of(shorten(query, QUERY_CHARACTERS))
        vector = self._vector(shorten(query, EMBEDDED_CHARACTERS))
        found: list[Found] = []
        depth = max(20, 4 * k)
        while True:
            by_words = words.matching(told, depth)
            similar = dict(self._nearest(vector, depth))
            ranked = fuse((list(similar), 1.0), (by_words, WORDS_WEIGHT))
            passed = words.findable([tool_id for tool_id, _ in ranked], domain, permissions)
            exhausted = len(by_words) < depth and len(similar) < depth
            if len(passed) >= k or exhausted or depth >= DEEPEST:
                break
            depth *= 4
        for tool_id, score in ranked:
            if len(found) >= k:
                break
            if tool_id in passed and (tool := self._readable(records, tool_id)):
                found.append(Found(tool, score, similar.get(tool_id), passed[tool_id]))
        return sorted(found, key=lambda one: one.status != "active")

    def similarities(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """The cosine of ``query`` and each text, which need not be of the library; None when
        there is no embedder."""
        try:
            index = self._vectors()
            if index is None:
                return None
            vectors = index.embed([shorten(query, EMBEDDED_CHARACTERS), *texts])
        except YunjueError as error:
            self._by_words_only(error)
            return None
        return (vectors[1:] @ vectors[0]).tolist()

    def find(self, name: str) -> Tool | None:
        """The tool in use of that name, or None.

        Raises:
            LibraryError: its file is gone or was changed.
        """
        records = self._records()
        return records.by_name(name) if records else None

    def get(self, name: str) -> Tool:
        """The tool in use of that name.

        Raises:
            UnknownToolError: there is none; the message names similar ones.
            LibraryError: its file is gone or was changed.
        """
        if tool := self.find(name):
            return tool
        raise self._unknown(name)

    def get_by_id(self, tool_id: str) -> Tool:
        """The tool with that content id, in use or not.

        Raises:
            UnknownToolError: there is none.
            LibraryError: its file is gone, was changed, or was deleted.
        """
        records = self._records()
        tool = records.by_id(tool_id) if records else None
        if tool is None:
            raise UnknownToolError(f"There is no tool with the id {tool_id!r}.")
        return tool

    def has(self, tool_id: str) -> bool:
        """Whether the library knows the tool, in use or not."""
        records = self._records()
        return records.has(tool_id) if records else False

    def status(self, tool_id: str) -> str:
        """``candidate``, ``active``, ``suspect``, ``retired`` or ``deleted``; "" if unknown."""
        records = self._records()
        return records.status(tool_id) if records else ""

    def active(self) -> list[Tool]:
        """All tools in use by name, but those whose files are not sound: it warns of them."""
        records = self._records()
        if records is None:
            return []
        tools = (self._readable(records, tool_id) for tool_id in records.in_use())
        return [tool for tool in tools if tool]

    def page(self, after: str = "", most: int = 100) -> list[Tool]:
        """The first ``most`` tools in use by name, after the name ``after``; those whose files
        are not sound are left out, with a warning."""
        records = self._records()
        ids = records.names_after(after, most) if records else []
        return [tool for tool_id in ids if (tool := self._readable(records, tool_id))]

    def latest(self) -> int:
        """The number of the last change to any tool: it grows with each."""
        database = self._opened()
        return Truth(database).latest() if database else 0

    def count(self) -> int:
        """How many tools are in use."""
        records = self._records()
        return records.count() if records else 0

    def _unknown(self, name: str, ever: bool = False) -> UnknownToolError:
        words = self._words()
        names = words.similar_names(name, ever) if words else []
        near = difflib.get_close_matches(name, names, n=3)
        similar = f" Did you mean {', '.join(near)}?" if near else ""
        return UnknownToolError(f"There is no tool named {name!r}.{similar}")

    def _vector(self, query: str) -> object | None:
        try:
            index = self._vectors()
            return index.embed([query]) if index else None
        except YunjueError as error:
            self._by_words_only(error)
            return None

    def _nearest(self, vector: object | None, most: int) -> list[tuple[str, float]]:
        try:
            index = self._vectors()
            if index is None or vector is None:
                return []
            return index.search_vector(vector, most)
        except YunjueError as error:
            self._by_words_only(error)
            return []

    def _by_words_only(self, error: YunjueError) -> None:
        self._warn(f"Tools are searched by words only, not by meaning: {error.message}")
