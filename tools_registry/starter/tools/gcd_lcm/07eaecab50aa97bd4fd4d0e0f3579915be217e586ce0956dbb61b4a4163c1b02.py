"""Computes the greatest common divisor or the least common multiple of whole numbers."""

import math

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "gcd_lcm",
    "description": "Computes the greatest common divisor or the least common multiple of whole numbers.",
    "dependencies": [],
}


class InputModel(BaseModel):
    numbers: list[int] = Field(description='Whole numbers, at least one')
    which: str = Field('gcd', description='gcd or lcm')


class OutputModel(BaseModel):
    result: int = Field(description="The divisor or multiple, never negative")


def run(input: InputModel) -> OutputModel:
    if not input.numbers:
        raise ValueError("there are no numbers")
    if input.which not in ("gcd", "lcm"):
        raise ValueError("which must be gcd or lcm")
    return OutputModel(result=(math.gcd if input.which == "gcd" else math.lcm)(*input.numbers))
