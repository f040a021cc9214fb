"""Converts a value between units of length, mass, volume, time, data or temperature."""

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "convert_units",
    "description": "Converts a value between units of length, mass, volume, time, data or temperature.",
    "dependencies": [],
}


class InputModel(BaseModel):
    value: float = Field(description='The value')
    from_unit: str = Field(description='Unit it is in: m, km, cm, mm, in, ft, yd, mi, nmi, g, kg, t, oz, lb, ml, l, gal, s, min, h, d, B, kB, MB, GB, KiB, MiB, GiB, C, F, K')
    to_unit: str = Field(description='Unit it is wanted in')


class OutputModel(BaseModel):
    result: float = Field(description="The value in the wanted unit")


UNITS = {
    "length": {"mm": 0.001, "cm": 0.01, "m": 1.0, "km": 1000.0, "in": 0.0254, "ft": 0.3048,
               "yd": 0.9144, "mi": 1609.344, "nmi": 1852.0},
    "mass": {"g": 1.0, "kg": 1000.0, "t": 1e6, "oz": 28.349523125, "lb": 453.59237},
    "volume": {"ml": 0.001, "l": 1.0, "gal": 3.785411784},
    "time": {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0},
    "data": {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024.0, "MiB": 1024.0**2,
             "GiB": 1024.0**3},
}
KELVIN = {"C": (1.0, 273.15), "F": (5 / 9, 459.67 * 5 / 9), "K": (1.0, 0.0)}


def run(input: InputModel) -> OutputModel:
    old, new = input.from_unit, input.to_unit
    if old in KELVIN and new in KELVIN:
        kelvin = input.value * KELVIN[old][0] + KELVIN[old][1]
        result = (kelvin - KELVIN[new][1]) / KELVIN[new][0]
        return OutputModel(result=round(result, 10))
    for units in UNITS.values():
        if old in units and new in units:
            return OutputModel(result=input.value * units[old] / units[new])
    raise ValueError(f"no conversion from {old!r} to {new!r}")
