"""Counts the days from one date to another; negative if the second is earlier."""

from datetime import date

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "days_between",
    "description": "Counts the days from one date to another; negative if the second is earlier.",
    "dependencies": [],
}


class InputModel(BaseModel):
    start: str = Field(description='First date, YYYY-MM-DD')
    end: str = Field(description='Second date, YYYY-MM-DD')


class OutputModel(BaseModel):
    days: int = Field(description="Days from start to end")


def run(input: InputModel) -> OutputModel:
    start, end = date.fromisoformat(input.start), date.fromisoformat(input.end)
    return OutputModel(days=(end - start).days)
