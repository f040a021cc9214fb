"""Describes a table in a data file: rows, and of each column its type,
empty cells, distinct values, range and mean.
"""

from common import Tables, ident
from pydantic import BaseModel, Field
from rendering import show

__TOOL_META__ = {
    "name": "profile_table",
    "description": "Describes a table in a data file: rows, and of each column its type, "
    "empty cells, distinct values, range and mean.",
    "dependencies": ["duckdb==2.0.1", "python-calamine==0.9.1"],
}
MOST_COLUMNS = 60
NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "REAL",
    "UINTEGER",
    "UBIGINT",
)
ORDERED = (*NUMBERS, "DATE", "TIMESTAMP", "TIME", "VARCHAR", "TEXT", "BOOLEAN")


class InputModel(BaseModel):
    table: str = Field(
        "", description="Name of a file or table, or one SELECT; empty if there is one table"
    )


class OutputModel(BaseModel):
    result: str = Field(description="One line for the table and one for each column")


def run(input: InputModel) -> OutputModel:
    tables = Tables()
    name = chosen(tables, input.table.strip())
    columns = tables.columns(name)
    shown = columns[:MOST_COLUMNS]
    asked = ["count(*)"]
    for column, kind in shown:
        asked += measures(ident(column), kind.upper(), tables.is_sqlite(name))
    _, rows, _ = tables.query(f"SELECT {', '.join(asked)} FROM {ident(name)}", 1)
    count, values = rows[0][0], iter(rows[0][1:])
    lines = [f"{name}: {count} rows, {len(columns)} columns"]
    lines += [line(column, kind, count, [next(values) for _ in range(5)]) for column, kind in shown]
    if len(columns) > len(shown):
        lines.append(f"and {len(columns) - len(shown)} more columns")
    return OutputModel(result="\n".join(lines))


def chosen(tables, wanted) -> str:
    """The table that is meant by its own name, or that of its file."""
    if not wanted and len(tables.names) == 1:
        return tables.names[0]
    if wanted.lower().startswith(("select ", "with ", "from ")):
        return tables.selected(wanted)
    for name in tables.names:
        if wanted.lower() in (name.lower(), *tables.aliases(name)):
            return name
    raise ValueError(f"There is no table {wanted!r}. {tables.shown()}")


def measures(column, kind, sqlite) -> list[str]:
    """SQL for: cells with a value, distinct ones, least, greatest, mean."""
    ordered = sqlite or kind.startswith(ORDERED)
    number = kind.startswith(NUMBERS) or (sqlite and kind.startswith(("INT", "NUM")))
    # SQLite counts exactly, and holds all distinct values for that; DuckDB estimates.
    distinct = f"count(DISTINCT {column})" if sqlite else f"approx_count_distinct({column})"
    return [
        f"count({column})",
        distinct if ordered else "NULL",
        f"min({column})" if ordered else "NULL",
        f"max({column})" if ordered else "NULL",
        f"avg({column})" if number else "NULL",
    ]


def line(column, kind, count, values) -> str:
    filled, distinct, least, greatest, mean = values
    parts = [f"{column} {kind}:", f"{count - filled} empty"]
    if distinct is not None:
        about = "" if distinct < 20 else "about "
        parts.append(f"{about}{min(distinct, filled)} distinct")
    if least is not None:
        parts.append(f"{short(least)} to {short(greatest)}")
    if mean is not None:
        parts.append(f"mean {show(float(f'{mean:.6g}'))}")
    return ", ".join(parts).replace(":,", ":")


def short(value) -> str:
    text = show(value)
    return text if len(text) <= 30 else text[:29] + "…"
