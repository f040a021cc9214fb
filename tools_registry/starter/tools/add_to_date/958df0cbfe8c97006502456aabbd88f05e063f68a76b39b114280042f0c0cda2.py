"""Adds years, months and days to a date; a day that the month lacks becomes its last one."""

import calendar
from datetime import date, timedelta

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "add_to_date",
    "description": "Adds years, months and days to a date; a day that the month lacks becomes its last one.",
    "dependencies": [],
}


class InputModel(BaseModel):
    date_text: str = Field(description='Date, YYYY-MM-DD')
    years: int = Field(0, description='Years to add, may be negative')
    months: int = Field(0, description='Months to add, may be negative')
    days: int = Field(0, description='Days to add, after years and months')


class OutputModel(BaseModel):
    result: str = Field(description="The date, YYYY-MM-DD")


def run(input: InputModel) -> OutputModel:
    start = date.fromisoformat(input.date_text)
    count = start.year * 12 + start.month - 1 + input.years * 12 + input.months
    year, month = count // 12, count % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise ValueError("the result is outside the years 1 to 9999")
    day = min(start.day, calendar.monthrange(year, month)[1])
    try:
        result = date(year, month, day) + timedelta(days=input.days)
    except OverflowError:
        raise ValueError("the result is outside the years 1 to 9999") from None
    return OutputModel(result=result.isoformat())
