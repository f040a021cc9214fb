"""Filters the rows of a CSV table by one column and aggregates another: sum, mean, min, max or count."""

import csv
import io
from statistics import fmean

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "query_csv",
    "description": "Filters the rows of a CSV table by one column and aggregates another: sum, mean, min, max or count.",
    "dependencies": [],
}


class InputModel(BaseModel):
    table: str = Field(description='CSV text with a header line')
    column: str = Field(description='Column to aggregate')
    aggregate: str = Field('mean', description='sum, mean, min, max or count')
    where_column: str = Field('', description='Column to filter by; empty for all rows')
    equals: str = Field('', description='Value that the filter column must have')


class OutputModel(BaseModel):
    result: float = Field(description="The aggregate over the rows that remain")


AGGREGATES = {"sum": sum, "mean": fmean, "min": min, "max": max, "count": len}


def run(input: InputModel) -> OutputModel:
    if input.aggregate not in AGGREGATES:
        raise ValueError(f"the aggregate must be one of {', '.join(AGGREGATES)}")
    reader = csv.DictReader(io.StringIO(input.table.strip()), skipinitialspace=True)
    for name in (input.column, input.where_column):
        if name and name not in (reader.fieldnames or []):
            raise ValueError(f"there is no column {name!r}")
    rows = [row for row in reader if not input.where_column or row[input.where_column] == input.equals]
    if input.aggregate == "count":
        return OutputModel(result=len(rows))
    try:
        values = [float(row[input.column]) for row in rows]
    except TypeError:
        raise ValueError("a row is shorter than the header") from None
    if not values:
        raise ValueError("no row is left")
    return OutputModel(result=AGGREGATES[input.aggregate](values))
