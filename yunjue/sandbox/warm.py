"""Workers that outlive their job, for tools that are called again and again.

Each call still has a process of its own, forked for it and killed after it; what is saved
is the start of the container and of Python in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from yunjue.hashing import content_id
from yunjue.protocols import Outputs, SandboxJob
from yunjue.sandbox.gate import Gate
from yunjue.sandbox.outputs import kept
from yunjue.sandbox.redact import Redactor
from yunjue.sandbox.session import Session, Talk
from yunjue.types import CallOutcome

MOST_IDLE = 8
"""Workers kept waiting; each holds some 18 MiB (benchmarks/sandbox.py)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a job stands on: folders on the host, each to be mounted read-only, and the way
    to the network, if it has one."""

    job: SandboxJob
    deps: Path | None
    inputs: Path | None
    stop: threading.Event = field(repr=False)
    gate: Gate | None = None


class Worker:
    """A talk with a runner, and the ground under it, which is left when it ends.

    Args:
        kind: of the jobs it can serve, see :func:`kind`.
        ground: entered here, left in :meth:`end`.
        start: starts a runner on it.
    """

    def __init__(
        self,
        kind: str,
        ground: AbstractContextManager[Ground],
        start: Callable[[Ground], Session],
    ) -> None:
        self.kind = kind
        self._stack = ExitStack()
        self._ground = self._stack.enter_context(ground)
        self.talk = Talk(lambda: start(self._ground))

    def call(
        self, inputs: Mapping[str, Any], outputs: Outputs | None = None, more: bool = False
    ) -> CallOutcome:
        """Call the tool once; where it went on the network and the files it left are part of
        the outcome, and no value of a secret is. ``more``: another call may follow."""
        gate, secrets = self._ground.gate, self._ground.job.secrets
        if gate:
            gate.begin()
        outcome, left = self.talk.call(inputs, secrets, outputs, more)
        if gate:
            visits = gate.end()
            reached = sorted({visit.host for visit in visits if visit.allowed})
            outcome = outcome.model_copy(update={"network": reached, "visits": visits})
        redactor = Redactor(secrets)
        outcome = redactor.outcome(outcome)
        return kept(left, outputs, redactor, outcome) if outputs else outcome

    def heed(self, stop: threading.Event) -> None:
        """From now on this event ends what it waits for."""
        self._ground = replace(self._ground, stop=stop)
        self.talk.heed(stop)

    def end(self) -> None:
        """Kill the runner and leave the ground."""
        with self._stack:
            self.talk.end()


class Idle:
    """Workers that wait for the next call of their tool; used by many threads."""

    def __init__(self, most: int = MOST_IDLE) -> None:
        self._most = most
        self._workers: list[Worker] = []
        self._lock = threading.Lock()

    def take(self, kind: str) -> Worker | None:
        """The worker for jobs of this kind that waited least, if any."""
        with self._lock:
            for place in reversed(range(len(self._workers))):
                if self._workers[place].kind == kind:
                    return self._workers.pop(place)
        return None

    def keep(self, worker: Worker) -> None:
        """Let it wait; if too many do, the one that waited longest is ended."""
        with self._lock:
            self._workers.append(worker)
            surplus = self._workers[: -self._most]
            del self._workers[: -self._most]
        for old in surplus:
            old.end()

    def end(self) -> None:
        """End all of them."""
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()


def kind(job: SandboxJob) -> str:
    """Equal for jobs that one worker can serve: all but the calls is the same, and the
    files have not changed."""
    files = {name: [str(path), *_state(path)] for name, path in job.files.items()}
    granted = [list(job.network), dict(job.secrets)]
    parts = [job.source, list(job.requirements), asdict(job.limits), files, *granted]
    return content_id(parts)


def _state(path: Path) -> list[int]:
    try:
        found = Path(path).stat()
    except OSError:
        return []  # staging it says what is wrong
    return [found.st_ino, found.st_size, found.st_mtime_ns]
