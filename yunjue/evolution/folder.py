"""The folder of an evolution: its tasks, its journal, and what each task and step came to.

::

    HOME/evolutions/ID/
      journal.jsonl        what metrics come from, see yunjue/metrics/journal.py
      tasks.jsonl          the stream
      initial/             the library it began with, if that was not empty
      tasks/00001/         trace.jsonl and outcome.json of a task, by its place from 1
      steps/0001/          trace.jsonl of absorbing a batch
      baselines/ARM/00001/ trace.jsonl of a baseline's task
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.config import home
from yunjue.errors import TraceError, UsageError
from yunjue.evolution.task_rows import StreamTask
from yunjue.files import locked, write_whole, writing
from yunjue.metrics.evolutions import find
from yunjue.metrics.journal import JOURNAL_FILE, read_journal

TASKS_FILE = "tasks.jsonl"


class Folder:
    """One evolution on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def initial(self) -> Path:
        return self.path / "initial"

    def task(self, index: int) -> Path:
        return self.path / "tasks" / f"{index + 1:05d}"

    def step(self, step: int) -> Path:
        return self.path / "steps" / f"{step:04d}"

    def baseline(self, arm: str, index: int) -> Path:
        return self.path / "baselines" / arm / f"{index + 1:05d}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other process works on the evolution for the length of the block.

        Raises:
            UsageError: one does.
        """

        def busy() -> None:
            raise UsageError(
                f"Another process works on {self.id}.", hint="Wait for its end, or stop it."
            )

        with locked(self.path / ".lock", busy):
            yield

    def keep_tasks(self, tasks: Sequence[StreamTask]) -> None:
        lines = [json.dumps(asdict(task), ensure_ascii=False) for task in tasks]
        write_whole(self.path / TASKS_FILE, "".join(f"{line}\n" for line in lines).encode())

    def tasks(self) -> list[StreamTask]:
        """Raises: TraceError: they cannot be read."""
        path = self.path / TASKS_FILE
        try:
            return [StreamTask(**json.loads(line)) for line in path.read_bytes().splitlines()]
        except (OSError, ValueError, TypeError) as error:
            raise TraceError(f"{path} cannot be read: {error}.") from None

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """One more line of the journal, on disk when this returns. A line that a killed process
        left half is cut off first."""
        path = self.path / JOURNAL_FILE
        with writing(path), path.open("ab+") as file:
            _drop_half_line(file)
            line = json.dumps({"kind": kind, "data": data}, ensure_ascii=False)
            file.write(line.encode("utf-8", "replace") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def journal(self) -> list[dict[str, Any]]:
        """Raises: TraceError: it is gone or damaged."""
        return read_journal(self.path / JOURNAL_FILE)


def evolutions() -> Path:
    """The folder of this home's evolutions."""
    return home() / "evolutions"


def find_folder(name: str) -> Folder:
    """The evolution that is meant; "" is the one that was written to last.

    Raises:
        UsageError: none or more than one is meant.
    """
    return Folder(find(evolutions(), name or None).parent.absolute())


def names() -> list[str]:
    """Ids of all evolutions of this home, oldest first."""
    return sorted(path.parent.name for path in evolutions().glob(f"*/{JOURNAL_FILE}"))


def _drop_half_line(file: Any) -> None:
    """A killed process may have left one. The last whole line is near the end."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read() == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
