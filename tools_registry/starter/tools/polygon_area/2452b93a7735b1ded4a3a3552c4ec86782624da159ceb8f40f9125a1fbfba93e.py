"""Computes the area of a simple polygon from the coordinates of its corners (shoelace formula)."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "polygon_area",
    "description": "Computes the area of a simple polygon from the coordinates of its corners (shoelace formula).",
    "dependencies": [],
}


class InputModel(BaseModel):
    xs: list[float] = Field(description='The x coordinates of the corners, in order, at least three')
    ys: list[float] = Field(description='The y coordinates, as many')


class OutputModel(BaseModel):
    area: float = Field(description="The area, whichever way round the corners go")


def run(input: InputModel) -> OutputModel:
    if len(input.xs) != len(input.ys):
        raise ValueError("xs and ys differ in length")
    if len(input.xs) < 3:
        raise ValueError("a polygon has at least three corners")
    points = list(zip(input.xs, input.ys))
    doubled = sum(
        x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]])
    )
    return OutputModel(area=abs(doubled) / 2)
