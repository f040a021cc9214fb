"""Converts a value between units of one kind."""

import argparse
import json
import pathlib
import sys
from decimal import Context, Decimal, InvalidOperation

UNITS = json.loads((pathlib.Path(__file__).parents[1] / "assets/units.json").read_text())
TEMPERATURES = ("K", "degC", "degF")


def to_kelvin(value, unit):
    if unit == "degF":
        return (value - 32) * 5 / 9 + Decimal("273.15")
    return value + Decimal("273.15") if unit == "degC" else value


def from_kelvin(value, unit):
    celsius = value - Decimal("273.15")
    return {"K": value, "degC": celsius, "degF": celsius * 9 / 5 + 32}[unit]


def kind_of(unit):
    kinds = {"temperature": TEMPERATURES, **UNITS}
    for kind, units in kinds.items():
        if unit in units:
            return kind
    near = [one for units in kinds.values() for one in units if one.lower() == unit.lower()]
    sys.exit(f"unknown unit {unit!r}" + (f"; did you mean {near[0]}?" if near else ""))


def convert(value, source, target):
    if kind_of(source) != kind_of(target):
        sys.exit(f"{source} is {kind_of(source)}, {target} is {kind_of(target)}")
    if source in TEMPERATURES:
        kelvin = to_kelvin(value, source)
        if kelvin < 0:
            sys.exit("that is below absolute zero")
        return from_kelvin(kelvin, target)
    units = UNITS[kind_of(source)]
    return value * Decimal(units[source]) / Decimal(units[target])


def shown(value):
    rounded = Context(prec=10).plus(value)
    text = f"{rounded:f}" if -6 <= rounded.adjusted() < 15 else f"{rounded:e}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", action="store_true")
    parser.add_argument("value", nargs="?")
    parser.add_argument("source", nargs="?", metavar="FROM")
    parser.add_argument("target", nargs="?", metavar="TO")
    options = parser.parse_args()
    if options.units:
        for kind, units in [("temperature", TEMPERATURES), *UNITS.items()]:
            print(f"{kind}: {', '.join(units)}")
        return
    if not options.source:
        parser.error("a value and its unit are needed")
    try:
        value = Decimal(options.value)
    except InvalidOperation:
        parser.error(f"{options.value!r} is no number")
    if options.target:
        print(shown(convert(value, options.source, options.target)))
        return
    kind = kind_of(options.source)
    for unit in TEMPERATURES if kind == "temperature" else UNITS[kind]:
        print(f"{shown(convert(value, options.source, unit))} {unit}")


main()
