"""What could not be made, and when it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.store.database import Database
from yunjue.store.refusals import MOST_PASSED_OVER, Refusal, Refusals


@pytest.fixture
def refusals(tmp_path):
    database = Database(tmp_path / "library.db")
    yield Refusals(database)
    database.close()


def test_what_was_never_refused_is_tried(refusals):
    assert refusals.pass_over("luhn", "small") is None
    assert refusals.all() == []


def test_each_refusal_doubles_what_is_passed_over(refusals):
    for times in range(1, 9):
        refusals.add("luhn", "small", "no two agree", f"run {times}")
        passed = 0
        while refusals.pass_over("luhn", "small"):
            passed += 1
        assert passed == min(2**times, MOST_PASSED_OVER)
        (kept,) = refusals.all()
        assert (kept.times, kept.passed_over, kept.left) == (times, passed, 0)


def test_another_model_and_another_name_are_tried(refusals):
    refusals.add("luhn", "small", "no two agree", "run")
    assert refusals.pass_over("luhn", "large") is None
    assert refusals.pass_over("crc", "small") is None
    assert refusals.pass_over("luhn", "small").why == "no two agree"


def test_a_resumed_run_counts_once(refusals):
    refusals.add("luhn", "small", "first", "run")
    refusals.pass_over("luhn", "small")
    refusals.add("luhn", "small", "again", "run")
    (kept,) = refusals.all()
    assert (kept.times, kept.passed_over, kept.why) == (1, 1, "first")


def test_forgotten_is_tried(refusals):
    refusals.add("luhn", "small", "", "run")
    refusals.add("crc", "small", "", "run")
    assert refusals.forget(["luhn", "unknown"]) == 1
    assert [one.name for one in refusals.all()] == ["crc"]
    assert refusals.pass_over("luhn", "small") is None


@given(st.integers(1, 2000), st.integers(0, 200))
def test_never_less_than_none_are_left(times, passed):
    left = Refusal("n", "m", times, passed, "", "").left
    assert 0 <= left <= MOST_PASSED_OVER
