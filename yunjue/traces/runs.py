"""The folder of runs: ``HOME/runs/RUN/`` with the trace and the checkpoints of each."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.errors import TraceError, UsageError
from yunjue.traces.trace import TRACE_FILE, read_trace

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\Z")


def new_run_id() -> str:
    """A run's id: its start (UTC) and six random hex digits; sorts by time."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as ``runs list`` shows it. ``status``: solved, not_solved, failed, paused (it waits
    for a decision), or unfinished; ``resume`` continues the last two."""

    name: str
    status: str
    task: str
    answer: str
    model: str
    started: float
    seconds: float
    new_tools: list[str]
    path: Path


class Runs:
    """All runs under ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, name: str) -> Path:
        """The folder of the run ``name``, or of the one run whose id starts or ends so.

        Raises:
            UsageError: no run or more than one is meant.
        """
        names = [run for run in self.names() if run.startswith(name) or run.endswith(name)]
        if len(names) != 1 or not name:
            problem = "There is no run" if not names else f"{len(names)} runs are meant by"
            raise UsageError(
                f"{problem} {name!r}.", hint="`yunjue runs list` shows the runs of this home."
            )
        return self.directory / names[0]

    def names(self) -> list[str]:
        """Ids of all runs, oldest first."""
        if not self.directory.is_dir():
            return []
        return sorted(
            entry.name
            for entry in self.directory.iterdir()
            if RUN_ID.match(entry.name) and (entry / TRACE_FILE).exists()
        )

    def summaries(self) -> list[RunSummary]:
        """All runs, newest first; one whose trace is damaged is listed as such."""
        return [self.summary(name) for name in reversed(self.names())]

    def summary(self, name: str) -> RunSummary:
        path = self.directory / name
        try:
            events = read_trace(path / TRACE_FILE)
        except TraceError as error:
            return RunSummary(name, "damaged", str(error), "", "", 0.0, 0.0, [], path)
        return summarise(name, events, path)


def summarise(name: str, events: list[Any], path: Path) -> RunSummary:
    """One line about a run, from its events."""
    started = next((event for event in events if event.kind == "run.started"), None)
    ended = events[-1] if events else None
    status = "unfinished"
    end: dict[str, Any] = {}
    if ended is not None and ended.kind in ("run.finished", "run.failed"):
        end = ended.data
        status = end.get("status", "failed")
    elif ended is not None and ended.kind == "run.paused":
        end, status = ended.data, "paused"
    first = started.data if started else {}
    return RunSummary(
        name=name,
        status=status,
        task=str(first.get("task", "")),
        answer=str(end.get("answer", "") or ""),
        model=str(first.get("model", "")),
        started=started.time if started else 0.0,
        seconds=float(end.get("seconds", 0.0)),
        new_tools=list(end.get("new_tools", [])),
        path=path,
    )
