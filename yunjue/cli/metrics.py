"""``yunjue metrics``: whether an evolution still learns."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

if TYPE_CHECKING:
    from yunjue.metrics.record import History

WEB = "web"
PLOT_WIDTH = 80  # off a terminal


class By(str, Enum):  # noqa: UP042 - typer shows the values of a str
    step = "step"
    domain = "domain"


def metrics(
    evolution: Annotated[
        str | None,
        typer.Argument(
            help="Its id, the start or end of one, a folder or a journal. Default: the newest. "
            "`web`: how well runs in the browser foresee what they do."
        ),
    ] = None,
    by: Annotated[By | None, typer.Option("--by", help="A table of steps or of domains.")] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=1, help="Tasks of the windowed EGL.")
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", help="Stop rule: tasks that need a new tool, as a share.")
    ] = 0.05,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Stop rule: most probability to stop falsely.")
    ] = 0.05,
    csv: Annotated[bool, typer.Option("--csv", help="One row a task.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Curves in plain characters.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page with all of it.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FILE", help="With `web`: write all (page, action, next page)."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show whether an evolution still learns: tools made over tool calls (EGL), and its cost.

    The EGL falls while tools are reused more than made; "Stop" says when to make none any more.
    """
    from yunjue.config import home
    from yunjue.metrics.evolutions import find
    from yunjue.metrics.report import load, report, twice
    from yunjue.metrics.tables import word

    if evolution == WEB:
        from yunjue.cli.metrics_web import metrics_web

        return metrics_web(export, json)
    if export is not None:
        raise UsageError("--export belongs to `yunjue metrics web`.")
    if sum((json, csv, plot, by is not None)) > 1:
        raise UsageError("--json, --csv, --plot and --by exclude one another: one of them.")
    journal = find(home() / "evolutions", evolution)
    started, past = load(journal)
    name = str(started.get("id") or journal.parent.name)
    document = report(past, window, rate, alpha)
    for arm, index in twice(past):
        say(f"warning: task {index} of the arm {word(arm)} is recorded twice; both count")
    if not past.tasks:
        say(f"No task of evolution {word(name)} has ended yet: there is nothing to measure.")
    if html is not None:
        _write_page(html, name, started, document, past)
    if json:
        print_json({"evolution": name, "journal": str(journal), "started": started, **document})
    elif csv:
        _print_csv(past, window)
    elif past.tasks and plot:
        _print_plot(document, past)
    elif past.tasks and (by or html is None):
        _print_tables(document, by)


def _print_tables(document: dict[str, Any], by: By | None) -> None:
    from yunjue.metrics import tables

    if by is By.step:
        print_table(*tables.steps_table(document))
    elif by is By.domain:
        print_table(*tables.domains_table(document))
    else:
        print_table(*tables.arms_table(document))
        if "evolve" in document["arms"]:
            print(tables.fit_line(document))
            print(tables.stop_line(document))
        for name, numbers in document.get("plugins", {}).items():
            told = ", ".join(f"{key} {value}" for key, value in numbers.items())
            print(f"{tables.word(name)}: {tables.word(told)}")


def _print_plot(document: dict[str, Any], past: History) -> None:
    import shutil

    from yunjue.metrics.egl import curve, stream
    from yunjue.metrics.plot import curves

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PLOT_WIDTH
    points = [point.total.egl for point in curve(stream(past))]
    egl = [None if value is None else float(value) for value in points]
    print(curves(document, egl, width))


def _print_csv(past: History, window: int | None) -> None:
    import csv

    from yunjue.metrics.report import TASK_COLUMNS, task_rows

    writer = csv.DictWriter(sys.stdout, TASK_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(task_rows(past, window))


def _write_page(
    file: Path, name: str, started: dict[str, Any], document: dict[str, Any], past: History
) -> None:
    from yunjue.metrics.page import page

    try:
        file.write_text(page(name, started, document, past), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.", hint="") from None
    say(f"Wrote {file}.")
