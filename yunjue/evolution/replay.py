"""A whole evolution replayed: library and metrics from its traces, with no model.

Model replies and what the library offered come from the traces; tools run in the sandbox
anew. What comes of it is compared with what was recorded.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yunjue.agent.replay import kept, unclaimed
from yunjue.agent.shared import Shared
from yunjue.concurrency import together
from yunjue.config import Settings
from yunjue.errors import TraceError
from yunjue.events import Events
from yunjue.evolution.baselines import replay_baseline
from yunjue.evolution.evolve import Means, beginning, in_use, plan_step
from yunjue.evolution.folder import Folder
from yunjue.evolution.records import baseline_record, step_record, summary, task_record
from yunjue.evolution.task_run import Job, read_outcome, run_job
from yunjue.evolution.warm import copy_library
from yunjue.library.open import open_library
from yunjue.metrics.journal import history
from yunjue.metrics.record import StepRecord, TaskRecord
from yunjue.models.scripted import ReplayModel
from yunjue.sandbox.select import open_sandbox
from yunjue.traces.effects import ReplayedEffects
from yunjue.traces.trace import TRACE_FILE, read_trace

MEASURED = ("seconds", "cost_usd")
"""What may differ between equal evolutions."""

BROKEN = ("failed", "limit")
"""A model that was away or a bound that was hit cannot be replayed: such tasks are taken as
they were recorded."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay; ``differences`` is empty when all is as recorded."""

    tasks: int
    steps: int
    tools: int
    differences: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


async def replay_evolution(
    path: Path, settings: Settings, say: Callable[[str], None] = lambda line: None
) -> Replayed:
    """Replay the evolution in the folder ``path``; the user's library stays as it is.

    Args:
        settings: sandbox and image are taken from here, the rest from the recording.
        say: told of each step.

    Raises:
        TraceError: the recording is damaged or did not finish.
        ReplayMiss: something was asked that the traces do not hold.
    """
    folder = Folder(path)
    journal = folder.journal()
    started, recorded = beginning(journal), history(journal)
    if journal[-1]["kind"] != "finished":
        raise TraceError(f"The evolution in {path} did not finish; it cannot be replayed.")
    tasks = folder.tasks()
    differences: list[str] = []
    with tempfile.TemporaryDirectory(prefix="yunjue-replay-") as temporary:
        work = Folder(Path(temporary) / folder.id)
        library_dir = Path(temporary) / "library"
        copy_library(folder.initial, library_dir)
        chosen = kept(started["settings"])
        if started["options"]["frozen"]:
            chosen["max_new_tools"] = 0
        settings = settings.model_copy(
            update={**chosen, "library": library_dir, "timeout": None, "mcp": False}
        )
        async with AsyncExitStack() as stack:
            sandbox = await open_sandbox(settings, say)
            stack.push_async_callback(sandbox.close)
            library = open_library(settings, say)
            stack.callback(library.close)
            models = _models(folder)
            means = Shared(models, sandbox, library)
            for step in sorted(recorded.steps, key=lambda one: one.step):
                places = [one.index for one in recorded.arm("evolve") if one.step == step.step]
                outcomes = await together(
                    *(
                        _replay_task(folder, work, index, tasks[index], settings, means)
                        for index in places
                    )
                )
                for index, (outcome, odd) in zip(places, outcomes, strict=True):
                    was = next(one for one in recorded.arm("evolve") if one.index == index)
                    now = task_record(step.step, tasks[index], outcome)
                    differences += [f"task {was.task}: {what}" for what in odd]
                    differences += _differences(f"task {was.task}", was, now)
                harvests = [outcome.harvest for outcome, _ in outcomes]
                trace = folder.step(step.step) / TRACE_FILE
                events = Events()
                effects = ReplayedEffects(events, read_trace(trace))
                plan, meter = await plan_step(
                    folder, step.step, harvests, means, effects, events, settings.tool_limits()
                )
                told = summary(plan, meter.spent, step.seconds)
                changes = plan.changes(harvests, library, told)
                now = step_record(library.absorb(folder.id, step.step, changes))
                differences += _differences(f"step {step.step}", step, now)
                say(f"step {step.step}: {len(places)} tasks, {now.size} tools")
            for arm in [arm for arm in recorded.arms() if arm != "evolve"]:
                for was in (one for one in recorded.arm(arm) if one.status not in BROKEN):
                    trace = folder.baseline(arm, was.index) / TRACE_FILE
                    result, odd = await replay_baseline(trace, settings, sandbox)
                    now = baseline_record(arm, was.index, tasks[was.index], result)
                    differences += [f"{arm} {was.task}: {what}" for what in odd]
                    differences += _differences(f"{arm} {was.task}", was, now)
            tools = in_use(library)
    if tools != journal[-1]["data"]["tools"]:
        differences.append("the library's tools in use are not those recorded")
    return Replayed(len(recorded.tasks), len(recorded.steps), len(tools), differences)


async def _replay_task(
    folder: Folder, work: Folder, index: int, task: Any, settings: Settings, means: Means
) -> tuple[Any, list[str]]:
    recorded = read_outcome(folder.task(index))
    if recorded is not None and recorded.status in BROKEN:
        return recorded, []
    trace = read_trace(folder.task(index) / TRACE_FILE)
    made: list[ReplayedEffects] = []

    def effects(events: Events) -> ReplayedEffects:
        made.append(ReplayedEffects(events, trace))
        return made[0]

    job = Job(f"{folder.id}.{index + 1:05d}", index, task.task, task.files, work.task(index))
    settings = unclaimed(settings, trace)
    outcome = await run_job(
        job, settings, means.models, means.sandbox, means.library, effects=effects
    )
    odd = [
        f"a sandbox result of {one['request']['source'][:12]} differs"
        for one in made[0].differences
    ]
    return outcome, odd


def _models(folder: Folder) -> dict[str, list[ReplayModel]]:
    """Models that are only names: of the roles of runs as the first trace says, of aggregator
    and merger as the journal says."""
    first = next(iter(sorted(folder.path.glob(f"tasks/*/{TRACE_FILE}"))), None)
    if first is None:
        raise TraceError(f"There are no traces in {folder.path}.")
    started = next(event for event in read_trace(first) if event.kind == "run.started").data
    models = {
        role: [ReplayModel(name, started["context_windows"][role])]
        for role, name in started["models"].items()
    }
    means = next(
        (entry["data"]["models"] for entry in folder.journal() if entry["kind"] == "means"), {}
    )
    for role, model in means.items():
        models.setdefault(role, [ReplayModel(model["name"], model["context_window"])])
    return models


def _differences(
    what: str, was: TaskRecord | StepRecord, now: TaskRecord | StepRecord
) -> list[str]:
    left, right = _comparable(was), _comparable(now)
    return [
        f"{what}: {name} is {right[name]!r}, recorded {left[name]!r}"
        for name in left
        if left[name] != right[name]
    ]


def _comparable(record: TaskRecord | StepRecord) -> dict[str, Any]:
    plain = json.loads(json.dumps(record.to_dict()))
    return {name: value for name, value in plain.items() if name not in MEASURED}
