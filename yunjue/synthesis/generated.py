"""Inputs nobody wrote: small variations of those in the cases.

What they should give is not known. They show whether a program breaks where it should
not, gives the same result twice, and agrees with programs written independently of it.
"""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import Any

from yunjue.hashing import canonical_json, content_id
from yunjue.types import ToolSpec

COUNT = 12


def generated_inputs(
    spec: ToolSpec, known: Sequence[dict[str, Any]], count: int = COUNT
) -> list[dict[str, Any]]:
    """At most ``count`` inputs of the types that ``spec`` says, distinct and none of them
    in ``known``.

    They stay close to what is known, for most functions are not meant for every text or
    number that their types allow: values of different calls are combined, and one of them
    is changed a little. The same arguments give the same inputs.

    Args:
        known: inputs of cases, at least one.
    """
    chance = random.Random(content_id(canonical_json([spec.model_dump(), list(known)])))  # noqa: S311
    pools = {field.name: [inputs[field.name] for inputs in known] for field in spec.inputs}
    seen = {canonical_json(inputs) for inputs in known}
    found: list[dict[str, Any]] = []
    for _ in range(20 * count):
        if len(found) == count:
            break
        inputs = {name: chance.choice(pool) for name, pool in pools.items()}
        name = chance.choice(list(pools))
        inputs[name] = varied(inputs[name], chance)
        key = canonical_json(inputs)
        if key not in seen:
            seen.add(key)
            found.append(inputs)
    return found


def varied(value: Any, chance: random.Random) -> Any:
    """A value of the same type and kind, seldom the same one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _as_signed(value, chance.choice([value + 1, value - 1, 2 * value, value // 2]))
    if isinstance(value, float):
        moved = chance.choice([value + 1, value - 0.5, value * 1.1, value / 2, float(int(value))])
        return round(_as_signed(value, moved), 6)
    if isinstance(value, str):
        return _varied_text(value, chance)
    if isinstance(value, list) and value:
        return _varied_list(value, chance)
    return value


def _as_signed(value: float, moved: float) -> float:
    """``moved``, unless it left the side of zero that ``value`` is on: counts stay counts."""
    return moved if (moved > 0) == (value > 0) else value


def _varied_text(text: str, chance: random.Random) -> str:
    """Another character of the same class, for one or for each; digits keep numbers
    numbers, and punctuation keeps formats."""
    places = [place for place, char in enumerate(text) if char.isascii() and char.isalnum()]
    if not places:
        return text
    chosen = places if chance.random() < 0.3 else [chance.choice(places)]
    return "".join(
        _like(char, chance) if place in chosen else char for place, char in enumerate(text)
    )


def _like(char: str, chance: random.Random) -> str:
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if char in alphabet:
            return chance.choice(alphabet)
    return char


def _varied_list(values: list[Any], chance: random.Random) -> list[Any]:
    place = chance.randrange(len(values))
    kind = chance.randrange(4)
    if kind == 0 and len(values) > 1:
        return values[:place] + values[place + 1 :]
    if kind == 1:
        return [*values, values[place]]
    if kind == 2:
        return values[::-1]
    return [*values[:place], varied(values[place], chance), *values[place + 1 :]]
