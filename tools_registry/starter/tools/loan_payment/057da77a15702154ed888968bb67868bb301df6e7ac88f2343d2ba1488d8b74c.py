"""Computes the monthly payment that pays off a loan with a fixed rate."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "loan_payment",
    "description": "Computes the monthly payment that pays off a loan with a fixed rate.",
    "dependencies": [],
}


class InputModel(BaseModel):
    principal: float = Field(gt=0, description='Amount borrowed')
    rate_percent: float = Field(ge=0, description='Interest a year in percent')
    months: int = Field(ge=1, description='Number of monthly payments')


class OutputModel(BaseModel):
    payment: float = Field(description="Payment a month, rounded to two decimals")


def run(input: InputModel) -> OutputModel:
    rate = input.rate_percent / 1200
    if rate == 0:
        payment = input.principal / input.months
    else:
        payment = input.principal * rate / (1 - (1 + rate) ** -input.months)
    return OutputModel(payment=round(payment, 2))
