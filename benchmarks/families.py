"""Twelve kinds of tasks with a reference: fresh instances, their true answers, and how a
tool that the agent wrote for such a task is called with an instance.

The references are written independently of any tool; a test holds them against answers
known from elsewhere.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from yunjue.types import ToolSpec

WORDS = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "haven", "ivory"]
WORDS += ["jade", "knoll", "lotus", "maple"]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
COLOURS = ("red", "green", "blue")
PLACES = [(35.6762, 139.6503), (48.8566, 2.3522), (-12.0464, -77.0428), (30.0444, 31.2357)]
PLACES += [(-31.9523, 115.8613), (64.1466, -21.9426), (-1.2921, 36.8219), (55.7558, 37.6173)]
ROMAN = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC")]
ROMAN += [(50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of tasks.

    Attributes:
        draw: a fresh instance: name of a value -> the value.
        answer: the true answer of an instance, as text.
        form: a tool's output as the task wants it written.
        names: name of a value -> pattern that an input's name matches if it takes it.
    """

    draw: Callable[[random.Random], dict[str, Any]]
    answer: Callable[..., str]
    names: dict[str, str]
    form: Callable[[Any], str] = str


def arguments(family: Family, spec: ToolSpec, instance: dict[str, Any]) -> dict[str, Any] | None:
    """The instance as inputs of the tool, by the inputs' names and then by their order;
    None if the tool does not take what the instance gives."""
    left = dict(instance)
    found: dict[str, Any] = {}
    for field in spec.inputs:
        for name in left:
            if re.search(family.names[name], field.name):
                found[field.name] = left.pop(name)
                break
    for field in spec.inputs:
        if field.name not in found:
            if not left:
                return None
            found[field.name] = left.pop(next(iter(left)))
    if left:
        return None
    try:
        return {field.name: _as_type(found[field.name], field.type) for field in spec.inputs}
    except (TypeError, ValueError):
        return None


def _as_type(value: Any, type_: str) -> Any:
    if type_.startswith("list"):
        items = value if isinstance(value, list) else str(value).split("\n")
        return [_as_type(item, type_[5:-1]) for item in items]
    if isinstance(value, float) and type_ == "int" and not value.is_integer():
        raise ValueError("no whole number")
    return {"str": str, "int": int, "float": float}[type_](value)


def _rounded(digits: int) -> Callable[[Any], str]:
    def form(value: Any) -> str:
        number = round(float(value), digits)
        return str(int(number)) if number == int(number) else str(number)

    return form


def _joined(separator: str) -> Callable[[Any], str]:
    def form(value: Any) -> str:
        return separator.join(map(str, value)) if isinstance(value, list) else str(value)

    return form


def _text(chance: random.Random) -> dict[str, Any]:
    return {"text": " ".join(chance.sample(WORDS, 3))}


def _two_texts(chance: random.Random) -> dict[str, Any]:
    return {"one": " ".join(chance.sample(WORDS, 2)), "two": " ".join(chance.sample(WORDS, 2))}


def _levenshtein(one: str, two: str) -> str:
    table = {(row, 0): row for row in range(len(one) + 1)}
    table |= {(0, column): column for column in range(len(two) + 1)}
    for row, a in enumerate(one, 1):
        for column, b in enumerate(two, 1):
            table[row, column] = min(
                table[row - 1, column] + 1,
                table[row, column - 1] + 1,
                table[row - 1, column - 1] + (a != b),
            )
    return str(table[len(one), len(two)])


def in_base(value: int, base: int) -> str:
    """A positive number's digits in ``base``, lowercase."""
    text = ""
    while value:
        value, digit = divmod(value, base)
        text = DIGITS[digit] + text
    return text


def _number_and_bases(chance: random.Random) -> dict[str, Any]:
    one, two = chance.sample([2, 3, 5, 7, 8, 11, 16, 36], 2)
    return {"number": in_base(chance.randrange(500, 200_000), one), "from": one, "to": two}


def _network(chance: random.Random) -> dict[str, Any]:
    prefix = chance.randrange(18, 29)
    address = (10 << 24) + chance.randrange(1 << 24)
    network = ipaddress.ip_network((address, prefix), strict=False)
    return {"network": str(network)}


def _points(chance: random.Random) -> dict[str, Any]:
    (lat1, lon1), (lat2, lon2) = chance.sample(PLACES, 2)
    return {"lat1": lat1, "lon1": lon1, "lat2": lat2, "lon2": lon2}


def _haversine(lat1: float, lon1: float, lat2: float, lon2: float) -> str:
    a, b = math.radians(lat1), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return str(round(2 * 6371 * math.asin(math.sqrt(half))))


def _investment(chance: random.Random) -> dict[str, Any]:
    return {
        "principal": chance.randrange(10, 60) * 100,
        "rate": chance.randrange(10, 90) / 10,
        "times": chance.choice([1, 2, 4, 12]),
        "years": chance.randrange(2, 20),
    }


def _compound(principal: int, rate: float, times: int, years: int) -> str:
    return _rounded(2)(principal * (1 + rate / 100 / times) ** (times * years))


