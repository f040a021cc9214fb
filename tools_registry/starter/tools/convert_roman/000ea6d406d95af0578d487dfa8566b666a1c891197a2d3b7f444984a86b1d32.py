"""Converts a number from 1 to 3999 to a Roman numeral, or a Roman numeral to the number."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "convert_roman",
    "description": "Converts a number from 1 to 3999 to a Roman numeral, or a Roman numeral to the number.",
    "dependencies": [],
}


class InputModel(BaseModel):
    value: str = Field(description='The number in digits, or the numeral')


class OutputModel(BaseModel):
    result: str = Field(description="The numeral, or the number in digits")


NUMERALS = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
            (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def to_roman(number: int) -> str:
    text = ""
    for value, numeral in NUMERALS:
        text += numeral * (number // value)
        number %= value
    return text


def from_roman(text: str) -> int:
    number, rest = 0, text
    for value, numeral in NUMERALS:
        while rest.startswith(numeral):
            number, rest = number + value, rest[len(numeral) :]
    if rest or not text or number > 3999 or to_roman(number) != text:
        raise ValueError(f"{text!r} is no Roman numeral")
    return number


def run(input: InputModel) -> OutputModel:
    value = input.value.strip().upper()
    if not value.isdecimal():
        return OutputModel(result=str(from_roman(value)))
    if not 1 <= int(value) <= 3999:
        raise ValueError("only 1 to 3999 can be written")
    return OutputModel(result=to_roman(int(value)))
