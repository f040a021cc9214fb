from __future__ import annotations

import pytest

from yunjue.principles.credit import Failure, Outcome, credit
from yunjue.principles.types import Scope

DATES = Scope(tools=("day_gap",), errors=("input_error",))
WON = Outcome("success")


def lost(*failures: tuple[str, str]) -> Outcome:
    return Outcome("failure", tuple(Failure(*one) for one in failures))


@pytest.mark.parametrize("kind", ["guiding", "cautionary"])
def test_a_success_is_a_success_for_all_that_were_shown(kind):
    assert credit(kind, DATES, WON) == "success"
    on_the_way = Outcome("success", (Failure("day_gap", "input_error"),))
    assert credit(kind, DATES, on_the_way) == "success"


def test_a_guiding_one_is_blamed_for_a_failed_run():
    assert credit("guiding", DATES, lost(("mean", "timeout"))) == "failure"


@pytest.mark.parametrize(
    ("scope", "outcome", "counts"),
    [
        (DATES, lost(("day_gap", "input_error")), "failure"),
        (DATES, lost(("mean", "timeout"), ("day_gap", "input_error")), "failure"),
        (DATES, lost(("mean", "input_error")), "none"),
        (DATES, lost(("day_gap", "timeout")), "none"),
        (DATES, lost(), "none"),
        (Scope(tools=("day_gap",)), lost(("day_gap", "timeout")), "failure"),
        (Scope(errors=("timeout",)), lost(("mean", "timeout")), "failure"),
        (Scope(errors=("timeout",)), lost(("mean", "raised")), "none"),
        (Scope(), lost(), "failure"),
        (Scope(domain="dates"), lost(("mean", "raised")), "failure"),
    ],
)
def test_a_warning_is_blamed_only_for_what_it_warns_about(scope, outcome, counts):
    assert credit("cautionary", scope, outcome) == counts
