"""What runs in Ray's processes: the owner of the library, and tasks that run one job each.

A worker may be on another machine and shares no disk with the driver. So a job's files are
sent along, it works in a temporary folder, and what it leaves there is sent back.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from yunjue import __version__
from yunjue.agent.run import OUTPUTS
from yunjue.errors import EngineError
from yunjue.evolution.remote_base import RemoteBase, answer
from yunjue.evolution.task_run import Job
from yunjue.evolution.worker import Worker, job_of, settings_of, told_error
from yunjue.library.open import open_library
from yunjue.traces.trace import TRACE_FILE

INPUTS = "inputs"


class Owner:
    """The one process that reads the library, for all workers."""

    def __init__(self, settings: str, library: str) -> None:
        chosen = settings_of(json.loads(settings)).model_copy(update={"library": Path(library)})
        self._library = open_library(chosen, lambda message: None)

    def answer(self, question: str) -> str:
        return answer(self._library, question)


def run_task(asked: str, owner: Any, sent: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Run one job.

    Args:
        asked: job, settings, the settings that models and sandbox are chosen by, the library's
            folder and the driver's version, as JSON.
        owner: the handle of an :class:`Owner`.
        sent: ``trace.jsonl`` of a job that was begun before, and ``inputs/NUMBER`` of its
            files in their order.

    Returns:
        What :meth:`yunjue.evolution.worker.Worker.work` returns, as JSON, and the files the
        job leaves in its folder: its trace and its outputs.
    """
    told = json.loads(asked)
    if told["version"] != __version__:
        error = EngineError(
            f"The driver has yunjue {told['version']}, a worker has {__version__}.",
            hint="Install the same version on all machines of the cluster.",
        )
        return json.dumps({"error": told_error(error)}), {}
    base = RemoteBase(Path(told["library"]), _carrier(owner))
    with tempfile.TemporaryDirectory(prefix="yunjue-job-") as temporary:
        job = _unpacked(job_of(told["job"]), Path(temporary), sent)
        worker = _worker(json.dumps(told["opening"], sort_keys=True))
        answered = worker.work(job, settings_of(told["settings"]), base)
        return json.dumps(answered), _left(job.folder)


@cache
def _worker(settings: str) -> Worker:
    """This process's, kept for later tasks of the same evolution."""
    return Worker(settings_of(json.loads(settings)))


def _carrier(owner: Any) -> Any:
    import ray
    from ray.exceptions import RayError

    def carry(question: str) -> str:
        try:
            return ray.get(owner.answer.remote(question))
        except RayError as error:
            raise EngineError(
                f"The process that owns the library does not answer: {type(error).__name__}."
            ) from None

    return carry


def _unpacked(job: Job, folder: Path, sent: Mapping[str, bytes]) -> Job:
    for name, data in sent.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    files = {name: str(folder / INPUTS / str(place)) for place, name in enumerate(job.files)}
    return replace(job, folder=folder, files=files)


def _left(folder: Path) -> dict[str, bytes]:
    paths = [folder / TRACE_FILE, *sorted((folder / OUTPUTS).rglob("*"))]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file() and not path.is_symlink()
    }
