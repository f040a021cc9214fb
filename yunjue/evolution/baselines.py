"""What the same model does without a library: alone, and with a Python interpreter.

The two arms that evolution is compared with in the technical report of Yunjue
(arXiv 2601.18226). Each task is a run with a trace of its own, which is resumed if it was
killed and can be replayed without a model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from yunjue.agent.replay import kept
from yunjue.agent.run import seconds_of
from yunjue.config import Settings, home
from yunjue.errors import (
    LimitReached,
    ModelAuthError,
    ModelError,
    ReplayMiss,
    SandboxError,
    TraceError,
    UnknownPriceError,
    UsageError,
    YunjueError,
)
from yunjue.events import Event, Events, Subscriber
from yunjue.evolution.interpreter import ROLE, Interpreter
from yunjue.files import as_paths
from yunjue.limits import Meter
from yunjue.models.cache import ReplyCache
from yunjue.models.gateway import Gateway
from yunjue.models.scripted import ReplayModel
from yunjue.plugins import plugins
from yunjue.prompts import render
from yunjue.protocols import ChatModel, Effects, Sandbox
from yunjue.synthesis.schemas import closed
from yunjue.traces.effects import RecordedEffects, ReplayedEffects
from yunjue.traces.recorded_sandbox import RecordedSandbox
from yunjue.traces.trace import TRACE_FILE, TraceWriter, read_trace
from yunjue.types import CallOutcome, Message

BASELINES = ("model", "interpreter")
ALONE = closed(
    {
        "thinking": {"type": "string", "maxLength": 600},
        "answer": {"type": "string", "maxLength": 200},
    }
)
ALONE_TOKENS = 400
STOPS_ALL = (ModelAuthError, UnknownPriceError, ReplayMiss)
"""Errors of a model that the next task would meet too."""


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What one task came to in one arm.

    Attributes:
        status: ``solved`` (it gave an answer), ``not_solved``, ``limit`` or ``failed``.
        answer: "" for ``limit`` and ``failed``; for ``not_solved`` a guess, or "".
        tokens, cost_usd, seconds: of the whole run over all its sittings; wall seconds.
        calls: programs that were run; ``ok`` of them ended well, ``input_errors`` could
            not be handed over.
        roles: role -> tokens of its prompts and replies.
        error: why, for ``limit`` and ``failed``.
    """

    status: str
    answer: str
    tokens: int
    cost_usd: float
    seconds: float
    calls: int = 0
    ok: int = 0
    input_errors: int = 0
    roles: dict[str, int] = field(default_factory=dict)
    error: str = ""


async def run_baseline(
    arm: str,
    task: str,
    settings: Settings,
    models: Mapping[str, list[ChatModel]],
    sandbox: Sandbox,
    folder: Path,
    *,
    run: str,
    files: Mapping[str, Path] | None = None,
    subscribers: tuple[Subscriber, ...] = (),
    make_effects: Callable[[Events], Effects] | None = None,
) -> BaselineResult:
    """Give ``task`` to one arm; the trace goes to ``folder``.

    What a trace already there holds is not asked again; one that ended with
    ``run.finished`` gives its result as it is.

    Args:
        arm: one of :data:`BASELINES`.
        models, sandbox: the caller's, who closes them.
        run: the run's id, for its trace.
        files: name -> path, which only the interpreter can read.
        make_effects: instead of recording live ones (replay).

    Raises:
        UsageError: there is no such arm, or the folder has the trace of another task.
        YunjueError: what would stop every other task too: no key, no sandbox, a full disk.
            Other errors of models and sandbox are results.
    """
    if arm not in BASELINES:
        raise UsageError(f"There is no baseline {arm!r}.", hint=f"There are {BASELINES}.")
    path = folder / TRACE_FILE
    earlier = read_trace(path) if path.exists() else []
    _check_same(earlier, arm, task, folder)
    if earlier and earlier[-1].kind == "run.finished":
        return _recorded(earlier[-1])
    events = Events()
    writer = TraceWriter(path, earlier)
    try:
        events.start_at(len(earlier))
        for subscriber in (writer, *subscribers, plugins().see):
            events.subscribe(subscriber)
        effects = make_effects(events) if make_effects else RecordedEffects(events, earlier)
        meter = Meter(replace(settings.limits(), steps=None), seconds_of(earlier))
        cache = ReplyCache(home() / "cache" / "replies") if settings.cache else None
        gateway = Gateway(models, effects, meter, events, cache)
        _announce(events, earlier, arm, task, run, settings, gateway, sandbox, files or {})
        recorded = RecordedSandbox(sandbox, effects)
        interpreter = Interpreter(gateway, recorded, events, settings, files or {})
        return await _ended(arm, task, gateway, meter, events, interpreter)
    finally:
        writer.close()


async def _ended(
    arm: str,
    task: str,
    gateway: Gateway,
    meter: Meter,
    events: Events,
    interpreter: Interpreter,
) -> BaselineResult:
    """The result, which is the trace's last event too."""

    def result(status: str, answer: str = "", error: str = "") -> BaselineResult:
        return _result(status, answer, error, gateway, meter, interpreter.outcomes)

    try:
        if arm == "model":
            status, answer = await ask_alone(gateway, task)
        else:
            status, answer = await interpreter.solve(task)
    except YunjueError as error:
        found = result("limit" if isinstance(error, LimitReached) else "failed", "", error.message)
        # The disk may be what failed: the error itself must reach the user all the same.
        with suppress(YunjueError):
            events.emit("run.failed", **{**asdict(found), "error": error.to_dict()})
        of_this_task = isinstance(error, (LimitReached, ModelError, SandboxError))
        if not of_this_task or isinstance(error, STOPS_ALL):
            raise
        return found
    found = result(status, answer)
    events.emit("run.finished", **asdict(found))
    return found


