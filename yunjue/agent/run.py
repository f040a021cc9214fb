"""A run from start to end: assembles the services, drives the graph, keeps the trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yunjue.agent.approval import Approvals, Ask, asked, rules_of, waiting_of
from yunjue.agent.experience import LEAST_SIMILARITY, Experience
from yunjue.agent.graph import build_graph
from yunjue.agent.services import Provider, RunLibrary, Services
from yunjue.agent.shared import Shared, open_sandbox_and_models
from yunjue.agent.skilled import Skilled
from yunjue.agent.stage import Stage
from yunjue.agent.state import State, new_state
from yunjue.approvals import Proposal
from yunjue.bundle.provide import Provided, provide
from yunjue.config import LATER_ROLES, ROLES, WORLD_MODEL, Settings, home
from yunjue.errors import LimitReached, Paused, UsageError, YunjueError
from yunjue.events import Event, Events, Subscriber
from yunjue.grants import GrantedSandbox
from yunjue.library.library import Library
from yunjue.library.open import open_library
from yunjue.limits import Meter
from yunjue.mcp_client import servers
from yunjue.mcp_client.offered import RemoteTools
from yunjue.models.cache import ReplyCache
from yunjue.models.gateway import Gateway
from yunjue.plugins import plugins
from yunjue.principles.open import open_principles
from yunjue.protocols import ChatModel, Effects, Sandbox
from yunjue.skills.catalogue import LEAST_SIMILARITY as LEAST_SKILL_SIMILARITY
from yunjue.skills.shelf import open_shelf
from yunjue.skills.types import Skill
from yunjue.store.failures import translated
from yunjue.synthesis.synthesize import Synthesizer
from yunjue.traces.effects import RecordedEffects
from yunjue.traces.recorded_sandbox import RecordedSandbox
from yunjue.traces.runs import Runs, new_run_id
from yunjue.traces.trace import TRACE_FILE, TraceWriter, read_trace

MAX_TASK_CHARS = 100_000
CHECKPOINTS = "checkpoints.sqlite"
OUTPUTS = "outputs"
NODES_PER_STEP = 5


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a finished run came to; ``solve --json`` prints it.

    Attributes:
        status: ``solved`` or ``not_solved``.
        new_tools: names of the tools this run added to the library.
        tools_used: names of the tools it called, in order of first use.
        seconds: wall time over all sittings.
        roles: role -> calls, tokens, cost and seconds of its model.
        files: paths of the files its tools left.
        domain: that it was sent to; "" for none.
        checks: what verifiers said of the answer: ``by``, ``holds``, ``why``, ``score``.
        guessed: of an answer that unproven code gave, how many candidates ``agree`` on it ``of``
            how many.
    """

    run: str
    status: str
    answer: str
    new_tools: list[str]
    tools_used: list[str]
    model: str
    tokens: int
    cost_usd: float
    seconds: float
    calls: int = 0
    tool_calls: int = 0
    sandbox: str = ""
    refused: list[str] = field(default_factory=list)
    roles: dict[str, dict[str, float]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    domain: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    guessed: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; what only a domain, a verifier or a guess brings is left out of
        other runs."""
        rare = ("domain", "checks", "guessed")
        return {name: value for name, value in asdict(self).items() if value or name not in rare}


def runs() -> Runs:
    """The runs of this home."""
    return Runs(home() / "runs")


async def solve(
    task: str,
    settings: Settings,
    *,
    files: Mapping[str, Path] | None = None,
    subscribers: tuple[Subscriber, ...] = (),
    skill: Skill | None = None,
    ask: Ask | None = None,
) -> RunResult:
    """Solve one task in a new run.

    Args:
        task: the task, in words.
        files: name -> path of inputs that tools may read at ``/inputs/NAME``.
        subscribers: see every event as it happens.
        skill: work by this one, whatever the settings say.
        ask: asks a person about what may not be done without; without one the run pauses.

    Raises:
        YunjueError: see :mod:`yunjue.errors`; the run can be resumed afterwards.
    """
    if not task.strip():
        raise UsageError("The task is empty.", hint='Give one: yunjue solve "task".')
    if len(task) > MAX_TASK_CHARS:
        raise UsageError(
            f"The task has {len(task)} characters; at most {MAX_TASK_CHARS} are taken.",
            hint="Put the data in a file and name it with --file.",
        )
    names = {name: str(path.absolute()) for name, path in (files or {}).items()}
    sitting = Sitting(
        new_run_id(), settings, earlier=[], subscribers=subscribers, skill=skill, ask=ask
    )
    return await sitting.sit(task, names)


async def resume(
    name: str,
    flags: Mapping[str, Any],
    *,
    subscribers: tuple[Subscriber, ...] = (),
    ask: Ask | None = None,
) -> RunResult:
    """Go on with the run ``name`` where it stopped; nothing finished is done again.

    Args:
        flags: settings that replace the recorded ones, such as higher limits; what they grant is
            added to them.

    Raises:
        UsageError: there is no such run, or it has ended.
    """
    folder = runs().path(name)
    earlier = read_trace(folder / TRACE_FILE)
    started = next((event for event in earlier if event.kind == "run.started"), None)
    if started is None:
        raise UsageError(f"The run {folder.name} stopped before it began; solve the task anew.")
    if earlier[-1].kind == "run.finished":
        raise UsageError(f"The run {folder.name} has ended; `yunjue runs show` has its answer.")
    settings = Settings(**with_flags(started.data["settings"], flags))
    sitting = Sitting(folder.name, settings, earlier=earlier, subscribers=subscribers, ask=ask)
    return await sitting.sit(started.data["task"], started.data["files"])


GIVEN_MORE = ("approval", "allow_net", "grant_secrets", "allow_origins", "web_secrets")


def with_flags(settings: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run with the flags it is resumed with: what they grant is added, and
    new rules go before those of the run; all else replaces what was there."""
    given = {name: value for name, value in flags.items() if value is not None}
    for name in given.keys() & set(GIVEN_MORE):
        given[name] = [*given[name], *settings.get(name, [])]
    return {**settings, **given}


class Sitting:
    """One process's work on a run; an interrupted run takes several.

    Args:
        earlier: events of the earlier sittings.
        models: what to use instead of choosing by the settings (replay, tests).
        shared: what the run uses together with others and does not close.
        effects: makes the effects instead of recording live ones (replay).
        folder: where trace and checkpoints go; the home's runs by default.
        skill: work by this one, whatever the settings say (a draft that is being proven).
        ask: see :func:`solve`.
    """

    def __init__(
        self,
        run: str,
        settings: Settings,
        *,
        earlier: list[Event],
        subscribers: tuple[Subscriber, ...] = (),
        models: Mapping[str, list[ChatModel]] | None = None,
        shared: Shared | None = None,
        effects: Callable[[Events], Effects] | None = None,
        folder: Path | None = None,
        skill: Skill | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.run = run
        # The trace names the skill, so that resume and replay know it.
        named = {"skills": skill.name} if skill else {}
        self.settings = settings.model_copy(update=named)
        self.earlier = earlier
        self.folder = folder or runs().directory / run
        self.events = Events()
        self._subscribers = subscribers
        self._models = models
        self._shared = shared
        self._skill = skill
        self._live = effects is None
        self._ask = ask
        self._make_effects = effects or (lambda events: RecordedEffects(events, earlier))

    async def sit(self, task: str, files: dict[str, str]) -> RunResult:
        """Drive the graph to its end, or to the error that stops it."""
        async with AsyncExitStack() as stack:
            self._open_trace(stack)
            meter = Meter(self.settings.limits(), seconds_of(self.earlier))
            try:
                services = await self._services(stack, meter)
                self._announce(task, files, services)
                with translated(self.folder):
                    state = await self._experienced(stack, services, new_state(task, files))
            except YunjueError as error:
                self._fail(error, meter)
                raise
            return self._finish(state, services)

    def _open_trace(self, stack: AsyncExitStack) -> None:
        writer = TraceWriter(self.folder / TRACE_FILE, self.earlier)
        stack.callback(writer.close)
        self.events.start_at(len(self.earlier))
        for subscriber in (writer, *self._subscribers, plugins().see):
            self.events.subscribe(subscriber)

    async def _services(self, stack: AsyncExitStack, meter: Meter) -> Services:
        settings = self.settings
        effects = self._make_effects(self.events)
        shared = self._shared or await self._own(stack)
        # What would be imagined, the executor's model imagines, if no other is named for it.
        models = {WORLD_MODEL: shared.models["executor"], **shared.models}
        sandbox, library = shared.sandbox, shared.library
        cache = ReplyCache(home() / "cache" / "replies") if settings.cache else None
        gateway = Gateway(models, effects, meter, self.events, cache)
        window = gateway.context_window("executor")
        stage = Stage(settings, self.folder / OUTPUTS, window, self._warn)
        stack.push_async_callback(stage.close)
        remote = RemoteTools(servers.added() if settings.mcp else [], library.similarities)
        stack.push_async_callback(remote.close)
        # What is being proved gets neither network nor secrets; what was proved is granted.
        recorded = RecordedSandbox(sandbox, effects)
        synthesizer = Synthesizer(
            gateway,
            recorded,
            self.events,
            candidates=settings.candidates,
            repairs=settings.repairs,
            limits=settings.tool_limits(),
            veto=plugins().veto,
        )
        return Services(
            run=self.run,
            settings=settings,
            gateway=gateway,
            library=library,
            sandbox=GrantedSandbox(recorded, settings),
            synthesizer=synthesizer,
            events=self.events,
            meter=meter,
            effects=effects,
            remote=remote,
            outputs=self.folder / OUTPUTS,
            stage=stage,
            approvals=self._approvals(effects),
            mended=library if settings.repair_in_use else None,
            provider=self._provider(sandbox, library),
            replayed=not self._live,
            experience=self._experience(stack, effects, models) if settings.principles else None,
            skilled=self._skilled(gateway, effects, library),
        )

    def _skilled(self, gateway: Gateway, effects: Effects, library: RunLibrary) -> Skilled | None:
        wanted = self.settings.wanted_skills()
        if wanted is None:
            return None
        least = min(LEAST_SKILL_SIMILARITY, self.settings.min_similarity)
        similarities = library.similarities
        return Skilled(
            wanted, open_shelf, effects, self.events, gateway, similarities, least, self._skill
        )

    def _provider(self, sandbox: Sandbox, library: RunLibrary) -> Provider | None:
        """In a replay and on a branch of an evolution the library stays as it is."""
        if not self._live or not isinstance(library, Library):
            return None
        limits = self.settings.tool_limits()

        async def provider(folder: Path, name: str, domain: str) -> Provided:
            return await provide(
                *(folder, name, domain, library, sandbox, limits),
                run=self.run,
                veto=plugins().veto,
            )

        return provider

    def _approvals(self, effects: Effects) -> Approvals:
        rules = rules_of(self.settings) if self._live else None
        waiting = waiting_of(self.earlier) if self._ask else None
        return Approvals(effects, self.events, rules, waiting)

    def _experience(
        self, stack: AsyncExitStack, effects: Effects, models: Mapping[str, list[ChatModel]]
    ) -> Experience:
        settings = self.settings
        principles = open_principles(settings, self._warn)
        stack.callback(principles.close)
        least = min(LEAST_SIMILARITY, settings.min_similarity)
        # A bound that the user set is for the task: nothing else may use it up.
        bounded = settings.max_cost or settings.max_tokens or settings.timeout
        learns = self._live and not bounded
        return Experience(principles, effects, self.events, least, models if learns else None)

    async def _own(self, stack: AsyncExitStack) -> Shared:
        """What this run uses, closed when it ends."""
        sandbox, models = await open_sandbox_and_models(
            stack,
            self.settings,
            self._warn,
            roles=(*asked_roles(self.settings), *(LATER_ROLES if self.settings.principles else ())),
            models=self._models,
        )
        library = open_library(self.settings, self._warn)
        stack.callback(library.close)
        return Shared(models, sandbox, library)

    @property
    def _sitting(self) -> int:
        """Which sitting of the run this is, from 1. What a sitting does again is not written
        again to the trace; a question that names it is."""
        return 1 + sum(event.kind in ("run.started", "run.resumed") for event in self.earlier)

    def _announce(self, task: str, files: dict[str, str], services: Services) -> None:
        if self._sitting > 1:
            self.events.emit("run.resumed", run=self.run, sitting=self._sitting)
            return
        roles = asked_roles(self.settings)
        self.events.emit(
            "run.started",
            run=self.run,
            task=task,
            files=files,
            model=services.gateway.model_name("executor"),
            models={role: services.gateway.model_name(role) for role in roles},
            context_windows={role: services.gateway.context_window(role) for role in roles},
            sandbox=services.sandbox.name,
            image=services.sandbox.image,
            not_isolated=services.sandbox.isolation.missing(),
            library=str(services.library.directory),
            settings=self.settings.model_dump(mode="json"),
        )

    async def _experienced(self, stack: AsyncExitStack, services: Services, state: State) -> State:
        """Drive the graph; with principles, learn from earlier runs meanwhile, and credit
        those that this run was shown."""
        experience = services.experience
        if experience is None:
            return await self._drive(stack, services, state)
        async with experience.learning():
            state = await self._drive(stack, services, state)
        path = self.folder / TRACE_FILE
        experience.ended(self.run, state["status"], read_trace(path), path)
        return state

    async def _drive(self, stack: AsyncExitStack, services: Services, state: State) -> State:
        """Run the graph from its last checkpoint, or from the start when there is none."""
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
        from langgraph.types import Command

        path = self.folder / CHECKPOINTS
        _drop_if_damaged(path)
        saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(path)))
        graph = build_graph(services, saver)
        config = {
            "configurable": {"thread_id": self.run},
            "recursion_limit": NODES_PER_STEP * (most_steps(self.settings) + 5),
        }
        begun = await saver.aget_tuple(config) is not None
        state = await graph.ainvoke(None if begun else state, config, durability="sync")
        while waiting := state.get("__interrupt__"):
            decision = self._asked(Proposal.from_dict(waiting[0].value), services)
            state = await graph.ainvoke(Command(resume=decision), config, durability="sync")
        return state

    def _asked(self, proposal: Proposal, services: Services) -> dict[str, Any]:
        if self._ask is not None:
            told = {**proposal.to_dict(), "schema": {}}
            self.events.emit("approval.asked", sitting=self._sitting, proposal=told)
        with services.meter.stopped():
            return asked(proposal, self._ask)

    def _finish(self, state: State, services: Services) -> RunResult:
        meter = services.meter
        called = [
            step
            for step in state["steps"]
            if step["status"] != "denied" and not step.get("unproven")
        ]
        result = RunResult(
            run=self.run,
            status=state["status"],
            answer=state["answer"],
            new_tools=state["made"],
            tools_used=list(dict.fromkeys(step["tool"] for step in called)),
            model=services.gateway.model_name("executor"),
            tokens=meter.spent.tokens,
            cost_usd=round(meter.spent.cost_usd, 6),
            seconds=round(meter.seconds, 3),
            calls=meter.spent.calls,
            tool_calls=len(called),
            sandbox=services.sandbox.name,
            refused=state["refused"],
            domain=state["domain"],
            checks=state.get("checks", []),
            guessed=state.get("guessed", {}),
            files=[
                str(self.folder / OUTPUTS / name)
                for step in state["steps"]
                for name in step.get("files", ())
            ]
            + [str(self.folder / OUTPUTS / name) for name in state["episode"].get("files", ())],
            roles={role: asdict(use) for role, use in services.gateway.spent_by_role.items()},
        )
        self.events.emit("run.finished", **result.to_dict())
        services.stage.ended = True
        return result

    def _fail(self, error: YunjueError, meter: Meter) -> None:
        status = "limit" if isinstance(error, LimitReached) else "failed"
        spent = {"seconds": round(meter.seconds, 3), **meter.spent.to_dict()}
        if error.exit_code not in (2, 5):
            error.hint = error.hint.replace("RUN", self.run)
        # The disk may be what failed: the error itself must reach the user all the same.
        with suppress(YunjueError):
            if isinstance(error, Paused):
                self.events.emit(
                    "run.paused", sitting=self._sitting, proposal=error.proposal, **spent
                )
                return
            self.events.emit(
                "run.failed",
                run=self.run,
                status=status,
                error=error.to_dict(),
                **spent,
            )

    def _warn(self, message: str) -> None:
        self.events.emit("warning", message=message)


