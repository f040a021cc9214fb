"""Computes a statistic of a list of numbers: mean, median, mode, stdev, variance, min, max, sum or a percentile."""

import math
import re
import statistics

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "describe_numbers",
    "description": "Computes a statistic of a list of numbers: mean, median, mode, stdev, variance, min, max, sum or a percentile.",
    "dependencies": [],
}


class InputModel(BaseModel):
    numbers: list[float] = Field(description='The numbers, at least one')
    statistic: str = Field(description='mean, median, mode, stdev or variance (of a sample), pstdev, pvariance, min, max, sum, or pN for a percentile, e.g. p90')


class OutputModel(BaseModel):
    result: float = Field(description="The statistic; percentiles are interpolated linearly")


FUNCTIONS = {
    "mean": statistics.fmean, "median": statistics.median, "mode": statistics.mode,
    "stdev": statistics.stdev, "variance": statistics.variance, "pstdev": statistics.pstdev,
    "pvariance": statistics.pvariance, "min": min, "max": max, "sum": math.fsum,
}


def percentile(numbers: list[float], share: float) -> float:
    ordered = sorted(numbers)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def run(input: InputModel) -> OutputModel:
    if not input.numbers:
        raise ValueError("there are no numbers")
    wanted = re.fullmatch(r"p(\d{1,2}|100)", input.statistic)
    if wanted:
        return OutputModel(result=percentile(input.numbers, int(wanted[1]) / 100))
    if input.statistic not in FUNCTIONS:
        raise ValueError(f"no statistic {input.statistic!r}")
    return OutputModel(result=FUNCTIONS[input.statistic](input.numbers))