def _joined_words(chance: random.Random) -> dict[str, Any]:
    return {"text": "".join(chance.choices(WORDS, k=4))}


def _commonest(text: str) -> str:
    counts = Counter(text)
    return "".join(sorted(letter for letter in counts if counts[letter] == max(counts.values())))


def roman(number: int) -> str:
    """A number as a Roman numeral."""
    text = ""
    for value, numeral in ROMAN:
        text += numeral * (number // value)
        number %= value
    return text


def from_roman(text: str) -> str:
    """The number that a Roman numeral stands for, as text."""
    return next(str(number) for number in range(1, 4000) if roman(number) == text)


def _check_digit(number: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 * (doubled > 9)
    return str(-total % 10)


def _dates(chance: random.Random) -> dict[str, Any]:
    first = datetime.date(2000, 1, 1) + datetime.timedelta(chance.randrange(11_000))
    return {"first": str(first), "last": str(first + datetime.timedelta(chance.randrange(20, 300)))}


def _weekdays(first: str, last: str) -> str:
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    days = (start + datetime.timedelta(step) for step in range((end - start).days + 1))
    return str(sum(day.weekday() < 5 for day in days))


def _table(chance: random.Random) -> dict[str, Any]:
    rows = [(colour, chance.randrange(1, 100)) for colour in (*COLOURS, *COLOURS)]
    rows += [(chance.choice(COLOURS), chance.randrange(1, 100)) for _ in range(6)]
    chance.shuffle(rows)
    lines = ["colour,value", *(f"{colour},{value}" for colour, value in rows)]
    return {"table": "\n".join(lines), "colour": chance.choice(COLOURS)}


def _mean(table: str, colour: str) -> str:
    rows = [line.split(",") for line in table.split("\n")[1:]]
    values = [int(value) for name, value in rows if name == colour]
    return _rounded(2)(sum(values) / len(values))


def _factors(number: int) -> str:
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return " x ".join(map(str, found))


def _fraction(chance: random.Random) -> dict[str, Any]:
    drawn = _investment(chance)
    return {**drawn, "rate": round(drawn["rate"] / 100, 4)}


def _of_one_colour(colour: str) -> Family:
    return Family(
        lambda chance: {"table": _table(chance)["table"]},
        lambda table: _mean(table, colour),
        {"table": "."},
        _rounded(2),
    )


_INVESTMENT = {
    "principal": "princ|amount|invest",
    "rate": "rate|interest",
    "times": "times|per_year|compound|freq|periods",
    "years": "year|time|duration",
}

FAMILIES: dict[str, list[Family]] = {
    "sha": [Family(_text, lambda text: hashlib.sha256(text.encode()).hexdigest(), {"text": "."})],
    "levenshtein": [
        Family(_two_texts, _levenshtein, {"one": "1|first|_a$|^a$", "two": "2|second|_b$|^b$"})
    ],
    "basecv": [
        Family(
            _number_and_bases,
            lambda number, **bases: in_base(int(number, bases["from"]), bases["to"]),
            {"number": "num|value|digits|str", "from": "from|orig|source|in", "to": "to|targ"},
        )
    ],
    "cidr": [
        Family(
            _network,
            lambda network: str(ipaddress.ip_network(network).broadcast_address),
            {"network": "."},
        )
    ],
    "haversine": [
        Family(
            _points,
            _haversine,
            {"lat1": "lat.*1", "lon1": "lon.*1", "lat2": "lat.*2", "lon2": "lon.*2"},
            _rounded(0),
        )
    ],
    "compound": [
        Family(_investment, _compound, _INVESTMENT, _rounded(2)),
        Family(
            _fraction,
            lambda rate, **rest: _compound(rate=rate * 100, **rest),
            _INVESTMENT,
            _rounded(2),
        ),
    ],
    "anagram": [Family(_joined_words, _commonest, {"text": "."}, _joined(""))],
    "roman": [
        Family(lambda chance: {"number": chance.randrange(1, 3999)}, roman, {"number": "."}),
        Family(
            lambda chance: {"text": roman(chance.randrange(1, 3999))}, from_roman, {"text": "."}
        ),
    ],
    "luhn": [
        Family(
            lambda chance: {"number": "".join(chance.choices(DIGITS[:10], k=15))},
            _check_digit,
            {"number": "."},
        )
    ],
    "weekdays": [
        Family(_dates, _weekdays, {"first": "start|first|from|1", "last": "end|last|to|2"})
    ],
    "csvmean": [
        Family(_table, _mean, {"table": "csv|data|rows|table", "colour": "colou?r"}, _rounded(2)),
        *map(_of_one_colour, COLOURS),
    ],
    "factors": [
        Family(
            lambda chance: {"number": chance.randrange(1000, 500_000)},
            _factors,
            {"number": "."},
            _joined(" x "),
        )
    ],
}
"""Name -> the family as its tasks may be understood: a rate is a percentage or a fraction, a
numeral is written or read, the mean is that of any colour or of one."""
