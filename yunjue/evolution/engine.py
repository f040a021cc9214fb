"""Where the tasks of a batch run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from yunjue.config import Settings
from yunjue.events import Subscriber
from yunjue.evolution.branch import Base
from yunjue.evolution.task_run import Job, Outcome
from yunjue.protocols import ChatModel, Sandbox

Done = Callable[[Outcome], None]


class Engine(Protocol):
    """Runs jobs. Whatever the engine, the same jobs on the same base come to the same."""

    async def run(self, jobs: Sequence[Job], settings: Settings, done: Done) -> None:
        """Run all ``jobs`` at once on branches of the base.

        A job that was begun before goes on from its trace. When a worker dies, its job is
        run elsewhere.

        Args:
            done: called in the driver for each job that ended, as soon as it has; when it has
                returned the job is finished for good.

        Raises:
            YunjueError: no job can be run; see :data:`yunjue.evolution.task_run.STOPPING`.
        """
        ...

    async def close(self) -> None:
        """Stop all workers; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What an engine is made with.

    Attributes:
        models, sandbox: the driver's own, for engines that run jobs in its process.
        base: the library that jobs branch from; its one owner is the driver.
        see: told of the jobs' events, where the engine can.
        address: of a cluster, or "".
    """

    settings: Settings
    models: Mapping[str, list[ChatModel]]
    sandbox: Sandbox
    base: Base
    see: Subscriber
    address: str = ""
