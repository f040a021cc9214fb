"""A library that is read from afar: questions and answers as text, whatever carries them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.errors import YunjueError
from yunjue.evolution.branch import Base
from yunjue.evolution.worker import error_of, told_error
from yunjue.library.library import Found, Refusal
from yunjue.types import Tool


class RemoteBase:
    """A :class:`yunjue.evolution.branch.Base` whose questions go to :func:`answer`.

    Args:
        directory: of the library, at its owner.
        ask: carries a question and brings its answer; from any thread.
    """

    def __init__(self, directory: Path, ask: Callable[[str], str]) -> None:
        self.directory = directory
        self._carry = ask

    def search(self, query: str, k: int, *, domain: str | None = None) -> list[Found]:
        found = self._ask("search", query, k, domain)
        return [Found(**{**one, "tool": Tool(**one["tool"])}) for one in found]

    def similarities(self, query: str, texts: Sequence[str]) -> list[float] | None:
        return self._ask("similarities", query, list(texts))

    def find(self, name: str) -> Tool | None:
        tool = self._ask("find", name)
        return Tool(**tool) if tool else None

    def has(self, tool_id: str) -> bool:
        return self._ask("has", tool_id)

    def passing_over(self, name: str, model: str) -> Refusal | None:
        refusal = self._ask("passing_over", name, model)
        return Refusal(**refusal) if refusal else None

    def _ask(self, what: str, *about: Any) -> Any:
        """Raises: YunjueError: what the library raised, of its class."""
        answered = json.loads(self._carry(json.dumps([what, *about])))
        if "error" in answered:
            raise error_of(answered["error"])
        return answered["answer"]


def answer(base: Base, question: str) -> str:
    """What ``base`` says to a question of a :class:`RemoteBase`."""
    what, *about = json.loads(question)
    try:
        return json.dumps({"answer": _ANSWERS[what](base, *about)})
    except YunjueError as error:
        return json.dumps({"error": told_error(error)})


def _search(base: Base, query: str, k: int, domain: str | None) -> list[dict[str, Any]]:
    return [
        {
            "tool": one.tool.model_dump(),
            "score": float(one.score),
            "similarity": None if one.similarity is None else float(one.similarity),
            "status": one.status,
        }
        for one in base.search(query, k, domain=domain)
    ]


def _similarities(base: Base, query: str, texts: list[str]) -> list[float] | None:
    return base.similarities(query, texts)


def _find(base: Base, name: str) -> dict[str, Any] | None:
    tool = base.find(name)
    return tool.model_dump() if tool else None


def _has(base: Base, tool_id: str) -> bool:
    return bool(base.has(tool_id))


def _passing_over(base: Base, name: str, model: str) -> dict[str, Any] | None:
    refusal = base.passing_over(name, model)
    return asdict(refusal) if refusal else None


_ANSWERS = {
    "search": _search,
    "similarities": _similarities,
    "find": _find,
    "has": _has,
    "passing_over": _passing_over,
}
