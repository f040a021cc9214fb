"""The journal's records of tasks and steps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from yunjue.evolution.absorb import Plan
from yunjue.evolution.answers import same_answer
from yunjue.evolution.baselines import BaselineResult
from yunjue.evolution.task_rows import StreamTask
from yunjue.evolution.task_run import Outcome
from yunjue.limits import Spent
from yunjue.metrics.record import StepRecord, TaskRecord
from yunjue.store.absorptions import Absorption


def task_record(step: int, task: StreamTask, outcome: Outcome) -> TaskRecord:
    """The record of one task. Its answer, if known, is looked at here and nowhere else."""
    harvest = outcome.harvest
    own = {tool.id for tool, _ in harvest.made}
    status = Counter(call.outcome.status for call in harvest.calls)
    return TaskRecord(
        arm="evolve",
        step=step,
        index=outcome.index,
        task=task.id,
        domain=task.domain,
        status=outcome.status,
        right=_right(task, outcome.answer),
        made=len(harvest.made),
        calls=len(harvest.calls),
        ok=status["ok"],
        input_errors=status["input_error"],
        reused=sum(call.tool_id not in own for call in harvest.calls),
        tokens=outcome.tokens,
        cost_usd=outcome.cost_usd,
        seconds=outcome.seconds,
        roles=outcome.roles or {},
    )


def baseline_record(arm: str, index: int, task: StreamTask, result: BaselineResult) -> TaskRecord:
    """The record of a baseline's task."""
    return TaskRecord(
        arm=arm,
        step=0,
        index=index,
        task=task.id,
        domain=task.domain,
        status=result.status,
        right=_right(task, result.answer),
        calls=result.calls,
        ok=result.ok,
        input_errors=result.input_errors,
        tokens=result.tokens,
        cost_usd=result.cost_usd,
        seconds=result.seconds,
        roles=result.roles,
    )


def summary(plan: Plan, spent: Spent, seconds: float) -> dict[str, Any]:
    """What a step's record says beside the library's size; the library keeps it with the step,
    so that a driver that was killed then has it still."""
    return {
        "added": len(plan.added),
        "merges": plan.merges,
        "merged": plan.merged,
        "dropped": len(plan.dropped),
        "tokens": spent.tokens,
        "cost_usd": round(spent.cost_usd, 6),
        "seconds": round(seconds, 3),
    }


def step_record(done: Absorption) -> StepRecord:
    """The record of one absorbed batch."""
    return StepRecord(step=done.step, size=done.size, **done.summary)


def _right(task: StreamTask, answer: str) -> bool | None:
    return None if task.answer is None else same_answer(answer, task.answer)
