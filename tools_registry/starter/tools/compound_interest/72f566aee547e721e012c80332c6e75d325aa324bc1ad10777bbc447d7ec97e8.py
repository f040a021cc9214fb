"""Computes what an investment is worth after some years of compound interest."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "compound_interest",
    "description": "Computes what an investment is worth after some years of compound interest.",
    "dependencies": [],
}


class InputModel(BaseModel):
    principal: float = Field(ge=0, description='Amount invested')
    rate_percent: float = Field(gt=-100, description='Interest a year in percent, e.g. 1.6')
    periods_per_year: int = Field(1, ge=1, description='How often a year interest is compounded')
    years: float = Field(ge=0, description='Years')


class OutputModel(BaseModel):
    value: float = Field(description="Worth at the end, rounded to two decimals")


def run(input: InputModel) -> OutputModel:
    growth = 1 + input.rate_percent / 100 / input.periods_per_year
    try:
        value = input.principal * growth ** (input.periods_per_year * input.years)
    except OverflowError:
        raise ValueError("the result is too large") from None
    return OutputModel(value=round(value, 2))
