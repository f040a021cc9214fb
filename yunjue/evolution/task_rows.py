"""Rows become tasks: which field is what, and what makes a row no task."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from yunjue.agent.run import MAX_TASK_CHARS
from yunjue.errors import UsageError
from yunjue.evolution.rows import Problem, Row

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "task_id", "uid"),
    "task": ("task", "question", "prompt", "problem", "instruction", "query", "input"),
    "answer": ("answer", "final_answer", "expected", "target"),
    "domain": ("domain", "family", "category", "subject"),
    "files": ("files",),
}
"""Field -> the names that it may have in a source, the first that is there counts."""
MAX_ID_CHARS = 200
MAX_UNREADABLE = 1000
"""Unreadable lines after which a source is taken for something else than tasks."""


@dataclass(frozen=True, slots=True)
class StreamTask:
    """One task of a stream.

    Attributes:
        id: unique in its stream; not a file name. In epoch E > 1 it ends with ``@E``.
        answer: the known one, for metrics; no model sees it.
        files: name -> absolute path of what its tools may read.
    """

    id: str
    task: str
    domain: str = ""
    answer: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


class _Refused(Exception):
    """Why a row is no task."""


class Tasks:
    """The tasks so far, and what was left out.

    Args:
        folder: where files that rows name may lie; None if rows cannot name any.
    """

    def __init__(self, names: Mapping[str, Sequence[str]], folder: Path | None) -> None:
        self._names = names
        self._folder = folder
        self._unreadable = 0
        self._ids: dict[str, str] = {}
        self._texts: dict[Any, str] = {}
        self.found: list[tuple[int, StreamTask]] = []
        self.problems: list[Problem] = []

    def take(self, row: Row | Problem, source: str) -> None:
        if isinstance(row, Problem):
            self.problems.append(row)
            self._unreadable += 1
            if self._unreadable > MAX_UNREADABLE:
                raise UsageError(
                    f"{source} does not look like tasks: more than {MAX_UNREADABLE} unreadable "
                    f"lines, the first is {self.problems[0]}."
                )
            return
        try:
            task = self._task(row)
        except _Refused as why:
            self.problems.append(Problem(row.place, str(why)))
        else:
            self.found.append((row.number, task))

    def tasks(self) -> list[StreamTask]:
        """The tasks, of which those without an id get the number of their row."""
        named = []
        for number, task in self.found:
            own = str(number) if str(number) not in self._ids else f"row-{number}"
            while not task.id and own in self._ids:
                own = f"row-{own}"
            named.append(task if task.id else replace(task, id=own))
        return named

    def _task(self, row: Row) -> StreamTask:
        task = self._text(row)
        key = self._id(row)
        answer = _text_or_number(self._value(row, "answer"), "answer")
        if answer is not None and len(answer) > MAX_TASK_CHARS:
            raise _Refused(f"the answer is longer than {MAX_TASK_CHARS} characters")
        domain = _text_or_number(self._value(row, "domain"), "domain") or ""
        files = self._files(self._value(row, "files"))
        if key in self._ids:
            raise _Refused(f"the id {key!r} is that of {self._ids[key]} too")
        same = (task, tuple(sorted(files.items())))
        if same in self._texts:
            raise _Refused(f"the same task as {self._texts[same]}")
        self._texts[same] = row.place
        if key:
            self._ids[key] = row.place
        return StreamTask(key, task, domain, answer, files)

    def _value(self, row: Row, name: str) -> Any:
        column = find_column(list(row.fields), self._names[name])
        value = None if column is None else row.fields[column]
        return None if value == "" and name != "task" else value

    def _text(self, row: Row) -> str:
        text = self._value(row, "task")
        if text is None:
            has = ", ".join(repr(key)[:40] for key in list(row.fields)[:8]) or "nothing"
            raise _Refused(f"no task (it has {has})")
        if not isinstance(text, str):
            raise _Refused(f"the task is {_kind(text)}, not text")
        if not text.strip():
            raise _Refused("the task is empty")
        if len(text) > MAX_TASK_CHARS:
            raise _Refused(f"the task is longer than {MAX_TASK_CHARS} characters")
        return _clean(text, "task")

    def _id(self, row: Row) -> str:
        """The id, "" if it has none."""
        text = (_text_or_number(self._value(row, "id"), "id") or "").strip()
        if len(text) > MAX_ID_CHARS or not text.isprintable():
            raise _Refused(f"the id is no line of at most {MAX_ID_CHARS} printable characters")
        return text

    def _files(self, value: Any) -> dict[str, str]:
        """name -> absolute path. Only files below the folder of the source: a list of tasks
        from elsewhere must not name the user's keys."""
        if self._folder is None or value is None:
            return {}
        if isinstance(value, str):
            value = _files_in_cell(value)
        if isinstance(value, list):
            names = [Path(str(path)).name for path in value]
            if len(set(names)) < len(names):
                raise _Refused("two of its files have the same name")
            value = dict(zip(names, value, strict=True))
        if not isinstance(value, dict):
            raise _Refused(f"files is {_kind(value)}, not an object of names and paths")
        found = {}
        for name, path in value.items():
            if not isinstance(path, str) or "\0" in path + name:
                raise _Refused(f"the path of the file {name!r} is no text")
            if not name or name in (".", "..") or "/" in name:
                raise _Refused(f"{name!r} is no name of a file")
            found[_clean(name, "name of a file")] = self._inside(_clean(path, "path of a file"))
        return found

    def _inside(self, path: str) -> str:
        base = os.path.realpath(self._folder or ".")
        real = os.path.realpath(os.path.join(base, path))
        if os.path.commonpath([base, real]) != base:
            raise _Refused(f"the file {path} does not lie in the folder of the tasks")
        if not os.path.isfile(real):
            raise _Refused(f"there is no file {path}")
        return real


def _files_in_cell(text: str) -> Any:
    """A cell of a CSV is a path, or JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return [text] if text.strip() else []
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _Refused("files is neither a path nor JSON") from None


def _text_or_number(value: Any, name: str) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise _Refused(f"the {name} is no finite number")
    if value is None or isinstance(value, str):
        return None if value is None else _clean(value, name)
    if isinstance(value, (int, float)):
        return _digits(value, name)
    raise _Refused(f"the {name} is {_kind(value)}, not text or a number")


def _digits(value: float, name: str) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes out at most some 4300 digits
        raise _Refused(f"the {name} is too large a number") from None


def _clean(text: str, name: str) -> str:
    if "\0" in text:
        raise _Refused(f"the {name} has a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Refused(f"the {name} is not UTF-8 text") from None
    return text


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", int: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def find_column(found: Sequence[str], names: Sequence[str]) -> str | None:
    """The one of ``found`` that has the first of these names, whatever its case."""
    by_name = {str(column).strip().lower(): column for column in found}
    return next((by_name[name.lower()] for name in names if name.lower() in by_name), None)
