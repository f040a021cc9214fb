"""What stands in the task: the inputs of a call should, the text of a specification should not.

A model that is given a tool which does not fit makes up inputs that do: asked for the
number that MCMLXXIX stands for and offered ``to_roman(number)``, it calls it with 1979.
And asked for a function that averages the rows of one colour, it specifies one for blue.
"""

from __future__ import annotations

import re
from typing import Any

_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
_FREE_NUMBER = re.compile(r"(?<![\w.,:/'\"-])-?\d+(?:[.,:/-]\d+)*(?![\w/'\"-])")
_LONG_FIGURES = re.compile(r"\b\d[\d.:/-]{4,}\d\b")


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


def fixed_values(texts: list[str], task: str) -> list[str]:
    """Values of the task that the texts name, quoted or as long figures: those of a
    function for this task alone, where one for all tasks of the kind is wanted."""
    found = dict.fromkeys(a or b for text in texts for a, b in _QUOTED.findall(text))
    found |= dict.fromkeys(figure for text in texts for figure in _LONG_FIGURES.findall(text))
    return [
        value
        for value in found
        if len(value.strip()) > 2 and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", task)
    ]


def free_numbers(task: str) -> list[str]:
    """The numbers, dates and addresses that stand by themselves in the task's sentences:
    not in quotes, in names such as SHA-256, or in the lines of a table that follow."""
    sentences = task.strip().split("\n")[0]
    return _FREE_NUMBER.findall(sentences)


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
