"""The local engine: all jobs of a batch in this process, on one event loop.

A job mostly waits for models and sandboxes, which are other processes.
"""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.concurrency import together
from yunjue.config import Settings
from yunjue.evolution.engine import Context, Done
from yunjue.evolution.task_run import Job, run_job


class LocalEngine:
    """See :class:`yunjue.evolution.engine.Engine`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, jobs: Sequence[Job], settings: Settings, done: Done) -> None:
        context = self._context

        async def one(job: Job) -> None:
            done(
                await run_job(
                    job, settings, context.models, context.sandbox, context.base, see=context.see
                )
            )

        await together(*(one(job) for job in jobs))

    async def close(self) -> None:
        pass
