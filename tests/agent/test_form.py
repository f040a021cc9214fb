from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.agent.form import is_free, part_of, says_more, says_same


@pytest.mark.parametrize(
    ("output", "free"),
    [
        ({"x": 1.5}, True),
        ({"x": [1, 2]}, True),
        ({"x": 2.0}, False),
        ({"x": [1]}, False),
        ({"x": 7}, False),
        ({"x": "1.5"}, False),
        ({"x": 1.5, "y": 2.5}, False),
        ({}, False),
        (None, False),
    ],
)
def test_what_leaves_its_form_to_the_task(output, free):
    assert is_free(output) is free


@pytest.mark.parametrize(
    ("answer", "result", "same"),
    [
        ("1905.96", "1905.961078063666", True),
        ("1906", "1905.961078063666", True),
        ("1,905.96", "1905.961078063666", True),
        ("1905.961078063666", "1905.961078063666", True),
        ("1905.97", "1905.961078063666", False),
        ("1900", "1905.961078063666", False),
        ("0", "-0.4", True),
        ("65.88", "65.875", True),
        ("65.87", "65.875", True),
        ("37.2 degrees", "37.22", False),
        ("nan", "37.22", False),
        ("1e999", "37.22", False),
        ("", "37.22", False),
        ("ab", "a, b", True),
        ("a b", "a, b", True),
        ("a, b, c", "a, b", False),
        ("b, a", "a, b", False),
        ("", "a, b", False),
        ("3 x 5", "3, 5", True),
        ("3x5", "3, 5", False),
        ("a and b", "a, b", True),
        ("a, b and c", "a, b, c", True),
        ("a and a", "a, b", False),
        ("3 x 7", "3, 5", False),
        ("3 x x 5", "3, 5", False),
        ("x 3 x 5", "3, 5", False),
        ("3 x 5 x", "3, 5", False),
        ("3 5 7", "3, 7", False),
        ("3 times 5", "3, 5", False),
        ("new york x rome", "new york, rome", True),
    ],
)
def test_saying_the_same(answer, result, same):
    assert says_same(answer, result) is same


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 6))
def test_every_rounding_says_the_same(value, decimals):
    assert says_same(f"{value:.{decimals}f}", repr(value))


@given(st.text(), st.text())
def test_any_text_is_judged(answer, result):
    says_same(answer, result)


@pytest.mark.parametrize(
    ("answer", "result", "part"),
    [
        ("rug", "product: rug, sold: 119", True),
        ("119", "product: rug, sold: 119", True),
        ("12.95", "station: Bergen, mean: 12.95", True),
        ("Glass Paper", "| title | n |\n|---|---|\n| Glass Paper | 3 |", True),
        ("12", "mean: 12.95", False),
        ("13", "mean: 12.95", False),
        ("lamp", "product: rug, sold: 119", False),
        ("rug 119", "product: rug, sold: 119", False),
        ("", "product: rug", False),
        ("a much longer text than it", "a, b", False),
    ],
)
def test_a_part_of_a_result(answer, result, part):
    assert part_of(answer, result) is part


def test_what_may_say_more_than_is_asked():
    assert all(map(says_more, ("a: 1", "a, b", "a\nb", "12.9516", "-0.5")))
    assert not any(map(says_more, ("rug", "12:30", "1,000.5", "12", "3.0", "nan", "")))
