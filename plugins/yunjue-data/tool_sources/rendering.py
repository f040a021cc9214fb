"""How rows are written: a value, a column, a line or a table.

``scripts/pack_tools.py`` puts this text into each tool that imports it.
"""

import datetime

ROWS = 50
WIDTH = 20_000
"""Rows and characters of an answer."""


def told(columns, rows, more) -> str:
    """The answer of a query: a value, the values of one column, or a table."""
    if not rows:
        return "No row."
    if len(columns) == 1:
        text = ", ".join(show(row[0]) for row in rows)
    elif len(rows) == 1:
        text = ", ".join(
            f"{name}: {show(value)}" for name, value in zip(columns, rows[0], strict=True)
        )
    else:
        text = markdown(columns, rows)
    if more:
        text += f"\n(the first {ROWS} rows; there are more)"
    return text[:WIDTH]


def show(value) -> str:
    """A value as people write it. The last figures of a sum depend on the order of threads,
    so numbers have twelve."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = float(f"{value:.12g}")
        return str(int(short)) if short.is_integer() and abs(short) < 1e15 else repr(short)
    if isinstance(value, datetime.datetime) and (value.hour, value.minute, value.second) == (
        0,
        0,
        0,
    ):
        return value.date().isoformat()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return " ".join(str(value).split())


def markdown(columns, rows) -> str:
    """A table as Markdown."""
    lines = ["| " + " | ".join(cell(name) for name in columns) + " |"]
    lines.append("|" + "---|" * len(columns))
    lines += ["| " + " | ".join(cell(show(value)) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text) -> str:
    return str(text).replace("|", "\\|")
