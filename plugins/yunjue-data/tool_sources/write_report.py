"""Writes a report in Markdown from SQL SELECTs over data files:
a section with a table for each.
"""

from pathlib import Path

from common import Tables
from pydantic import BaseModel, Field
from rendering import markdown

__TOOL_META__ = {
    "name": "write_report",
    "description": "Writes a report in Markdown from SQL SELECTs over data files: "
    "a section with a table for each.",
    "dependencies": ["duckdb==2.0.1", "python-calamine==0.9.1"],
}
ROWS = 100


class InputModel(BaseModel):
    title: str = Field(description="Title of the report", min_length=1, max_length=200)
    queries: list[str] = Field(
        description="One SELECT for each section", min_length=1, max_length=20
    )
    headings: list[str] = Field([], description="Headings of the sections, in the same order")


class OutputModel(BaseModel):
    result: str = Field(description="Name of the file, and how many rows each section has")


def run(input: InputModel) -> OutputModel:
    tables = Tables()
    parts, counts = [f"# {one_line(input.title)}"], []
    for place, sql in enumerate(input.queries):
        columns, rows, more = tables.query(sql, ROWS)
        heading = input.headings[place] if place < len(input.headings) else f"Query {place + 1}"
        parts.append(f"## {one_line(heading)}")
        parts.append(markdown(columns, rows) if rows else "No row.")
        if more:
            parts.append(f"The first {ROWS} rows; there are more.")
        parts.append("\n".join(["```sql", sql.strip().replace("```", "'''"), "```"]))
        counts.append(f"{len(rows)}{' and more' if more else ''}")
    parts.append(f"{tables.shown()}.")
    path = Path("outputs") / "report.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", "utf-8")
    return OutputModel(result=f"report.md: {len(counts)} sections with {', '.join(counts)} rows")


def one_line(text) -> str:
    return " ".join(text.split())
