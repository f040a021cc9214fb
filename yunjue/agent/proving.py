"""A distilled skill proves itself: another task of its kind is solved by it, or it is not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yunjue.agent.run import RunResult, runs, solve
from yunjue.config import Settings
from yunjue.errors import UsageError
from yunjue.events import Event, Subscriber
from yunjue.hashing import canonical_json
from yunjue.skills.distil import Proven
from yunjue.skills.types import Skill
from yunjue.traces.trace import TRACE_FILE, read_trace


@dataclass(frozen=True, slots=True)
class SkillProof:
    """The second run, and why it does not prove the skill; no reasons if it does."""

    result: RunResult
    problems: Sequence[str]


async def prove_skill(
    skill: Skill,
    found: Proven,
    task: str,
    settings: Settings,
    *,
    files: Mapping[str, Path] | None = None,
    subscribers: tuple[Subscriber, ...] = (),
) -> SkillProof:
    """Solve ``task`` with the skill and no other tools than those it names.

    Raises:
        UsageError: it is the task that the skill comes from.
        YunjueError: as :func:`yunjue.agent.run.solve`.
    """
    if _plain(task) == _plain(found.task):
        raise UsageError(
            "The second task is the first one.", hint="Give another of its kind with --check."
        )
    result = await solve(task, settings, files=files, subscribers=subscribers, skill=skill)
    events = read_trace(runs().path(result.run) / TRACE_FILE)
    return SkillProof(result, list(_problems(found, result, events)))


def _problems(found: Proven, result: RunResult, events: Sequence[Event]) -> list[str]:
    problems = []
    if result.status != "solved":
        problems.append("the second task was not solved")
    if result.new_tools:
        problems.append(f"new tools had to be made: {', '.join(result.new_tools)}")
    calls = [
        event.data
        for event in events
        if event.kind == "tool.called" and event.data["outcome"]["status"] == "ok"
    ]
    called = {call["id"] for call in calls}
    missing = dict.fromkeys(s.tool.name for s in found.steps if s.tool.id not in called)
    if missing:
        problems.append(f"{', '.join(missing)} of its steps did not work or was not called")
    first = {canonical_json([step.tool.id, dict(step.inputs)]) for step in found.steps}
    again = {canonical_json([call["id"], call["inputs"]]) for call in calls}
    if calls and again <= first:
        problems.append("it was called with the first task's values: that proves nothing")
    return problems


def _plain(task: str) -> str:
    return " ".join(task.split()).casefold()
