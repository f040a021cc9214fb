"""Whether the inputs of a call come from somewhere.

A model that is given a tool which does not fit makes up inputs that do: asked for the
number that MCMLXXIX stands for and offered ``to_roman(number)``, it calls it with 1979.
"""

from __future__ import annotations

import re
from typing import Any

_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def made_up(inputs: dict[str, Any], sources: list[str]) -> bool:
    """True if not one of the input values stands in any of the sources.

    Args:
        inputs: of one call.
        sources: the task, the names of its files, earlier results.
    """
    text = "\n".join(sources)
    words = " ".join(text.lower().split())
    numbers = {float(number) for number in _NUMBER.findall(text.replace(",", ""))}
    numbers |= {float(number) for number in _NUMBER.findall(text)}
    return not any(_stands(value, words, numbers) for value in inputs.values())


def _stands(value: Any, words: str, numbers: set[float]) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        return abs(float(value)) in numbers
    if isinstance(value, str):
        parts = _WORD.findall(value.lower())
        figures = [float(number) for number in _NUMBER.findall(value)]
        return any(part in words for part in parts) or any(map(numbers.__contains__, figures))
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and any(_stands(item, words, numbers) for item in value)
