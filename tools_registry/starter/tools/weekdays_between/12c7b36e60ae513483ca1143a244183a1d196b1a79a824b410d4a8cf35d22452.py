"""Counts the days from Monday to Friday between two dates, both included."""

from datetime import date

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "weekdays_between",
    "description": "Counts the days from Monday to Friday between two dates, both included.",
    "dependencies": [],
}


class InputModel(BaseModel):
    start: str = Field(description='First date, YYYY-MM-DD')
    end: str = Field(description='Last date, YYYY-MM-DD, not before the first')


class OutputModel(BaseModel):
    weekdays: int = Field(description="Number of weekdays")


def run(input: InputModel) -> OutputModel:
    start, end = date.fromisoformat(input.start), date.fromisoformat(input.end)
    if end < start:
        raise ValueError("the end is before the start")
    weeks, rest = divmod((end - start).days + 1, 7)
    extra = sum((start.weekday() + step) % 7 < 5 for step in range(rest))
    return OutputModel(weekdays=5 * weeks + extra)
