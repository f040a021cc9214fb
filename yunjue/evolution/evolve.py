"""An evolution: batches of tasks over one library, absorbed one after the other.

Mechanism of arXiv 2601.18226: the B tasks of a batch run at once against T_{t-1}, each with
private tools; what they made is merged and becomes part of T_t. All that is finished is on
disk: an evolution that was killed goes on at its last finished task, and a batch is absorbed
exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import asdict, dataclass, field
from typing import Any

from yunjue import __version__
from yunjue.agent.shared import Shared, open_sandbox_and_models
from yunjue.config import EVOLUTION_ROLES, ROLES, Settings
from yunjue.errors import LimitReached, TraceError, UsageError
from yunjue.events import Event, Events
from yunjue.evolution.absorb import Absorber, Plan
from yunjue.evolution.baselines import BASELINES, run_baseline
from yunjue.evolution.branch import Harvest
from yunjue.evolution.engine import Context, Engine
from yunjue.evolution.folder import Folder, evolutions
from yunjue.evolution.records import baseline_record, step_record, summary, task_record
from yunjue.evolution.task_rows import StreamTask
from yunjue.evolution.task_run import Job, Outcome, keep_outcome, read_outcome
from yunjue.evolution.warm import copy_library
from yunjue.files import as_paths
from yunjue.library.library import Library
from yunjue.library.open import open_library
from yunjue.limits import Limits, Meter
from yunjue.metrics.journal import history
from yunjue.metrics.record import History
from yunjue.models.gateway import Gateway
from yunjue.plugins import plugins
from yunjue.protocols import Effects, SandboxLimits
from yunjue.traces.effects import RecordedEffects
from yunjue.traces.recorded_sandbox import RecordedSandbox
from yunjue.traces.runs import new_run_id
from yunjue.traces.trace import TRACE_FILE, TraceWriter, read_trace

ASKED = (*ROLES, *EVOLUTION_ROLES)
"""Roles that an evolution needs models for."""


Means = Shared[Library]
"""What all tasks of an evolution share."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an evolution goes; kept in its journal.

    Attributes:
        batch_size: tasks that run at once against the same library (B).
        frozen: no new tools are made.
        engine: ``local``, or another that is registered; ``address``: of its cluster.
        baselines: arms that answer the same tasks without a library, for comparison.
        total_cost, total_tokens, total_seconds: bounds of the whole, in USD, tokens, and
            seconds of this sitting; a batch is not begun beyond them.
    """

    batch_size: int = 4
    frozen: bool = False
    engine: str = "local"
    address: str = ""
    baselines: tuple[str, ...] = ()
    total_cost: float | None = None
    total_tokens: int | None = None
    total_seconds: float | None = None

    def check(self) -> None:
        """Raises: UsageError: a value makes no sense."""
        if self.batch_size < 1:
            raise UsageError("--batch-size is at least 1.")
        if unknown := [one for one in self.baselines if one not in BASELINES]:
            raise UsageError(
                f"There is no baseline {unknown[0]!r}; there are {', '.join(BASELINES)}."
            )


@dataclass(frozen=True, slots=True)
class Told:
    """What a display is told while an evolution goes on.

    Attributes:
        what: ``means``, ``event`` (an event of a run or an absorption), ``task``, ``step``,
            ``undone``, ``finished``.
        data: the journal's record; of an event its ``kind`` and ``data``.
    """

    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


Display = Callable[[Told], None]


def begin(tasks: Sequence[StreamTask], settings: Settings, options: Options) -> Folder:
    """The folder of a new evolution over ``tasks``, which :class:`Evolution` carries out.

    Raises:
        UsageError: there are no tasks, or an option makes no sense.
    """
    options.check()
    if not tasks:
        raise UsageError("There are no tasks.", hint="`yunjue evolve --help` shows the formats.")
    folder = Folder(evolutions() / new_run_id())
    folder.keep_tasks(tasks)
    copy_library(settings.library_dir, folder.initial)
    folder.note(
        "started",
        {
            "id": folder.id,
            "tasks": len(tasks),
            "version": __version__,
            "model": settings.model or "",
            "batch_size": options.batch_size,
            "options": asdict(options),
            "settings": settings.model_dump(mode="json"),
        },
    )
    return folder


def beginning(journal: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What :func:`begin` noted.

    Raises:
        TraceError: the journal does not begin so.
    """
    if not journal or journal[0]["kind"] != "started":
        raise TraceError("The journal does not say how its evolution began.")
    return journal[0]["data"]


