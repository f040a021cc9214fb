"""What a worker process does: one job after the other, with means that it keeps between them.

Jobs, settings, outcomes and errors go to a worker and back as plain data. Keys never do: a
worker reads those of its own host and user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yunjue import errors
from yunjue.config import Settings
from yunjue.errors import EngineError, YunjueError
from yunjue.events import Subscriber
from yunjue.evolution.branch import Base, Harvest
from yunjue.evolution.evolve import ASKED
from yunjue.evolution.task_run import Job, Outcome, run_job
from yunjue.models.gateway import close_models
from yunjue.models.selection import choose_models
from yunjue.protocols import ChatModel, Sandbox
from yunjue.sandbox.select import open_sandbox

TRIES = 3
"""How often a job is begun whose worker dies under it."""


class Worker:
    """Opens models and sandbox for its first job, on an event loop that it keeps: their
    connections belong to it.

    Args:
        settings: what models and sandbox are chosen by.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner = asyncio.Runner()
        self._models: Mapping[str, list[ChatModel]] | None = None
        self._sandbox: Sandbox | None = None

    def work(
        self, job: Job, settings: Settings, base: Base, see: Subscriber | None = None
    ) -> dict[str, Any]:
        """Run ``job`` to its end.

        Returns:
            ``{"outcome": …}``, or ``{"error": …}`` of an error that stops every job;
            :func:`outcome_of` reads it.
        """
        try:
            outcome = self._runner.run(self._run(job, settings, base, see))
        except YunjueError as error:
            return {"error": told_error(error)}
        except Exception as error:  # of opening: run_job lets none through
            text = f"A worker cannot begin: {type(error).__name__}: {error}"
            return {"error": told_error(EngineError(text))}
        return {"outcome": outcome.to_dict()}

    def close(self) -> None:
        """Close what is open; the worker does no more."""
        self._runner.run(self._close())
        self._runner.close()

    async def _run(
        self, job: Job, settings: Settings, base: Base, see: Subscriber | None
    ) -> Outcome:
        # What they warn of, the driver has said already.
        if self._sandbox is None:
            self._sandbox = await open_sandbox(self._settings, _unheard)
        if self._models is None:
            self._models = await choose_models(self._settings, warn=_unheard, roles=ASKED)
        return await run_job(job, settings, self._models, self._sandbox, base, see=see)

    async def _close(self) -> None:
        await close_models(self._models or {})
        if self._sandbox is not None:
            await self._sandbox.close()


def outcome_of(answer: Mapping[str, Any]) -> Outcome:
    """What :meth:`Worker.work` came to, in the driver.

    Raises:
        YunjueError: the error that stopped it, of its class.
    """
    if "error" in answer:
        raise error_of(answer["error"])
    return Outcome.from_dict(answer["outcome"])


def died(job: Job, how: str = "") -> Outcome:
    """What a job came to whose workers died :data:`TRIES` times.

    Args:
        how: the last of them died, if that is known.
    """
    why = f"The worker process died {TRIES} times while it ran this task{how and ': '}{how}."
    return failed(job, why)


def failed(job: Job, why: str) -> Outcome:
    """What a job came to that no worker could run."""
    return Outcome(run=job.run, index=job.index, status="failed", harvest=Harvest(), error=why)


def told_job(job: Job) -> dict[str, Any]:
    return {
        "run": job.run,
        "index": job.index,
        "task": job.task,
        "files": dict(job.files),
        "folder": str(job.folder),
    }


def job_of(data: Mapping[str, Any]) -> Job:
    return Job(**{**data, "folder": Path(data["folder"])})


def told_settings(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def settings_of(data: Mapping[str, Any]) -> Settings:
    """The settings as they were told, whatever files and environment say here. They were
    checked before; what is left of a bound may be less than a user could ask for."""
    library = Path(data["library"]) if data["library"] else None
    return Settings.model_construct(**{**data, "library": library})


def told_error(error: YunjueError) -> dict[str, str]:
    """The error under the name of its nearest class that every process knows."""
    name = next(
        known.__name__
        for known in type(error).__mro__
        if getattr(errors, known.__name__, None) is known and known.__init__ is YunjueError.__init__
    )
    return {**error.to_dict(), "type": name}


def error_of(data: Mapping[str, str]) -> YunjueError:
    kind = getattr(errors, data["type"])
    return kind(data["message"], hint=data["hint"])


def _unheard(message: str) -> None:
    pass
