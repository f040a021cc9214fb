"""The weight of a moon."""

from pydantic import BaseModel

__TOOL_META__ = {"name": "weigh_moon", "description": "The weight of a moon.", "dependencies": []}


class InputModel(BaseModel):
    litres: float


class OutputModel(BaseModel):
    kilograms: float


def run(input: InputModel) -> OutputModel:
    return OutputModel(kilograms=input.litres * 3.3)
