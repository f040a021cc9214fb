"""Whether an answer is the known one."""

from __future__ import annotations


def same_answer(given: str, expected: str) -> bool:
    """Equal as text, whatever the case, or as numbers to the last digit that is expected.

    Quotes and a full stop around ``given`` do not count.
    """
    given, expected = given.strip(), expected.strip()
    bare = given.strip("'\".")
    if expected.lower() in (given.lower(), bare.lower()):
        return True
    try:
        return abs(float(bare) - float(expected)) < 1e-9
    except ValueError:
        return False
