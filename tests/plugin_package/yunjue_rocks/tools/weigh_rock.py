"""The weight of a rock."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "weigh_rock",
    "description": "The weight of a rock of granite in kilograms from its volume in litres.",
    "dependencies": [],
}


class InputModel(BaseModel):
    litres: float = Field(description="volume of the rock in litres", gt=0)


class OutputModel(BaseModel):
    kilograms: float


def run(input: InputModel) -> OutputModel:
    return OutputModel(kilograms=round(input.litres * 2.7, 3))