async def ask_alone(gateway: Gateway, task: str) -> tuple[str, str]:
    """Status and answer of the model without any tool, in one structured reply."""
    messages = [
        Message(role="system", content=render("alone")),
        Message(role="user", content=task),
    ]
    reply = await gateway.ask_json(ROLE, messages, ALONE, max_tokens=ALONE_TOKENS)
    answer = reply["answer"].strip()
    return ("solved" if answer else "not_solved"), answer


async def replay_baseline(
    trace: Path, settings: Settings, sandbox: Sandbox
) -> tuple[BaselineResult, list[str]]:
    """Run the trace again without a model; programs run in ``sandbox`` anew.

    Args:
        settings: what decides the run's course is taken from the trace instead.

    Returns:
        The result, and one sentence for each difference from what was recorded.

    Raises:
        TraceError: the trace is unreadable or of a run that did not finish.
        ReplayMiss: something is asked that the trace does not hold.
    """
    recorded = read_trace(trace)
    first = {event.kind: event for event in reversed(recorded)}
    if missing := [kind for kind in ("run.started", "run.finished") if kind not in first]:
        raise TraceError(f"The trace {trace} holds no {missing[0]}: the run did not get that far.")
    started, finished = first["run.started"].data, first["run.finished"]
    chosen = kept(started["settings"])
    unlimited = dict.fromkeys(("timeout", "max_cost", "max_tokens", "max_calls"))
    effects: list[ReplayedEffects] = []

    def make_effects(events: Events) -> ReplayedEffects:
        effects.append(ReplayedEffects(events, recorded))
        return effects[0]

    with tempfile.TemporaryDirectory(prefix="yunjue-replay-") as folder:
        result = await run_baseline(
            started["arm"],
            started["task"],
            settings.model_copy(update={**chosen, **unlimited, "cache": False}),
            {ROLE: [ReplayModel(started["model"], started["context_window"])]},
            sandbox,
            Path(folder),
            run=started["run"],
            files=as_paths(started["files"]),
            make_effects=make_effects,
        )
    return result, _differences(_recorded(finished), result, effects[0])


def _differences(
    recorded: BaselineResult, result: BaselineResult, effects: ReplayedEffects
) -> list[str]:
    found = [
        f"{name} is {getattr(result, name)!r}, recorded {getattr(recorded, name)!r}"
        for name in ("status", "answer", "calls", "ok", "input_errors")
        if getattr(result, name) != getattr(recorded, name)
    ]
    for entry in effects.differences:
        new = entry["recorded"] is None
        found.append("a program " + ("was not run when recorded" if new else "ended otherwise"))
    return found


def _announce(
    events: Events,
    earlier: list[Event],
    arm: str,
    task: str,
    run: str,
    settings: Settings,
    gateway: Gateway,
    sandbox: Sandbox,
    files: Mapping[str, Path],
) -> None:
    if any(event.kind == "run.started" for event in earlier):
        sittings = sum(event.kind == "run.resumed" for event in earlier)
        events.emit("run.resumed", run=run, sitting=sittings + 2)
        return
    events.emit(
        "run.started",
        run=run,
        arm=arm,
        task=task,
        files={name: str(path) for name, path in files.items()},
        model=gateway.model_name(ROLE),
        context_window=gateway.context_window(ROLE),
        sandbox=sandbox.name,
        image=sandbox.image,
        not_isolated=sandbox.isolation.missing(),
        settings=settings.model_dump(mode="json"),
    )


def _result(
    status: str,
    answer: str,
    error: str,
    gateway: Gateway,
    meter: Meter,
    outcomes: list[CallOutcome],
) -> BaselineResult:
    use = gateway.spent_by_role
    return BaselineResult(
        status=status,
        answer=answer,
        tokens=meter.spent.tokens,
        cost_usd=round(meter.spent.cost_usd, 6),
        seconds=round(meter.seconds, 3),
        calls=len(outcomes),
        ok=sum(outcome.status == "ok" for outcome in outcomes),
        input_errors=sum(outcome.status == "input_error" for outcome in outcomes),
        roles={role: one.prompt_tokens + one.completion_tokens for role, one in use.items()},
        error=error,
    )


def _recorded(finished: Event) -> BaselineResult:
    names = {one.name for one in fields(BaselineResult)}
    try:
        return BaselineResult(**{k: v for k, v in finished.data.items() if k in names})
    except TypeError as error:
        raise TraceError(f"The trace's last event is not a baseline's: {error}.") from None


def _check_same(earlier: list[Event], arm: str, task: str, folder: Path) -> None:
    for event in earlier:
        was: dict[str, Any] = event.data
        if event.kind == "run.started" and (was.get("arm"), was.get("task")) != (arm, task):
            raise UsageError(f"{folder} holds the trace of another task.", hint="Name another.")
