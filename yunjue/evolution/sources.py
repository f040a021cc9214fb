"""Where a stream of tasks comes from: a file, a folder, stdin, or a dataset of a hub.

docs/task-files.md describes the formats. Rows that are no tasks are told by their place and
left out; whether to stop then is the caller's choice.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from yunjue.errors import UsageError
from yunjue.evolution import hub
from yunjue.evolution.rows import Problem, Row, read_file, read_folder, read_stream
from yunjue.evolution.task_rows import COLUMNS, StreamTask, Tasks, find_column

FILE_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".txt", ".md")


def read_tasks(
    source: str,
    *,
    limit: int | None = None,
    shuffle: bool = False,
    seed: int = 0,
    epochs: int = 1,
    columns: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
) -> tuple[list[StreamTask], list[Problem]]:
    """The tasks of ``source`` in the order they are to be given, and what was left out.

    Args:
        source: a file or folder that exists, ``-`` for stdin, else ``org/name``,
            ``org/name:split`` or ``org/name/config:split`` of the Hugging Face hub.
        limit: most tasks an epoch; the first ones, after shuffling.
        shuffle: another order in each epoch, the same for the same ``seed``.
        epochs: how often the stream is given.
        columns: field of :data:`COLUMNS` -> its name in this source.
        stdin: what ``-`` reads instead of the process's stdin.

    Raises:
        UsageError: the source as a whole cannot be read, or an argument is wrong.
        DownloadError: a dataset cannot be fetched.
    """
    _check_arguments(limit, epochs, columns or {})
    names = {name: (columns[name],) for name in columns or {}}
    names = {**COLUMNS, **names}
    rows, folder = _open(source, names, stdin)
    stream = Tasks(names, folder)
    for row in rows:
        stream.take(row, source)
        if limit is not None and not shuffle and len(stream.found) == limit:
            break  # stdin may be endless
    tasks = stream.tasks()
    if shuffle:
        tasks = _shuffled(tasks, seed, 1)
    first = tasks[:limit]
    ordered = list(first)
    for epoch in range(2, epochs + 1):
        again = _shuffled(first, seed, epoch) if shuffle else first
        ordered += [replace(task, id=f"{task.id}@{epoch}") for task in again]
    if len({task.id for task in ordered}) < len(ordered):
        raise UsageError(f"Ids of {source} that end in @2 or so do not go with epochs.")
    return ordered, stream.problems


def _check_arguments(limit: int | None, epochs: int, columns: Mapping[str, str]) -> None:
    if limit is not None and limit < 1:
        raise UsageError(f"The limit is {limit}; it is a number of tasks from 1.")
    if epochs < 1:
        raise UsageError(f"There are {epochs} epochs; at least 1 is needed.")
    if unknown := sorted(set(columns) - set(COLUMNS)):
        raise UsageError(
            f"There is no field {unknown[0]!r} of a task.", hint=f"There are {', '.join(COLUMNS)}."
        )


def _open(
    source: str, names: Mapping[str, Sequence[str]], stdin: BinaryIO | None
) -> tuple[Iterator[Row | Problem], Path | None]:
    """The rows, and the folder in which files may lie that they name."""
    if source == "-":
        if stdin is None and sys.stdin is None:
            raise UsageError("stdin is closed.")
        return read_stream(stdin or sys.stdin.buffer, "stdin"), Path.cwd()
    if os.path.isdir(source):
        return read_folder(Path(source)), None
    if os.path.exists(source):
        return read_file(Path(source)), Path(source).absolute().parent
    if hub.NAME.fullmatch(source) and not source.lower().endswith(FILE_SUFFIXES):
        return hub.read_dataset(source, lambda found: _wanted(found, names)), None
    raise UsageError(
        f"There is no file or folder {source!r}.",
        hint="Give a .jsonl, .json or .csv file, a folder of .txt files, - for stdin, or a "
        "dataset as org/name:split.",
    )


def _wanted(found: Sequence[str], names: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns of a dataset that are fields of a task."""
    columns = [find_column(found, names[name]) for name in COLUMNS if name != "files"]
    if columns[list(COLUMNS).index("task")] is None:
        raise UsageError(
            f"None of the dataset's columns is the task: {', '.join(found)}.",
            hint="Say which one is.",
        )
    return list(dict.fromkeys(column for column in columns if column is not None))


def _shuffled(tasks: list[StreamTask], seed: int, epoch: int) -> list[StreamTask]:
    order = list(tasks)
    random.Random(f"{seed} {epoch}").shuffle(order)  # noqa: S311
    return order
