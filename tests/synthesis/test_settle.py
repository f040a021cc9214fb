"""The vote between candidates and cases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from story import ok, refused

from yunjue.synthesis.settle import alike, passes, same, settle
from yunjue.types import CallOutcome, Case

CASES = [Case(inputs={"n": n}, expected=n * 2) for n in (1, 2, 3)]
FAILED = CallOutcome(status="failed", error="boom")


def rows(*values):
    return [[ok(value) for value in row] for row in values]


def test_a_candidate_that_passes_everything_wins():
    settled = settle(CASES, rows([1, 1, 1], [2, 4, 6]))
    assert settled.group[0] == 1
    assert settled.disputed == []


def test_two_that_agree_overrule_one_claim():
    settled = settle(CASES, rows([2, 4, 7], [9, 9, 9], [2, 4, 7]))
    assert settled.group[0] == 0
    assert [entry["settled"] for entry in settled.disputed] == [7]
    assert settled.cases[2].expected == 7


def test_a_claim_that_a_dissenter_supports_needs_more_votes():
    assert settle(CASES, rows([2, 4, 7], [2, 4, 7], [0, 0, 6])).group == []
    assert settle(CASES, rows([2, 4, 7], [2, 4, 7], [0, 0, 6], [2, 4, 7])).group[0] == 0


def test_two_that_pass_nothing_are_not_believed_but_three_are():
    assert settle(CASES, rows([5, 6, 7], [5, 6, 7])).group == []
    assert settle(CASES, rows([5, 6, 7], [5, 6, 7], [5, 6, 7])).group[0] == 0


def test_three_are_not_believed_against_two_others_who_agree():
    contested = rows([5, 6, 7], [5, 6, 7], [8, 8, 8], [8, 8, 8], [5, 6, 7])
    assert settle(CASES, contested).group == []
    assert settle(CASES, [*contested, *rows([5, 6, 7])]).group[0] == 0


def test_programs_that_round_differently_agree_and_the_commonest_form_leads():
    outcomes = rows([2.344, 4.2, 7], [2.34, 4.2, 7], [2.34, 4.2, 7.0])
    settled = settle(CASES, outcomes)
    assert settled.group == [1, 0, 2]
    assert [case.expected for case in settled.cases] == [2.34, 4.2, 7]


def test_two_that_pass_every_case_and_contradict_each_other_elsewhere_settle_nothing():
    passing = rows([2, 4, 6], [2, 4, 6], [2, 4, 6])
    extra = rows([8, 10], [0, 0], [8, 10])
    assert settle(CASES, passing[:2], extra[:2]).group == []
    assert settle(CASES, passing, extra).group == [0, 2]


def test_refusing_an_input_nobody_wrote_is_no_contradiction():
    extra = [[ok(8), refused()], [ok(8), ok(3)]]
    assert settle(CASES, rows([2, 4, 6], [2, 4, 6]), extra).group == [0, 1]


def test_alike_is_the_same_but_for_rounding():
    assert alike(2.346, 2.35) and alike(2.35, 2.346) and alike([746.43], [746])
    assert not alike(2.346, 2.4 + 0.05)
    assert not alike("2.346", "2.35")
    assert not alike(True, 1)
    assert alike(1e30, 1e30)


def test_candidates_that_mostly_fail_form_no_group():
    outcomes = [[FAILED, FAILED, ok(6)]] * 4
    assert settle(CASES, outcomes).group == []


def test_a_refused_input_settles_as_a_case_that_must_be_refused():
    outcomes = [[ok(2), ok(4), refused()]] * 3
    settled = settle(CASES, outcomes)
    assert settled.group[0] == 0
    assert settled.cases[2].raises and passes(settled.cases[2], refused())


def test_how_a_tool_breaks_is_no_case():
    settled = settle(CASES, [[ok(2), ok(4), FAILED]] * 3)
    assert settled.group[0] == 0
    assert len(settled.cases) == 2


def test_candidates_that_did_not_run_do_not_count():
    settled = settle(CASES, [[], [], *rows([2, 4, 6])])
    assert settled.group[0] == 2
    assert settle(CASES, [[], []]).group == []
    assert settle([], [[], []]).group == []


def test_equality_is_strict_on_types_and_lenient_on_the_last_digit():
    assert same(0.1 + 0.2, 0.3)
    assert same(2, 2.0)
    assert not same(True, 1)
    assert not same("1", 1)
    assert same([1, [0.3]], [1, [0.1 + 0.2]])
    assert not same([1], [1, 2])


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), max_size=5))
def test_a_winner_passes_every_settled_case(values):
    outcomes = rows(*values)
    settled = settle(CASES, outcomes)
    if settled.group == []:
        assert settled.cases == CASES
        return
    by_input = {case.inputs["n"]: case for case in settled.cases}
    for case, outcome in zip(CASES, outcomes[settled.group[0]], strict=True):
        assert passes(by_input[case.inputs["n"]], outcome)
