"""The numbers of a report as rows of text, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

GOOD_R2 = 0.9
TELLING = 0.5  # bounds of a rate above it are not worth a sentence

Table = tuple[list[str], list[list[str]]]


def count(value: float) -> str:
    return f"{value:.0f}"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def thousandths(value: float) -> str:
    return f"{1000 * value:.2f}"


def seconds(value: float) -> str:
    return f"{value:.1f}"


def dollars(value: float) -> str:
    return f"{value:.4f}"


def word(value: str) -> str:
    """Text of others in one line, without characters that move the cursor."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)


def interval(value: Sequence[float]) -> str:
    return f"{100 * value[0]:.1f}-{100 * value[1]:.1f} %"


Column = tuple[str, str, Callable[[Any], str]]

ARM: list[Column] = [
    ("tasks", "tasks", count),
    ("solved", "solved", count),
    ("right", "right", count),
    ("answer known", "known", count),
    ("right/known", "accuracy", percent),
    ("  95 % interval", "accuracy_interval", interval),
    ("tools made (C)", "made", count),
    ("tool calls (U)", "calls", count),
    ("EGL x1000", "egl", thousandths),
    ("EGL x1000, window", "egl_recent", thousandths),
    ("library", "library", count),
    ("merges", "merges", count),
    ("tools merged", "merged", count),
    ("tools dropped", "dropped", count),
    ("reuse", "reuse", percent),
    ("calls ok", "success", percent),
    ("calls with wrong inputs", "input_errors", count),
    ("calls failed", "failed_calls", count),
    ("false admissions, proxy", "false_admissions", count),
    ("tokens a task", "tokens_per_task", count),
    ("executor's tokens a call", "tokens_per_call", count),
    ("USD a task", "cost_per_task", dollars),
    ("seconds a task, mean", "seconds_mean", seconds),
    ("seconds a task, median", "seconds_median", seconds),
]
STEP: list[Column] = [
    ("step", "step", count),
    ("tasks", "tasks", count),
    ("made", "made", count),
    ("calls", "calls", count),
    ("c/u x1000", "marginal", thousandths),
    ("EGL x1000", "egl", thousandths),
    ("library", "library", count),
    ("right", "right", count),
    ("known", "known", count),
    ("tokens", "tokens", count),
    ("seconds", "batch_seconds", seconds),
]
DOMAIN: list[Column] = [
    ("domain", "domain", word),
    ("tasks", "tasks", count),
    ("made", "made", count),
    ("calls", "calls", count),
    ("EGL x1000", "egl", thousandths),
    ("window", "egl_recent", thousandths),
    ("right", "right", count),
    ("known", "known", count),
    ("tokens", "tokens", count),
    ("seconds", "seconds", seconds),
]


def cell(value: Any, form: Callable[[Any], str] = str) -> str:
    """``value`` as text; "-" where it is not defined or empty."""
    return "-" if value is None or value == "" else form(value)


def arms_table(report: Mapping[str, Any]) -> Table:
    """A column an arm, a row a number; the share of each role's tokens at the end."""
    arms: Mapping[str, Mapping[str, Any]] = report["arms"]
    rows = [
        [title, *(cell(numbers[member], form) for numbers in arms.values())]
        for title, member, form in ARM
    ]
    for role in dict.fromkeys(role for numbers in arms.values() for role in numbers["roles"]):
        shares = (cell(numbers["roles"].get(role), percent) for numbers in arms.values())
        rows.append([f"tokens of {word(role)}", *shares])
    return ["", *map(word, arms)], rows


def steps_table(report: Mapping[str, Any]) -> Table:
    return _table(STEP, report["steps"])


def domains_table(report: Mapping[str, Any]) -> Table:
    return _table(DOMAIN, report["domains"])


def fit_line(report: Mapping[str, Any]) -> str:
    """The fit in one sentence."""
    fit = report["fit"]
    if fit is None:
        return "Fit: too few tasks with a defined EGL."
    band = "-" if fit["low"] is None else f"{fit['low']:.3g} to {fit['high']:.3g}"
    line = (
        f"Fit: L = a/t with a = {fit['a']:.3g} (95 %: {band}), R2 {cell(fit['r2'], _short)}; "
        f"t*L is {fit['now']:.3g} now; slope of log L {cell(fit['slope'], _short)} "
        "(-1: no new tools, 0: as many as ever)."
    )
    if fit["r2"] is not None and fit["r2"] < GOOD_R2:
        line += " A poor fit: tools were made over much of the stream, which a/t knows nothing of."
    return line


def stop_line(report: Mapping[str, Any]) -> str:
    """What the stop rule says, in one or two sentences."""
    stop = report["stop"]
    rule = f"(r = {stop['rate']:g}, alpha = {stop['alpha']:g})"
    quiet = f"tasks in a row without a new tool: {stop['quiet']} of {stop['needed']} needed"
    if stop["holds"]:
        line = f"Stop: converged at task {stop['fired_at']} {rule}: {quiet}."
        if stop["new_since"]:
            line = f"Stop: converged {rule}: {quiet}."
    else:
        line = f"Stop: not converged {rule}: {quiet}."
    if stop["new_since"]:
        line += (
            f" It had fired at task {stop['fired_at']}, and {stop['new_since']} tasks after "
            "that made tools."
        )
    if stop["rate_below"] is not None and stop["rate_below"] < TELLING:
        line += f" The rate of tasks that need a new tool is below {percent(stop['rate_below'])}."
    return line


def _short(value: float) -> str:
    return f"{value:.2f}"


def _table(columns: list[Column], rows: Sequence[Mapping[str, Any]]) -> Table:
    titles = [title for title, _, _ in columns]
    return titles, [[cell(row[member], form) for _, member, form in columns] for row in rows]
