"""The engine `processes`: workers that are processes of this host.

Each job has one worker to itself while it runs, so that a death says which job it was. The
workers read the library's files; while a batch runs nobody writes them.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from yunjue.concurrency import together
from yunjue.config import Settings
from yunjue.errors import EngineError
from yunjue.events import Event, Subscriber
from yunjue.evolution.engine import Context, Done
from yunjue.evolution.task_run import Job, Outcome
from yunjue.evolution.worker import (
    TRIES,
    Worker,
    died,
    job_of,
    outcome_of,
    settings_of,
    told_job,
    told_settings,
)
from yunjue.library.open import open_library

PR_SET_PDEATHSIG = 1
FAREWELL_SECONDS = 5.0
"""What an idle worker may take to close its sandbox."""


class ProcessEngine:
    """See :class:`yunjue.evolution.engine.Engine`.

    Args:
        most: workers at once; as many as this process may use processors by default.
    """

    def __init__(self, context: Context, most: int | None = None) -> None:
        self._context = context
        self._most = most or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self._most, "yunjue-worker")
        self._idle: list[WorkerProcess] = []

    async def run(self, jobs: Sequence[Job], settings: Settings, done: Done) -> None:
        turns = asyncio.Semaphore(self._most)

        async def one(job: Job) -> None:
            async with turns:
                done(await self._outcome(job, settings))

        await together(*(one(job) for job in jobs))

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().end()
        self._threads.shutdown()

    async def _outcome(self, job: Job, settings: Settings) -> Outcome:
        asked = {"job": told_job(job), "settings": told_settings(settings)}
        loop = asyncio.get_running_loop()

        def see(event: Event) -> None:
            loop.call_soon_threadsafe(self._context.see, event)

        how, started = "", False
        for _ in range(TRIES):
            worker = self._idle.pop() if self._idle else WorkerProcess(self._context)
            try:
                answer = await loop.run_in_executor(self._threads, worker.ask, asked, see)
            except (EOFError, OSError):
                how = worker.kill()
                started = started or worker.started
            except BaseException:
                worker.kill()
                raise
            else:
                self._idle.append(worker)
                return outcome_of(answer)
        if not started:  # then it is not the job that kills them
            raise EngineError(f"Workers end before they have started: {how}.")
        return died(job, how)


class WorkerProcess:
    """One worker, as the driver sees it.

    Attributes:
        started: it has said that it is ready.
    """

    def __init__(self, context: Context) -> None:
        self.started = False
        opening = {
            "settings": told_settings(context.settings),
            "library": str(context.base.directory),
        }
        spawn = multiprocessing.get_context("spawn")
        self._here, there = spawn.Pipe()
        self._process = spawn.Process(
            target=serve, args=(there, json.dumps(opening), os.getpid()), daemon=True
        )
        # Ctrl-C is the driver's business, also while the worker is still starting.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            there.close()

    def ask(self, asked: Mapping[str, Any], see: Subscriber) -> dict[str, Any]:
        """Blocks until the worker answers; meanwhile ``see`` is told of the job's events.

        Raises:
            EOFError, OSError: it died.
        """
        self._here.send_bytes(json.dumps(asked).encode())
        while True:
            told = json.loads(self._here.recv_bytes())
            if "started" in told:
                self.started = True
            elif "event" in told:
                see(Event(**told["event"]))
            else:
                return told

    def kill(self) -> str:
        """Returns when it is dead, and can write to no trace any more; says how it died."""
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        return signal.strsignal(-code) or "" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """Let it close what it has open, if it is idle."""
        self._here.close()
        self._process.join(FAREWELL_SECONDS)
        self._process.kill()
        self._process.join()


def serve(connection: Connection, opening: str, driver: int) -> None:
    """The worker process: jobs come over ``connection``, until that is closed."""
    _die_with(driver)
    # A handler that does nothing, for what this process starts would inherit an ignored signal.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stdout is the driver's, for one document
    told = json.loads(opening)
    settings = settings_of(told["settings"])
    library = open_library(
        settings.model_copy(update={"library": Path(told["library"])}), lambda message: None
    )
    worker = Worker(settings)

    def see(event: Event) -> None:
        if event.kind == "effect":  # long, and shown to nobody
            return
        members = {name: getattr(event, name) for name in ("kind", "data", "time", "seq")}
        connection.send_bytes(json.dumps({"event": members}, default=str).encode())

    connection.send_bytes(b'{"started": true}')
    with closing(library), closing(worker):
        while True:
            try:
                asked = json.loads(connection.recv_bytes())
            except EOFError:
                return
            job, bounded = job_of(asked["job"]), settings_of(asked["settings"])
            answer = worker.work(job, bounded, library, see)
            connection.send_bytes(json.dumps(answer).encode())


def _die_with(driver: int) -> None:
    """However the driver ends, this process ends with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != driver:  # it ended before that
        os._exit(1)
