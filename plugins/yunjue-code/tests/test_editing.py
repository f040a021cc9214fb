"""Edits of a file, and those that would leave a Python file that cannot be read."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yunjue_code.editing import WHOLE_LINE, edited
from yunjue_code.mistake import Mistake

TEXT = """def words(text):
    # how many
    return len(text.split(" "))


def both(a, b):
    if a:
        return a
    return b
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("return len(text.split(", "return len(text.split())", "    return len(text.split())"),
        ('split(" "))', "    return len(text.split())", "    return len(text.split())"),
        ("return a\n", "return a or b)\n", None),
        ("len(text.split(", "len(text.split(", None),
    ],
)
def test_a_part_of_a_line_is_taken_for_the_whole_where_python_could_not_read_it(old, new, line):
    if line is None:
        with pytest.raises(Mistake):
            edited("words.py", TEXT, old, new)
        return
    after, mended = edited("words.py", TEXT, old, new)
    assert after == TEXT.replace('    return len(text.split(" "))', line)
    assert mended == WHOLE_LINE


def test_several_lines_take_the_place_of_one():
    after, mended = edited("w.py", TEXT, "if a", "if a is None:\n        return b\n    if a:")
    assert mended and "    if a is None:\n        return b\n    if a:\n        return a" in after


def test_what_is_readable_is_done_to_the_letter():
    after, mended = edited("words.py", TEXT, 'split(" ")', "split()")
    assert (after, mended) == (TEXT.replace('split(" ")', "split()"), "")
    broken = "def f(:\n"  # it could not be read before
    assert edited("b.py", broken, "f(", "g(") == ("def g(:\n", "")
    assert edited("notes.md", "a ( b", "b", "((") == ("a ( ((", "")


@given(st.text(max_size=30), st.integers(0, len(TEXT) - 1), st.integers(1, 20))
def test_a_python_file_stays_one(new, start, length):
    old = TEXT[start : start + length]
    try:
        after, _ = edited("words.py", TEXT, old, new)
    except Mistake:
        return
    ast.parse(after)
