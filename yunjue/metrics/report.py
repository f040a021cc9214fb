"""Everything that is known of one evolution, as one document for JSON and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from yunjue.metrics import stopping
from yunjue.metrics.egl import Point, curve, stream
from yunjue.metrics.fit import fit
from yunjue.metrics.journal import history, read_journal
from yunjue.metrics.record import History
from yunjue.metrics.summary import EVOLVE, arm_summary, domain_rows, step_rows
from yunjue.plugin_guard import Misbehaved, guarded
from yunjue.plugins import plugins

TASK_COLUMNS = (
    *("arm", "step", "index", "task", "domain", "status", "right", "made", "calls", "ok"),
    *("input_errors", "reused", "tokens", "cost_usd", "seconds"),
    *("made_total", "calls_total", "egl", "egl_recent", "egl_fell"),
)


def load(journal: Path) -> tuple[dict[str, Any], History]:
    """What an evolution was started with ({} if the journal does not say) and its records.

    Raises:
        TraceError: the journal cannot be read or is damaged.
    """
    entries = read_journal(journal)
    started = next((entry["data"] for entry in entries if entry["kind"] == "started"), {})
    return started, history(entries)


def report(
    past: History,
    window: int | None = None,
    rate: float = stopping.RATE,
    alpha: float = stopping.ALPHA,
) -> dict[str, Any]:
    """The metrics of an evolution; every value can go into JSON, None is "not defined".

    Args:
        window: tasks of the windowed EGL.
        rate, alpha: of the stop rule.

    Raises:
        UsageError: ``rate`` or ``alpha`` is not between 0 and 1.
    """
    tasks = stream(past, EVOLVE)
    fitted = fit([point.total.egl for point in curve(tasks)])
    return {
        "window": window,
        "arms": {arm: arm_summary(past, arm, window) for arm in past.arms()},
        "steps": step_rows(past),
        "domains": domain_rows(past, window),
        "fit": fitted.to_dict() if fitted else None,
        "stop": stopping.judge(tasks, rate, alpha).to_dict(),
        **_of_plugins(past),
    }


def _of_plugins(past: History) -> dict[str, Any]:
    """What plugins measure, by name; nothing if none does. One that fails says why."""
    found: dict[str, Any] = {}
    for name, measure in plugins().offered("metrics").items():
        try:
            with guarded():
                found[name] = {str(key): _plain(value) for key, value in measure(past).items()}
        except Misbehaved as problem:
            found[name] = {"error": str(problem)}
    return {"plugins": found} if found else {}


def _plain(value: Any) -> int | float | str | None:
    return value if value is None or isinstance(value, int | float) else str(value)[:300]


def task_rows(past: History, window: int | None = None) -> Iterable[Mapping[str, Any]]:
    """One row a task of every arm with the members of ``TASK_COLUMNS``; the totals and the EGL
    are those of its arm after it."""
    for arm in past.arms():
        for point in curve(stream(past, arm), window):
            yield _task_row(point)


def twice(past: History) -> list[tuple[str, int]]:
    """(arm, index) of tasks that have more than one record: each counts, which is wrong."""
    seen = Counter((task.arm, task.index) for task in past.tasks)
    return sorted(place for place, count in seen.items() if count > 1)


def _task_row(point: Point) -> dict[str, Any]:
    egl = point.total.egl
    recent = point.recent.egl if point.recent else None
    members = point.task.to_dict()
    return {name: members[name] for name in TASK_COLUMNS if name in members} | {
        "made_total": point.total.made,
        "calls_total": point.total.calls,
        "egl": None if egl is None else float(egl),
        "egl_recent": None if recent is None else float(recent),
        "egl_fell": point.fell,
    }
