"""What the three backends share: requirements, files, a thread per job, calls in order."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from yunjue import config
from yunjue.errors import SandboxError
from yunjue.protocols import Isolation, SandboxJob, ToolSchemas
from yunjue.sandbox import dependencies, wire
from yunjue.sandbox.gate import AUTHORITIES, MOUNT, SOCKET, gate
from yunjue.sandbox.inputs import staged
from yunjue.sandbox.session import POLL_SECONDS, Session, Stopped, in_thread
from yunjue.sandbox.warm import Ground, Idle, Worker, kind
from yunjue.types import CallOutcome

Result = TypeVar("Result")

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - inside the sandbox
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    # As many threads as a tool may have processors; more would count as processes.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""All that a tool sees of an environment."""


class Backend(ABC):
    """A :class:`yunjue.protocols.Sandbox`; a subclass starts the runner."""

    name: str
    isolation: Isolation
    image: str

    def __init__(self) -> None:
        self.cache = config.home() / "cache"
        self._ready = False
        self._preparing = asyncio.Lock()
        self._running: set[threading.Event] = set()
        self._idle = Idle()

    async def prepare(self) -> None:
        async with self._preparing:
            if not self._ready:
                await in_thread(self._prepare)
                self._ready = True

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        if not job.calls:
            return []
        if job.outputs and len(job.calls) > 1:
            raise SandboxError("Only the files of a single call can be taken.", hint="")
        return await self._talk(job, lambda worker: _every_call(job, worker))

    async def inspect(self, job: SandboxJob) -> ToolSchemas:
        return await self._talk(job, lambda worker: worker.talk.inspect())

    async def close(self) -> None:
        self._ready = False
        for stop in set(self._running):
            stop.set()
        while self._running:  # noqa: ASYNC110 - they end in threads
            await asyncio.sleep(POLL_SECONDS)
        await in_thread(lambda stop: self._idle.end())

    async def _talk(self, job: SandboxJob, ask: Callable[[Worker], Result]) -> Result:
        await self.prepare()

        def work(stop: threading.Event) -> Result:
            self._running.add(stop)
            try:
                worker = self._worker(job, stop)
                try:
                    result = ask(worker)
                except BaseException:
                    worker.end()
                    raise
                if job.warm:
                    self._idle.keep(worker)
                else:
                    worker.end()
                return result
            finally:
                self._running.discard(stop)

        try:
            return await in_thread(work)
        except Stopped:
            raise SandboxError("The sandbox was closed while a tool ran.", hint="") from None

    def _worker(self, job: SandboxJob, stop: threading.Event) -> Worker:
        """One that waits for such jobs, or a new one. Its kind is read before its files are
        copied: a file that changes later makes another kind."""
        wanted = kind(job) if job.warm else ""
        waiting = self._idle.take(wanted) if job.warm else None
        if waiting is None:
            return Worker(wanted, self._ground(job, stop), self._start)
        waiting.heed(stop)
        return waiting

    @contextlib.contextmanager
    def _ground(self, job: SandboxJob, stop: threading.Event) -> Iterator[Ground]:
        deps = self._install(job, stop)
        folder = self.cache / "jobs"
        with staged(job.files, folder) as inputs, gate(job.network, folder) as way:
            yield Ground(job, deps, inputs, stop, way)

    def _install(self, job: SandboxJob, stop: threading.Event) -> Path | None:
        return dependencies.install(job.requirements, self.cache / "deps", stop=stop)

    @abstractmethod
    def _prepare(self, stop: threading.Event) -> None:
        """Blocking part of :meth:`prepare`. Raises SandboxUnavailable."""

    @abstractmethod
    def _start(self, ground: Ground) -> Session:
        """Start a runner. Raises SandboxError."""


def _every_call(job: SandboxJob, worker: Worker) -> list[CallOutcome]:
    outcomes: list[CallOutcome] = []
    most = len(job.calls) if job.most_timeouts is None else job.most_timeouts
    for number, inputs in enumerate(job.calls, start=1):
        if sum(outcome.reason == "timeout" for outcome in outcomes) > most:
            outcomes.append(wire.crashed("not run: earlier calls took too long", "timeout"))
        else:
            outcomes.append(
                worker.call(inputs, job.outputs, more=job.warm or number < len(job.calls))
            )
    return outcomes


def runner_command(python: str, *flags: str) -> list[str]:
    """The command line that runs the runner's text with ``python``."""
    return [python, "-I", "-B", "-u", *flags, "-c", _text("runner.py")]


def about(
    paths: list[str],
    scratch: str,
    rlimits: dict[str, int],
    uid: int | None,
    network: bool = False,
) -> dict[str, Any]:
    """The backend's part of the runner's header: folders for ``sys.path``, the writable
    folder, the resource limits of each call's process, whom to become, and whether the
    folder of a gate is mounted."""
    return {
        "gate": _gate() if network else None,
        "tool_call": _text("tool_call.py"),
        "call_process": _text("call_process.py"),
        "collector": _text("collector.py"),
        "paths": paths,
        "scratch": scratch,
        "rlimits": rlimits,
        "uid": uid,
    }


def _gate() -> dict[str, str]:
    return {
        "forwarder": _text("forwarder.py"),
        "proxy": f"{MOUNT}/{SOCKET}",
        "authorities": f"{MOUNT}/{AUTHORITIES}",
    }


def _text(name: str) -> str:
    return (files("yunjue.sandbox") / name).read_text("utf-8")
