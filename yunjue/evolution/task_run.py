"""One task of a batch: a run of the agent on a branch of the library, and what it came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from yunjue.agent.approval import nobody
from yunjue.agent.run import CHECKPOINTS, RunResult, Sitting
from yunjue.agent.shared import Shared
from yunjue.config import Settings
from yunjue.errors import (
    ConfigError,
    DiskFull,
    EngineError,
    LimitReached,
    ModelAuthError,
    ReplayMiss,
    SandboxUnavailable,
    TraceError,
    UnknownModelError,
    YunjueError,
)
from yunjue.events import Event, Events, Subscriber
from yunjue.evolution.branch import Base, Branch, Harvest
from yunjue.files import write_whole
from yunjue.protocols import ChatModel, Effects, Sandbox
from yunjue.traces.trace import TRACE_FILE, read_trace

OUTCOME_FILE = "outcome.json"
STOPPING = (
    ConfigError,
    DiskFull,
    EngineError,
    ModelAuthError,
    ReplayMiss,
    SandboxUnavailable,
    UnknownModelError,
)
"""What no other task would get round either."""


@dataclass(frozen=True, slots=True)
class Job:
    """One task, ready to be run anywhere.

    Attributes:
        run: the run's id, unique over all evolutions.
        index: the task's place in the stream, from 0.
        files: name -> path of its inputs.
        folder: where its trace and what it came to are kept.
    """

    run: str
    index: int
    task: str
    files: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the task of a job came to.

    Attributes:
        status: ``solved``, ``not_solved``, ``limit`` or ``failed`` (then ``error`` says why).
        roles: role -> tokens.
        harvest: what is to be absorbed; a task that failed leaves its tools all the same.
    """

    run: str
    index: int
    status: str
    harvest: Harvest
    answer: str = ""
    error: str = ""
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    roles: Mapping[str, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        members = asdict(replace(self, harvest=Harvest()))
        return {**members, "harvest": self.harvest.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        return cls(**{**data, "harvest": Harvest.from_dict(data["harvest"])})


def read_outcome(folder: Path) -> Outcome | None:
    """What the job of this folder came to, or None if it has not ended.

    Raises:
        TraceError: the file is damaged.
    """
    path = folder / OUTCOME_FILE
    try:
        return Outcome.from_dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise TraceError(f"{path} is damaged: {error}.") from None


def keep_outcome(folder: Path, outcome: Outcome) -> None:
    """From now on the job is finished."""
    write_whole(folder / OUTCOME_FILE, json.dumps(outcome.to_dict()).encode())


async def run_job(
    job: Job,
    settings: Settings,
    models: Mapping[str, list[ChatModel]],
    sandbox: Sandbox,
    base: Base,
    *,
    see: Subscriber | None = None,
    effects: Callable[[Events], Effects] | None = None,
) -> Outcome:
    """Run the task on a branch of ``base``.

    A job that was begun before asks nothing again that its trace holds.

    Args:
        models, sandbox: shared with other jobs, and not closed.
        effects: for a replay; see :class:`yunjue.agent.run.Sitting`.

    Raises:
        YunjueError: one of :data:`STOPPING`; whatever else goes wrong is the job's outcome.
    """
    branch = Branch(base)
    author = models["author"][0].name
    spent: dict[str, Any] = {}

    def watch(event: Event) -> None:
        if event.kind == "tool.passed_over":
            branch.harvest.passed_over.append((event.data["name"], author))
        elif event.kind == "run.failed":
            spent.update({name: event.data[name] for name in ("tokens", "cost_usd", "seconds")})
        if see is not None:
            see(event)

    try:
        sitting = Sitting(
            job.run,
            settings,
            earlier=_earlier(job.folder),
            subscribers=(watch,),
            shared=Shared(models, sandbox, branch),
            effects=effects,
            folder=job.folder,
            ask=nobody,
        )
        result = await sitting.sit(job.task, dict(job.files))
    except STOPPING:
        raise
    except LimitReached as error:
        return _broken(job, branch, "limit", error.message, spent)
    except YunjueError as error:
        return _broken(job, branch, "failed", error.message, spent)
    except Exception as error:  # a bug must not take the other tasks down
        return _broken(job, branch, "failed", f"{type(error).__name__}: {error}", spent)
    return _outcome(job, branch, result)


def _earlier(folder: Path) -> list[Event]:
    """What earlier sittings recorded. Their checkpoints are dropped: what a finished node
    gave to the branch is not in them, and with the trace it costs nothing to run it again."""
    for path in folder.glob(f"{CHECKPOINTS}*"):
        path.unlink()
    path = folder / TRACE_FILE
    return read_trace(path) if path.exists() else []


def _outcome(job: Job, branch: Branch, result: RunResult) -> Outcome:
    roles = {
        role: int(used["prompt_tokens"] + used["completion_tokens"])
        for role, used in result.roles.items()
    }
    return Outcome(
        run=job.run,
        index=job.index,
        status=result.status,
        harvest=branch.harvest,
        answer=result.answer,
        tokens=result.tokens,
        cost_usd=result.cost_usd,
        seconds=result.seconds,
        roles=roles,
    )


def _broken(job: Job, branch: Branch, status: str, error: str, spent: Mapping[str, Any]) -> Outcome:
    return Outcome(
        run=job.run,
        index=job.index,
        status=status,
        harvest=branch.harvest,
        error=error,
        **spent,
    )
