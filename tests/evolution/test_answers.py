from __future__ import annotations

import pytest

from yunjue.evolution.answers import same_answer


@pytest.mark.parametrize(
    "given, expected",
    [
        ("Paris", "paris "),
        ("'Paris'.", "Paris"),
        ("42", "42.0"),
        ("0.30000000000000004", "0.3"),
        ("U.S.", "U.S."),
        ("nan", "NaN"),
    ],
)
def test_the_same(given, expected):
    assert same_answer(given, expected)


@pytest.mark.parametrize(
    "given, expected",
    [("", "42"), ("The answer is 42", "42"), ("42.01", "42"), ("inf", "1"), ("-42", "42")],
)
def test_another(given, expected):
    assert not same_answer(given, expected)
