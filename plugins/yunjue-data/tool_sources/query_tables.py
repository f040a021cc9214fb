"""Answers a question about data files (CSV, Parquet, Excel, JSON, SQLite) with one SQL SELECT."""

from common import Tables
from pydantic import BaseModel, Field
from rendering import ROWS, told

__TOOL_META__ = {
    "name": "query_tables",
    "description": "Answers a question about data files (CSV, Parquet, Excel, JSON, SQLite) "
    "with one SQL SELECT.",
    "dependencies": ["duckdb==2.0.1", "python-calamine==0.9.1"],
}


class InputModel(BaseModel):
    sql: str = Field(
        description="One SELECT; the table of sales.csv is called sales", max_length=20_000
    )


class OutputModel(BaseModel):
    result: str = Field(description="The value, the values of one column, or a table")


def run(input: InputModel) -> OutputModel:
    return OutputModel(result=told(*Tables().query(input.sql, ROWS)))