class Evolution:
    """One process's work on an evolution; one that was stopped takes several.

    Args:
        flags: settings that replace the recorded ones, such as another model or sandbox.
        options: the same for :class:`Options`.
        display: told of everything as it happens.
    """

    def __init__(
        self,
        folder: Folder,
        flags: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        display: Display = lambda told: None,
    ) -> None:
        started = beginning(folder.journal())
        self.folder = folder
        self.options = Options(**{**started["options"], **_given(options)})
        self.options.check()
        # Tasks of a batch must not depend on which of them ended first.
        alone = {"principles": False, "repair_in_use": False, "skills": "off"}
        settings = Settings(**{**started["settings"], **_given(flags), **alone})
        self.settings = (
            settings.model_copy(update={"max_new_tools": 0}) if self.options.frozen else settings
        )
        self.tasks = folder.tasks()
        self._display = display
        self._started = time.monotonic()

    async def go_on(self) -> History:
        """Do what is not finished yet, to the end.

        Raises:
            UsageError: another process works on it.
            LimitReached: a bound of the whole; ``yunjue evolve resume`` goes on with a wider.
            YunjueError: what stops every task; it can be resumed when that is mended.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(self.folder.held())
            means = await self._open(stack)
            self._settle(means.library)
            context = Context(
                self.settings,
                means.models,
                means.sandbox,
                means.library,
                self._saw,
                self.options.address,
            )
            engine = plugins().choose("engines", self.options.engine, context)
            stack.push_async_callback(engine.close)
            self._note("means", _means(means))
            finished = {record.step for record in self.history().steps}
            for step, batch in batches(len(self.tasks), self.options.batch_size):
                if step not in finished:
                    self._check_bounds()
                    await self._batch(step, batch, engine, means)
            for arm in self.options.baselines:
                await self._baseline(arm, means)
            self._finish(means)
        return self.history()

    def history(self) -> History:
        return history(self.folder.journal())

    async def _open(self, stack: AsyncExitStack) -> Means:
        sandbox, models = await open_sandbox_and_models(
            stack, self.settings, self._warn, roles=ASKED
        )
        library = open_library(self.settings, self._warn)
        stack.callback(library.close)
        return Shared(models, sandbox, library)

    def _settle(self, library: Library) -> None:
        """Make the journal say of steps what the library says: it is the truth."""
        standing = {done.step: done for done in library.absorbed(self.folder.id)}
        noted = {record.step for record in self.history().steps}
        for step in noted - set(standing):
            self._note("undone", {"step": step})
        for step in sorted(set(standing) - noted):
            self._note("step", step_record(standing[step]).to_dict())

    async def _batch(self, step: int, batch: list[int], engine: Engine, means: Means) -> None:
        started = time.monotonic()
        outcomes = await self._outcomes(step, batch, engine)
        harvests = [outcomes[index].harvest for index in batch]
        plan, meter = await self._plan(step, harvests, means)
        told = summary(plan, meter.spent, time.monotonic() - started)
        changes = plan.changes(harvests, means.library, told)
        self._note(
            "step", step_record(means.library.absorb(self.folder.id, step, changes)).to_dict()
        )

    async def _outcomes(self, step: int, batch: list[int], engine: Engine) -> dict[int, Outcome]:
        """What the tasks of the batch came to: those that had ended, and the rest now."""
        noted = {record.index for record in self.history().arm("evolve")}
        outcomes: dict[int, Outcome] = {}

        def done(outcome: Outcome) -> None:
            index = outcome.index
            keep_outcome(self.folder.task(index), outcome)
            outcomes[index] = outcome
            if index not in noted:
                self._note("task", task_record(step, self.tasks[index], outcome).to_dict())

        for index in batch:
            if outcome := read_outcome(self.folder.task(index)):
                done(outcome)
        left = [self._job(index) for index in batch if index not in outcomes]
        if left:
            await engine.run(left, self._bounded(), done)
        return outcomes

    def _job(self, index: int) -> Job:
        task = self.tasks[index]
        return Job(
            run=f"{self.folder.id}.{index + 1:05d}",
            index=index,
            task=task.task,
            files=task.files,
            folder=self.folder.task(index),
        )

    async def _plan(
        self, step: int, harvests: Sequence[Harvest], means: Means
    ) -> tuple[Plan, Meter]:
        """What to absorb, and what was spent on it. What an earlier sitting asked of models is
        not asked again."""
        path = self.folder.step(step) / TRACE_FILE
        earlier = read_trace(path) if path.exists() else []
        events = Events()
        with closing(TraceWriter(path, earlier)) as writer:
            events.start_at(len(earlier))
            events.subscribe(writer)
            events.subscribe(self._saw)
            effects = RecordedEffects(events, earlier)
            limits = self.settings.tool_limits()
            return await plan_step(self.folder, step, harvests, means, effects, events, limits)

    async def _baseline(self, arm: str, means: Means) -> None:
        done = {record.index for record in self.history().arm(arm)}
        for index, task in enumerate(self.tasks):
            if index in done:
                continue
            self._check_bounds()
            result = await run_baseline(
                arm,
                task.task,
                self._bounded(),
                means.models,
                means.sandbox,
                self.folder.baseline(arm, index),
                run=f"{self.folder.id}.{arm}.{index + 1:05d}",
                files=as_paths(task.files),
            )
            self._note("task", baseline_record(arm, index, task, result).to_dict())

    def _finish(self, means: Means) -> None:
        if not any(entry["kind"] == "finished" for entry in self.folder.journal()[-1:]):
            self._note("finished", {"tools": in_use(means.library)})

    def _check_bounds(self) -> None:
        for what, spent, bound in self._bounds():
            if bound is not None and spent >= bound:
                raise LimitReached(
                    f"The limit on the evolution's {what} is reached: {spent:.6g} of {bound:g}.",
                    hint=f"Go on with a wider one: yunjue evolve resume {self.folder.id} "
                    f"--total-{what} MORE",
                )

    def _bounds(self) -> list[tuple[str, float, float | None]]:
        """(what, what was spent, most)."""
        past, options = self.history(), self.options
        records = [*past.tasks, *past.steps]
        return [
            ("cost", sum(one.cost_usd for one in records), options.total_cost),
            ("tokens", sum(one.tokens for one in records), options.total_tokens),
            ("seconds", time.monotonic() - self._started, options.total_seconds),
        ]

    def _bounded(self) -> Settings:
        """The settings of a task: it may spend no more than is left of the whole."""
        names = ("max_cost", "max_tokens", "timeout")
        left = {}
        for name, (_, spent, bound) in zip(names, self._bounds(), strict=True):
            own = getattr(self.settings, name)
            if bound is not None:
                left[name] = bound - spent if own is None else min(own, bound - spent)
        return self.settings.model_copy(update=left)

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.folder.note(kind, data)
        self._display(Told(kind, data))

    def _saw(self, event: Event) -> None:
        self._display(Told("event", {"kind": event.kind, "data": event.data}))

    def _warn(self, message: str) -> None:
        self._display(Told("event", {"kind": "warning", "data": {"message": message}}))


def batches(count: int, size: int) -> list[tuple[int, list[int]]]:
    """(step from 1, places of its tasks in the stream) of each batch."""
    return [
        (step, list(range(start, min(start + size, count))))
        for step, start in enumerate(range(0, count, size), start=1)
    ]


async def plan_step(
    folder: Folder,
    step: int,
    harvests: Sequence[Harvest],
    means: Means,
    effects: Effects,
    events: Events,
    limits: SandboxLimits,
) -> tuple[Plan, Meter]:
    """What absorbing ``harvests`` does to the library, and what finding it out cost."""
    meter = Meter(Limits())
    absorber = Absorber(
        gateway=Gateway(means.models, effects, meter, events),
        sandbox=RecordedSandbox(means.sandbox, effects),
        limits=limits,
        base=means.library,
        effects=effects,
        events=events,
        origin={"run": f"{folder.id}.step-{step}", "evolution": folder.id, "step": step},
    )
    return await absorber.plan(harvests), meter


def in_use(library: Library) -> dict[str, str]:
    """name -> id of the tools in use."""
    return {tool.name: tool.id for tool in library.active()}


def _means(means: Means) -> dict[str, Any]:
    """What a sitting works with; a replay needs the names."""
    return {
        "sandbox": means.sandbox.name,
        "image": means.sandbox.image,
        "models": {
            role: {"name": models[0].name, "context_window": models[0].context_window}
            for role, models in means.models.items()
        },
    }


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}
