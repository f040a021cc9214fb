"""Computes the great-circle distance in kilometres between two points on Earth (haversine, radius 6371 km)."""

import math

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "great_circle_distance",
    "description": "Computes the great-circle distance in kilometres between two points on Earth (haversine, radius 6371 km).",
    "dependencies": [],
}


class InputModel(BaseModel):
    latitude_1: float = Field(ge=-90, le=90, description='Degrees, south negative')
    longitude_1: float = Field(ge=-180, le=180, description='Degrees, west negative')
    latitude_2: float = Field(ge=-90, le=90, description='Degrees, south negative')
    longitude_2: float = Field(ge=-180, le=180, description='Degrees, west negative')


class OutputModel(BaseModel):
    kilometres: float = Field(description="The distance, rounded to three decimals")


RADIUS = 6371.0


def run(input: InputModel) -> OutputModel:
    one, two = math.radians(input.latitude_1), math.radians(input.latitude_2)
    across = math.radians(input.longitude_2 - input.longitude_1)
    half = math.sin((two - one) / 2) ** 2
    half += math.cos(one) * math.cos(two) * math.sin(across / 2) ** 2
    distance = 2 * RADIUS * math.asin(math.sqrt(min(1.0, half)))
    return OutputModel(kilometres=round(distance, 3))
