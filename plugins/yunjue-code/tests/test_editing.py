"""Edits of a file, and those that would leave a Python file that cannot be read."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yunjue_code.editing import QUOTES, WHOLE_LINE, edited
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


@pytest.mark.parametrize("old", ["text.split(' ')", 'text.split("  ")'])
def test_quotes_and_spaces_need_not_be_copied_exactly(old):
    after, mended = edited("words.py", TEXT, old, old.replace(old[old.index("split") :], "split()"))
    assert mended == QUOTES and "split()" in after
    assert after.count("\n") == TEXT.count("\n")


@pytest.mark.parametrize("old", ["split('x')", "'", "return  a\nreturn b", "a:\nreturn"])
def test_what_differs_in_more_or_is_there_twice_is_not_guessed(old):
    with pytest.raises(Mistake, match="is not there"):
        edited("words.py", TEXT + TEXT, old, "x")


def test_an_edit_that_is_done_already_is_told(tmp_path):
    with pytest.raises(Mistake, match="may be done already"):
        edited("words.py", TEXT, "split(' ')", 'split(" ")')


@given(st.text(alphabet="ab\"' \n(.", max_size=30), st.text(alphabet="ab\"' \n(.", min_size=1))
def test_any_text_is_edited_or_refused(text, old):
    try:
        after, _ = edited("notes.txt", text, old, "NEW")
    except Mistake:
        return
    assert after.count("NEW") == 1 and after != text
