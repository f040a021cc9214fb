"""Curves in plain characters, for a terminal or a file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

HEIGHT = 10
AXIS = 10  # characters left of the plot


def curves(report: dict[str, Any], egl: Sequence[float | None], width: int) -> str:
    """EGL x1000 over the tasks and the size of the library over the steps.

    Args:
        egl: L_t of each task in stream order.
        width: characters of a line.
    """
    sizes = [row["library"] for row in report["steps"]]
    return "\n\n".join(
        (
            plot("EGL x1000", "tasks", [_scaled(value) for value in egl], width),
            plot("library size", "steps", sizes, width),
        )
    )


def plot(title: str, unit: str, values: Sequence[float | None], width: int) -> str:
    """A curve with ``*`` for its points; values that are None leave a gap.

    With more values than columns, a column shows the mean of its share of them.
    """
    columns = _columns(values, max(10, width - AXIS - 2))
    known = [value for value in columns if value is not None]
    if not known:
        return f"{title}: not defined yet"
    low, high = min(0.0, *known), max(known)
    span = high - low or 1.0
    rows = [[" "] * len(columns) for _ in range(HEIGHT)]
    for place, value in enumerate(columns):
        if value is not None:
            rows[round((high - value) / span * (HEIGHT - 1))][place] = "*"
    labels = {0: f"{high:.5g}", HEIGHT - 1: f"{low:.5g}"}
    lines = [f"{title}, {len(values)} {unit}, last {_last(values):.5g}"]
    lines += [
        f"{labels.get(number, ''):>{AXIS}} |{''.join(row).rstrip()}"
        for number, row in enumerate(rows)
    ]
    lines.append(f"{'':>{AXIS}} +{'-' * len(columns)}")
    return "\n".join(lines)


def _columns(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    edges = [len(values) * place // width for place in range(width + 1)]
    return [_mean(values[start:end]) for start, end in pairwise(edges)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _last(values: Sequence[float | None]) -> float:
    return next(value for value in reversed(values) if value is not None)


def _scaled(value: float | None) -> float | None:
    return None if value is None else 1000 * value
