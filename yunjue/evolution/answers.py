"""Whether an answer is the known one; for reports only."""


def same_answer(given: str, expected: str) -> bool:
    """Equal as text, or as numbers to the last digit that is expected."""
    given, expected = given.strip().strip("'\"."), expected.strip()
    if given.lower() == expected.lower():
        return True
    try:
        return abs(float(given) - float(expected)) < 1e-9
    except ValueError:
        return False