def asked_roles(settings: Settings) -> tuple[str, ...]:
    """Roles whose models a run opens: a world model only where it has one of its own."""
    return (*ROLES, WORLD_MODEL) if WORLD_MODEL in settings.roles else ROLES


def most_steps(settings: Settings) -> int:
    """Most decisions of a run, whichever way its task goes."""
    return max(settings.max_steps, settings.max_actions)


def seconds_of(earlier: list[Event]) -> float:
    """Wall time of the earlier sittings: from the first to the last event of each, without
    the time in which a person was asked."""
    total, begun = 0.0, None
    for position, event in enumerate(earlier):
        if event.kind in ("run.started", "run.resumed"):
            begun = event.time
        last = position + 1 == len(earlier)
        if event.kind == "approval.asked" and not last:
            total -= max(0.0, earlier[position + 1].time - event.time)
        if begun is not None and (last or earlier[position + 1].kind == "run.resumed"):
            total += max(0.0, event.time - begun)
    return total


def _drop_if_damaged(path: Path) -> None:
    """Delete checkpoints that cannot be read: the trace brings the run back without."""
    if not path.exists():
        return
    try:
        with sqlite3.connect(path) as connection:
            sound = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        connection.close()
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        for name in (path.name, path.name + "-wal", path.name + "-shm"):
            path.with_name(name).unlink(missing_ok=True)
