"""Fits a straight line to points by least squares: slope, intercept and coefficient of determination."""

from statistics import fmean

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "fit_line",
    "description": "Fits a straight line to points by least squares: slope, intercept and coefficient of determination.",
    "dependencies": [],
}


class InputModel(BaseModel):
    xs: list[float] = Field(description='The x values, at least two different ones')
    ys: list[float] = Field(description='The y values, as many')


class OutputModel(BaseModel):
    fit: dict[str, float] = Field(description="slope, intercept and r_squared")


def run(input: InputModel) -> OutputModel:
    if len(input.xs) != len(input.ys):
        raise ValueError("xs and ys differ in length")
    if len(set(input.xs)) < 2:
        raise ValueError("at least two different x values are needed")
    mean_x, mean_y = fmean(input.xs), fmean(input.ys)
    sxx = sum((x - mean_x) ** 2 for x in input.xs)
    sxy = sum((x - mean_x) * (y - mean_y) for x, y in zip(input.xs, input.ys))
    syy = sum((y - mean_y) ** 2 for y in input.ys)
    slope = sxy / sxx
    r_squared = sxy**2 / (sxx * syy) if syy else 1.0
    return OutputModel(
        fit={"slope": slope, "intercept": mean_y - slope * mean_x, "r_squared": r_squared}
    )
