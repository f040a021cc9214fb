"""Factorises a whole number into primes, in ascending order, repeated ones written out."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "prime_factors",
    "description": "Factorises a whole number into primes, in ascending order, repeated ones written out.",
    "dependencies": [],
}


class InputModel(BaseModel):
    number: int = Field(description='Whole number from 2 to 10^14')


class OutputModel(BaseModel):
    factors: list[int] = Field(description="The prime factors")


def run(input: InputModel) -> OutputModel:
    if not 2 <= input.number <= 10**14:
        raise ValueError("the number must be from 2 to 10^14")
    left, divisor, factors = input.number, 2, []
    while divisor * divisor <= left:
        while left % divisor == 0:
            factors.append(divisor)
            left //= divisor
        divisor += 1 if divisor == 2 else 2
    return OutputModel(factors=factors + ([left] if left > 1 else []))
