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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunjue.config import home
from yunjue.errors import TraceError, UsageError
from yunjue.evolution.sources import StreamTask
from yunjue.files import write_whole, writing
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
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
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
    """The evolution of that id, or of the one whose id starts or ends so; or the folder of
    that path; "" for the newest.

    Raises:
        UsageError: none or more than one is meant.
    """
    if name and (Path(name) / JOURNAL_FILE).exists():
        return Folder(Path(name).absolute())
    everyone = names()
    if not name:
        if not everyone:
            raise UsageError("There is no evolution yet.", hint="Start one: yunjue evolve TASKS")
        return Folder(evolutions() / everyone[-1])
    found = [one for one in everyone if one.startswith(name) or one.endswith(name)]
    if len(found) != 1:
        problem = "There is no evolution" if not found else f"{len(found)} evolutions are meant by"
        raise UsageError(f"{problem} {name!r}.", hint="`yunjue evolve list` shows them.")
    return Folder(evolutions() / found[0])


def names() -> list[str]:
    """Ids of all evolutions of this home, oldest first."""
    folder = evolutions()
    if not folder.is_dir():
        return []
    return sorted(one.name for one in folder.iterdir() if (one / JOURNAL_FILE).exists())
