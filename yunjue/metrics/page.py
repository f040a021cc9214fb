"""The report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.metrics import tables
from yunjue.metrics.record import History
from yunjue.metrics.report import TASK_COLUMNS, task_rows
from yunjue.metrics.summary import EVOLVE

WIDTH, HEIGHT = 640, 200
MOST_POINTS = 1000  # of a line; more cannot be seen


def page(name: str, started: dict[str, Any], report: dict[str, Any], past: History) -> str:
    """The page of an evolution; every text in it is escaped.

    Args:
        name: the evolution's id.
        started: what it was started with.
        report: of :func:`yunjue.metrics.report.report`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rows = list(task_rows(past, report["window"]))
    own = [row for row in rows if row["arm"] == EVOLVE]
    environment = Environment(
        loader=PackageLoader("yunjue.metrics", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2").render(
        name=name,
        started=started,
        tables={
            "Arms": tables.arms_table(report),
            "Steps": tables.steps_table(report),
            "Domains": tables.domains_table(report),
        },
        lines=[tables.fit_line(report), tables.stop_line(report)] if own else [],
        plots=[
            _plot("EGL x1000 over tasks", [_scaled(row["egl"]) for row in own]),
            _plot("Library size over steps", [row["library"] for row in report["steps"]]),
        ],
        columns=TASK_COLUMNS,
        tasks=[[tables.cell(row[column]) for column in TASK_COLUMNS] for row in rows],
        width=WIDTH,
        height=HEIGHT,
    )


def _plot(title: str, values: Sequence[float | None]) -> dict[str, Any]:
    """``points``: the corners of an SVG polyline in a box of WIDTH x HEIGHT; "" for none."""
    known = [(place, value) for place, value in enumerate(values, start=1) if value is not None]
    if not known:
        return {"title": title, "points": "", "top": 0.0, "last": 0.0, "count": len(values)}
    every = -(-len(known) // MOST_POINTS)
    kept = known[::every] if known[-1] in known[::every] else [*known[::every], known[-1]]
    top = max(value for _, value in known) or 1.0
    points = " ".join(
        f"{WIDTH * place / len(values):.1f},{HEIGHT - HEIGHT * value / top:.1f}"
        for place, value in kept
    )
    return {
        "title": title,
        "points": points,
        "top": top,
        "last": known[-1][1],
        "count": len(values),
    }


def _scaled(value: float | None) -> float | None:
    return None if value is None else 1000 * value
