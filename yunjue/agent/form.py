"""The form of an answer: may differ from a tool's result, while it says the same.

A tool may give 1905.961078 where the task wants two decimals, or a list where it wants the
items joined. The model writes the form; what it may not do is change the value.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

FLOAT_ERROR = Decimal("1e-15")
"""Relative difference of a float and its shortest text."""

_WORD = re.compile(r"[^\W_]+")
_WHOLE = re.compile(r"\d[\d.,:/-]*\d|\w+")
"""A number or date with its marks is one word."""

LONGEST_JOINT = 4
"""Letters of a word between two items: ``3 x 5``, ``a and b``."""


def is_free(output: dict[str, Any] | None) -> bool:
    """Whether a tool's output leaves its form to the task: a broken number, or a list."""
    if not output or len(output) != 1:
        return False
    value = next(iter(output.values()))
    if isinstance(value, float):
        return not value.is_integer()
    return isinstance(value, list) and len(value) > 1


def says_same(answer: str, result: str) -> bool:
    """Whether ``answer`` is ``result`` rounded, or its items in order with other separators.

    >>> says_same("1905.96", "1905.961078"), says_same("ab", "a, b"), says_same("3 x 5", "3, 5")
    (True, True, True)
    >>> says_same("1906.96", "1905.961078"), says_same("ba", "a, b"), says_same("3 x 7", "3, 5")
    (False, False, False)
    """
    number = _number(result)
    if number is not None:
        rounded = _number(answer.replace(",", ""))
        if rounded is None:
            return False
        unit = Decimal(1).scaleb(min(int(rounded.as_tuple().exponent), 0))
        most = max(unit * Decimal("0.5000001"), abs(number) * FLOAT_ERROR)
        return abs(rounded - number) <= most
    written, items = _WORD.findall(answer), [_WORD.findall(item) for item in result.split(", ")]
    unjoined = "".join(written) == "".join(word for item in items for word in item)
    return bool(answer) and (unjoined or _joined(written, items))


def says_more(result: str) -> bool:
    """Whether a text may say more than a task asks: several lines, labelled or listed values, or
    a broken number.

    >>> says_more("product: rug, sold: 119"), says_more("12.9516"), says_more("rug")
    (True, True, False)
    """
    number = _number(result)
    broken = number is not None and number != number.to_integral_value()
    return broken or any(mark in result for mark in (": ", ", ", "\n"))


def part_of(answer: str, result: str) -> bool:
    """Whether ``answer`` is some words of ``result``, in order and with none between them.

    >>> part_of("rug", "product: rug, sold: 119"), part_of("rug 119", "product: rug, sold: 119")
    (True, False)
    """
    written, words = _WHOLE.findall(answer), _WHOLE.findall(result)
    starts = range(len(words) - len(written) + 1)
    return bool(written) and any(words[at : at + len(written)] == written for at in starts)


def _joined(written: list[str], items: list[list[str]]) -> bool:
    """Whether the words are those of the items, with at most one joining word between two."""
    at = 0
    for number, item in enumerate(items):
        here = written[at : at + 1]
        joint = number > 0 and here != item[:1] and here and here[0].isalpha()
        at += 1 if joint and len(here[0]) <= LONGEST_JOINT else 0
        if written[at : at + len(item)] != item:
            return False
        at += len(item)
    return at == len(written)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
