"""What the tasks of an arm, a step or a domain came to, as plain numbers.

Each function returns a dictionary that can go into JSON as it is; what is not defined (a ratio
over nothing, a step that has not ended) is None. docs/metrics.md defines each member.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, mean, median
from typing import Any

from yunjue.metrics.egl import Meter, stream, total
from yunjue.metrics.record import History, TaskRecord

EVOLVE = "evolve"


def wilson(right: int, known: int, level: float = 0.95) -> tuple[float, float] | None:
    """Wilson's score interval of the share ``right / known`` (Wilson 1927); None of nothing."""
    if known == 0:
        return None
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = right / known
    centre = (share + z2 / (2 * known)) / (1 + z2 / known)
    spread = (z2 * (share * (1 - share) / known + z2 / (4 * known**2))) ** 0.5 / (1 + z2 / known)
    # Rounding must not carry an end past the share of 0 of n and n of n.
    return min(max(0.0, centre - spread), share), max(min(1.0, centre + spread), share)


def arm_summary(history: History, arm: str, window: int | None = None) -> dict[str, Any]:
    """All numbers of an arm; those of the library only of ``evolve``.

    Args:
        window: last tasks of ``egl_recent``; None leaves it undefined.
    """
    tasks = stream(history, arm)
    numbers = _numbers(tasks, window)
    roles = Counter[str]()
    for task in tasks:
        roles.update(task.roles)
    steps = history.steps if arm == EVOLVE else ()
    calls = numbers["calls"]
    input_errors = sum(task.input_errors for task in tasks)
    ok = sum(task.ok for task in tasks)
    seconds = [task.seconds for task in tasks]
    wrong = [task for task in tasks if task.status == "solved" and task.right is False]
    return {
        **numbers,
        "input_errors": input_errors,
        "failed_calls": calls - ok - input_errors,
        "success": _ratio(ok, calls),
        "reuse": _ratio(sum(task.reused for task in tasks), calls),
        "library": max(steps, key=lambda step: step.step).size if steps else None,
        "merges": sum(step.merges for step in steps) if steps else None,
        "merged": sum(step.merged for step in steps) if steps else None,
        "dropped": sum(step.dropped for step in steps) if steps else None,
        "false_admissions": sum(task.made for task in wrong) if numbers["known"] else None,
        "tokens_per_task": _ratio(numbers["tokens"], len(tasks)),
        "tokens_per_call": _ratio(roles["executor"], calls) if "executor" in roles else None,
        "cost_per_task": _ratio(numbers["cost_usd"], len(tasks)),
        "seconds_mean": mean(seconds) if seconds else None,
        "seconds_median": median(seconds) if seconds else None,
        "roles": {role: _ratio(count, roles.total()) for role, count in roles.most_common()},
    }


def step_rows(history: History) -> list[dict[str, Any]]:
    """One row a step of the evolution, in order. ``egl`` is cumulative after the step,
    ``marginal`` that of its tasks alone; ``library`` and ``batch_seconds`` are None until the
    step has ended."""
    batches: dict[int, list[TaskRecord]] = {}
    for task in stream(history, EVOLVE):
        batches.setdefault(task.step, []).append(task)
    steps = {step.step: step for step in history.steps}
    meter, rows = Meter(), []
    for number in sorted({*batches, *steps}):
        batch = batches.get(number, [])
        for task in batch:
            meter.add(task)
        numbers, step = _numbers(batch), steps.get(number)
        rows.append(
            {
                "step": number,
                **numbers,
                "marginal": numbers["egl"],
                "egl": _float(meter.total.egl),
                "library": step.size if step else None,
                "batch_seconds": step.seconds if step else None,
            }
        )
    return rows


def domain_rows(history: History, window: int | None = None) -> list[dict[str, Any]]:
    """One row a domain of the evolution, in the order they first came."""
    groups: dict[str, list[TaskRecord]] = {}
    for task in stream(history, EVOLVE):
        groups.setdefault(task.domain, []).append(task)
    return [{"domain": domain, **_numbers(tasks, window)} for domain, tasks in groups.items()]


def _numbers(tasks: Sequence[TaskRecord], window: int | None = None) -> dict[str, Any]:
    """What arms, steps and domains have in common; ``tasks`` in stream order."""
    known = [task for task in tasks if task.right is not None]
    right = sum(task.right is True for task in known)
    sums = total(tasks)
    return {
        "tasks": len(tasks),
        "solved": sum(task.status == "solved" for task in tasks),
        "right": right,
        "known": len(known),
        "accuracy": _ratio(right, len(known)),
        "accuracy_interval": wilson(right, len(known)),
        "made": sums.made,
        "calls": sums.calls,
        "egl": _float(sums.egl),
        "egl_recent": _float(total(tasks[-window:]).egl) if window else None,
        "tokens": sum(task.tokens for task in tasks),
        "cost_usd": sum(task.cost_usd for task in tasks),
        "seconds": sum(task.seconds for task in tasks),
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
