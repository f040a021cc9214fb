"""The JSON object in a model's reply, wherever the model has put it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

_THOUGHTS = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"```[ \t]*json\b", re.IGNORECASE)
_MARK = re.compile(r'[\[\]{}"]')
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def parse_object(text: str) -> dict[str, Any]:
    """The object ``text`` holds: bare, in a ``json`` fence, or the first one in prose.

    Of duplicate keys the last one wins.

    Raises:
        ValueError: there is none, or it is too large (1 MiB), too deep (64) or has a
            number JSON does not have; the text tells the model what is wrong.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"the reply is longer than {MAX_BYTES} bytes")
    if thoughts := _THOUGHTS.match(text):
        text = text[thoughts.end() :]
    text = text.strip()
    if _is_other_json(text):
        raise ValueError("the reply is JSON, but not an object")
    fence = _FENCE.search(text)
    start = 0 if text.startswith("{") or not fence else fence.end()
    found, problem = None, "the reply has no JSON object"
    while found is None and (start := text.find("{", start)) >= 0:
        end = _end(text, start)
        if end is None:
            problem = "the reply's JSON object does not end"
            break
        try:
            found = _load(text[start:end])
        except ValueError as error:
            problem = f"the reply is not JSON: {error}"
            start = end
    if found is None:
        raise ValueError(problem)
    return found


def _end(text: str, start: int) -> int | None:
    """Where the object that begins at ``start`` ends; None if its brackets never close."""
    depth, position = 0, start
    while mark := _MARK.search(text, position):
        position = mark.end()
        if mark[0] == '"':
            string = _STRING_END.match(text, position)
            if string is None:
                return None
            position = string.end()
        elif mark[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"the reply's JSON is nested deeper than {MAX_DEPTH}")
        else:
            depth -= 1
            if depth == 0:
                return position
    return None


def _is_other_json(text: str) -> bool:
    """Whether the whole text is an array or a string; prose may begin like one."""
    if text[:1] not in ("[", '"'):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _load(text: str) -> dict[str, Any]:
    found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number
