"""Which tasks are for the browser."""

from __future__ import annotations

import re
from collections.abc import Sequence

_URL = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]", re.IGNORECASE)


def first_url(task: str) -> str:
    """The first http(s) address that a task names; "" if it names none."""
    found = _URL.search(task)
    return found.group(0) if found else ""


def fits(task: str, files: Sequence[str]) -> bool:
    """Whether the task may be one for the browser."""
    return bool(first_url(task))
