"""Draws a chart (bar, line, scatter or histogram) of what one SQL SELECT
over data files gives, as a PNG or SVG file.
"""

import os
from pathlib import Path

from common import Tables
from pydantic import BaseModel, Field
from rendering import show

__TOOL_META__ = {
    "name": "plot_chart",
    "description": "Draws a chart (bar, line, scatter or histogram) of what one SQL SELECT "
    "over data files gives, as a PNG or SVG file.",
    "dependencies": ["duckdb==2.0.1", "matplotlib==3.11.2", "python-calamine==0.9.1"],
}
MOST = {"bar": 60, "line": 20_000, "scatter": 20_000, "histogram": 200_000}


class InputModel(BaseModel):
    sql: str = Field(
        description="One SELECT: first column across, the others upwards", max_length=20_000
    )
    kind: str = Field("bar", description="bar, line, scatter or histogram (of the first column)")
    title: str = Field("", description="Title of the chart", max_length=200)
    format: str = Field("png", description="png or svg")


class OutputModel(BaseModel):
    result: str = Field(description="Name of the file, and what is drawn in it")


def run(input: InputModel) -> OutputModel:
    if input.kind not in MOST:
        raise ValueError(f"kind must be one of {', '.join(MOST)}")
    if input.format not in ("png", "svg"):
        raise ValueError("format must be png or svg")
    columns, rows, more = Tables().query(input.sql, MOST[input.kind])
    if more:
        raise ValueError(
            f"a {input.kind} chart can have {MOST[input.kind]} rows; group or limit them"
        )
    if not rows:
        raise ValueError("the SELECT gives no row")
    series = numbers(columns, rows, input.kind)
    file = f"chart.{input.format}"
    draw(columns, rows, series, input, Path("outputs") / file)
    across = [row[0] for row in rows if row[0] is not None]
    extent = f"{show(across[0])} to {show(across[-1])}" if across else "nothing"
    return OutputModel(
        result=f"{file}: {input.kind} of {len(rows)} rows, {columns[0]} from {extent}"
    )


def numbers(columns, rows, kind) -> list[list[float]]:
    """The columns that are drawn upwards, as numbers; NaN where a cell is empty."""
    first = 0 if kind == "histogram" else 1
    if len(columns) <= first:
        raise ValueError(f"a {kind} chart needs a second column")
    try:
        return [
            [float("nan") if row[place] is None else float(row[place]) for row in rows]
            for place in range(first, 1 if kind == "histogram" else len(columns))
        ]
    except (TypeError, ValueError):
        raise ValueError(
            "only numbers can be drawn; cast the other columns or leave them out"
        ) from None


def draw(columns, rows, series, wanted, path) -> None:
    # matplotlib keeps its list of fonts where this says, which must be scratch.
    os.environ["MPLCONFIGDIR"] = str(Path("matplotlib").absolute())
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "yunjue"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    if wanted.kind == "histogram":
        axes.hist([value for value in series[0] if value == value], bins=min(40, len(rows)))
        axes.set_xlabel(plain_text(columns[0]))
    else:
        across = [row[0] for row in rows]
        if wanted.kind == "bar":
            bars(axes, across, series, columns)
        for name, values in zip(columns[1:], series, strict=True):
            if wanted.kind == "line":
                axes.plot(across, values, label=plain_text(name))
            elif wanted.kind == "scatter":
                axes.scatter(across, values, s=9, label=plain_text(name))
        axes.set_xlabel(plain_text(columns[0]))
        if len(series) == 1:
            axes.set_ylabel(plain_text(columns[1]))
        else:
            axes.legend()
    axes.set_title(plain_text(wanted.title))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=120)


def bars(axes, across, series, columns) -> None:
    width = 0.8 / len(series)
    for place, (name, values) in enumerate(zip(columns[1:], series, strict=True)):
        left = [number + place * width for number in range(len(across))]
        axes.bar(left, values, width, label=plain_text(name))
    middle = [number + 0.4 - width / 2 for number in range(len(across))]
    slanted = sum(len(show(value)) for value in across) > 80
    axes.set_xticks(
        middle,
        [plain_text(show(value)[:24]) for value in across],
        rotation=45 if slanted else 0,
        ha="right" if slanted else "center",
    )


def plain_text(text) -> str:
    """A dollar sign would begin a formula."""
    return str(text).replace("$", "\\$")
