"""Converts a whole number from one base to another, bases 2 to 36, lowercase digits."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "convert_base",
    "description": "Converts a whole number from one base to another, bases 2 to 36, lowercase digits.",
    "dependencies": [],
}


class InputModel(BaseModel):
    number: str = Field(description='The number, with a minus sign if it is negative')
    from_base: int = Field(ge=2, le=36, description='Base it is written in')
    to_base: int = Field(ge=2, le=36, description='Base it is wanted in')


class OutputModel(BaseModel):
    result: str = Field(description="The number in the wanted base")


DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def run(input: InputModel) -> OutputModel:
    value = int(input.number.strip(), input.from_base)
    left, text = abs(value), ""
    while left:
        left, digit = divmod(left, input.to_base)
        text = DIGITS[digit] + text
    return OutputModel(result=("-" if value < 0 else "") + (text or "0"))
