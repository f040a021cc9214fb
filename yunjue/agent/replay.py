"""Replays a run: model replies and retrieval from its trace, tools in the sandbox anew."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yunjue.agent.routing import AUTO, NONE
from yunjue.agent.run import RunResult, Sitting
from yunjue.config import Settings
from yunjue.errors import TraceError, UsageError
from yunjue.events import Event, Subscriber
from yunjue.models.scripted import ReplayModel
from yunjue.traces.effects import ReplayedEffects
from yunjue.traces.trace import read_trace

KEPT = (
    "candidates",
    "max_new_tools",
    "max_steps",
    "min_similarity",
    "repairs",
    "tool_memory",
    "tool_seconds",
    "top_k",
)
"""Settings that decide what a run does; a replay takes them from the trace."""

NEWER = {
    "principles": False,
    "repair_in_use": False,
    "skills": "off",
    "domain": "none",
    "guess": False,
    "fresh_ideas": 0,
}
"""Further ones, with what was so before they were settings."""


ACTING = (
    "allow_origins",
    "allow_private",
    "look_ahead",
    "look_ahead_candidates",
    "look_ahead_depth",
    "look_ahead_from",
    "max_actions",
    "start_url",
    "web_secrets",
)
"""Settings of runs in an environment; where a trace does not name them, they do not matter."""


def kept(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide what a run does, as they were recorded."""
    newer = {name: recorded.get(name, then) for name, then in NEWER.items()}
    acting = {name: recorded[name] for name in ACTING if name in recorded}
    return {name: recorded[name] for name in KEPT} | newer | acting


def unclaimed(settings: Settings, recorded: Sequence[Event]) -> Settings:
    """The settings without domains for a task that none of those claimed which there were:
    others may have come since."""
    if settings.domain == AUTO and not any(one.kind == "domain.chosen" for one in recorded):
        return settings.model_copy(update={"domain": NONE})
    return settings


@dataclass(frozen=True, slots=True)
class Replay:
    """A replayed run and where it differs from the recorded one.

    Attributes:
        differences: one sentence per difference; empty when all is as recorded.
        effects: what the sandbox gave otherwise, with both results.
    """

    result: RunResult
    differences: list[str]
    effects: list[dict[str, Any]] = field(default_factory=list)


async def replay(
    trace: Path,
    settings: Settings,
    *,
    subscribers: tuple[Subscriber, ...] = (),
    files: Mapping[str, Path] | None = None,
) -> Replay:
    """Run the trace again without a model and at no cost; the library stays as it is.

    Args:
        settings: sandbox and image are taken from here, the rest from the trace.
        files: name -> path of the run's inputs; None for those the trace names, which must
            then be a trace of one's own.

    Raises:
        UsageError: an input of the run is not among ``files``.
        TraceError: the trace is unreadable or of a run that did not end.
        ReplayMiss: the agent asked something that the trace does not hold.
    """
    recorded = read_trace(trace)
    started = _first(recorded, "run.started", trace)
    finished = _first(recorded, "run.finished", trace)
    inputs = _inputs(started.data["files"], files)
    effects: list[ReplayedEffects] = []

    def make_effects(events: Any) -> ReplayedEffects:
        effects.append(ReplayedEffects(events, recorded))
        return effects[0]

    with tempfile.TemporaryDirectory(prefix="yunjue-replay-") as folder:
        chosen = kept(started.data["settings"])
        changed = {**chosen, "library": Path(folder) / "library", "timeout": None}
        sitting = Sitting(
            started.data["run"],
            unclaimed(settings.model_copy(update=changed), recorded),
            earlier=[],
            subscribers=subscribers,
            models=_models(started.data),
            effects=make_effects,
            folder=Path(folder) / "run",
        )
        result = await sitting.sit(started.data["task"], inputs)
    return Replay(result, _differences(finished.data, result, effects[0]), effects[0].differences)


def _inputs(recorded: Mapping[str, str], given: Mapping[str, Path] | None) -> dict[str, str]:
    """name -> path of the inputs. Somebody else's trace may not name files of this machine."""
    if given is None:
        return dict(recorded)
    if lacking := sorted(set(recorded) - set(given)):
        raise UsageError(
            f"The run had the input {lacking[0]}, which a replay needs, too.",
            hint=f"Give it: --file PATH/{lacking[0]}",
        )
    return {name: str(Path(given[name]).absolute()) for name in recorded}


def _first(events: list[Event], kind: str, trace: Path) -> Event:
    for event in events:
        if event.kind == kind:
            return event
    raise TraceError(f"The trace {trace} holds no {kind}: the run did not get that far.")


def _models(started: Mapping[str, Any]) -> dict[str, list[Any]]:
    windows = started["context_windows"]
    return {role: [ReplayModel(started["models"][role], windows[role])] for role in windows}


def _differences(
    recorded: Mapping[str, Any], result: RunResult, effects: ReplayedEffects
) -> list[str]:
    found = [
        f"{name} is {getattr(result, name)!r}, recorded {recorded[name]!r}"
        for name in ("status", "answer", "new_tools", "tools_used")
        if getattr(result, name) != recorded[name]
    ]
    for entry in effects.differences:
        what = "was not run when recorded" if entry["recorded"] is None else "gave another result"
        request = entry["request"]
        found.append(f"{request['verb']} of {request['source'][:12]} {what}")
    return found
