"""The engine `ray`: workers on the machines of a Ray cluster, or on a small one of our own.

The library stays with the driver: one actor on its machine reads it for all. Only plain data
crosses, and no pickled classes of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from yunjue import __version__
from yunjue.concurrency import together
from yunjue.config import Settings
from yunjue.errors import EngineError, UsageError, YunjueError
from yunjue.evolution.engine import Context, Done
from yunjue.evolution.ray_worker import INPUTS, Owner, run_task
from yunjue.evolution.task_run import Job, Outcome
from yunjue.evolution.worker import TRIES, died, failed, outcome_of, told_job, told_settings
from yunjue.files import write_whole
from yunjue.traces.trace import TRACE_FILE

MOST_INPUT_BYTES = 16 << 20
"""Of all input files of one job: each is copied to where the job runs."""
STORE_BYTES = 512 << 20
"""Memory that a cluster of our own may take for what is on its way."""
OWNER_THREADS = 8


class RayEngine:
    """See :class:`yunjue.evolution.engine.Engine`.

    Raises:
        UsageError: Ray is not installed, or cannot be used at the address.
    """

    def __init__(self, context: Context) -> None:
        self._ray = _ray(private=not context.address)
        if context.address.startswith("ray://"):
            raise UsageError(
                "An evolution cannot run through Ray Client: its library has to be on a machine "
                "of the cluster.",
                hint="Run yunjue on such a machine, with --address auto.",
            )
        self._context = context
        self._connected = False
        self._owner: Any = None
        self._task: Any = None

    async def run(self, jobs: Sequence[Job], settings: Settings, done: Done) -> None:
        self._begin()

        async def one(job: Job) -> None:
            done(await self._outcome(job, settings))

        await together(*(one(job) for job in jobs))

    async def close(self) -> None:
        if self._owner is not None:
            self._ray.kill(self._owner)
            self._owner = None
        if self._connected:  # a cluster of our own ends with this
            self._ray.shutdown()
            self._connected = False

    def _begin(self) -> None:
        if self._owner is not None:
            return
        ray = self._ray
        if not ray.is_initialized():
            self._connect()
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        owner = ray.remote(Owner).options(
            num_cpus=0, max_concurrency=OWNER_THREADS, scheduling_strategy=here
        )
        settings = json.dumps(told_settings(self._context.settings))
        self._owner = owner.remote(settings, str(self._context.base.directory))
        self._task = ray.remote(run_task).options(num_cpus=1, max_retries=TRIES - 1)

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        address = self._context.address
        try:
            if address:
                self._ray.init(address=address, **quiet)
            else:
                self._ray.init(
                    address="local",
                    num_cpus=len(os.sched_getaffinity(0)),
                    object_store_memory=STORE_BYTES,
                    include_dashboard=False,
                    **quiet,
                )
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = f"at {address!r}" if address else "on this machine"
            raise EngineError(f"Ray cannot be used {where}: {error}") from None
        self._connected = True

    async def _outcome(self, job: Job, settings: Settings) -> Outcome:
        try:
            sent = _sent(job)
        except YunjueError as error:
            return failed(job, error.message)
        reference = self._task.remote(self._asked(job, settings), self._owner, sent)
        try:
            answered, left = await reference
        except asyncio.CancelledError:
            self._ray.cancel(reference, force=True)
            raise
        except self._ray.exceptions.RayError as error:
            return self._broken(job, error)
        for name, data in left.items():
            write_whole(_inside(job.folder, name), data)
        return outcome_of(json.loads(answered))

    def _asked(self, job: Job, settings: Settings) -> str:
        return json.dumps(
            {
                "version": __version__,
                "job": told_job(job),
                "settings": told_settings(settings),
                "opening": told_settings(self._context.settings),
                "library": str(self._context.base.directory),
            }
        )

    def _broken(self, job: Job, error: Exception) -> Outcome:
        """Ray has tried again elsewhere as often as it may.

        Raises:
            EngineError: it is not the job's worker that failed: all jobs would fail so.
        """
        known = self._ray.exceptions
        deaths = [known.WorkerCrashedError, known.OutOfMemoryError]
        deaths += [known.NodeDiedError] if hasattr(known, "NodeDiedError") else []
        if isinstance(error, tuple(deaths)):
            return died(job, type(error).__name__)
        why = error.cause if isinstance(error, known.RayTaskError) else error
        raise EngineError(f"Ray has failed: {type(why).__name__}: {why}") from None


def _ray(private: bool) -> Any:
    """The package.

    Args:
        private: a cluster of our own will be started. Ray runs what is sent to its ports, which
            all the network may reach: it obeys only those who know a token of ours.

    Raises:
        UsageError: it is not installed.
    """
    # Ray reads its environment when it is imported; its processes inherit it.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if private:
        # Ray starts workers with niceness 15, and sandboxes would inherit it: next to a busy
        # process, such as the embedded model, their calls would run into the bound on time.
        os.environ.setdefault("RAY_worker_niceness", "0")
        # What is still starting when the driver is killed looks for the cluster for so long.
        os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "10")
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise UsageError(
            "The engine `ray` needs the package ray, which is not installed.",
            hint='Install it with: pip install "yunjue[ray]"',
        ) from None
    return ray


def _sent(job: Job) -> dict[str, bytes]:
    """The files that the job needs where it runs.

    Raises:
        YunjueError: they cannot be read, or are too large to be sent.
    """
    paths = {f"{INPUTS}/{place}": Path(path) for place, path in enumerate(job.files.values())}
    try:
        size = sum(path.stat().st_size for path in paths.values())
        if size > MOST_INPUT_BYTES:
            raise YunjueError(
                f"The files of the task have {size} bytes; the engine `ray` sends at most "
                f"{MOST_INPUT_BYTES}."
            )
        if (trace := job.folder / TRACE_FILE).exists():
            paths[TRACE_FILE] = trace
        return {name: path.read_bytes() for name, path in paths.items()}
    except OSError as error:
        raise YunjueError(f"{error.filename} cannot be read: {error.strerror}.") from None


def _inside(folder: Path, name: str) -> Path:
    """Raises: EngineError: the name leads out of the folder."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or not parts:
        raise EngineError(f"A worker sent a file with the name {name!r}.")
    return folder / name
