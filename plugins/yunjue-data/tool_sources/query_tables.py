"""Answers a question about data files (CSV, Parquet, Excel, JSON, SQLite) with one SQL SELECT."""

from common import Tables, markdown, show
from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "query_tables",
    "description": "Answers a question about data files (CSV, Parquet, Excel, JSON, SQLite) "
    "with one SQL SELECT.",
    "dependencies": ["duckdb==2.0.1", "python-calamine==0.9.1"],
}
ROWS = 50
WIDTH = 20_000


class InputModel(BaseModel):
    sql: str = Field(
        description="One SELECT; the table of sales.csv is called sales", max_length=20_000
    )
    csv_text: str = Field("", description="CSV text that is the table data, if there is no file")


class OutputModel(BaseModel):
    result: str = Field(description="The value, the values of one column, or a table")


def run(input: InputModel) -> OutputModel:
    columns, rows, more = Tables(input.csv_text).query(input.sql, ROWS)
    if not rows:
        return OutputModel(result="No row.")
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
    return OutputModel(result=text[:WIDTH])
