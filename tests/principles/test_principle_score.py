"""Every number of the paper about scores, and merging as sets of runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.principles.merge import merged, merged_uses
from yunjue.principles.types import Draft, Evidence, Scope, Use, same_text, score

PAPER = [
    ((0, 0), 0.5, True),
    ((0, 1), 0.3333, True),
    ((0, 2), 0.25, False),
    ((1, 3), 0.4, True),
    ((1, 5), 0.2857, False),
    ((3, 10), 0.3333, True),
]


@pytest.mark.parametrize(("counts", "value", "kept"), PAPER)
def test_the_papers_table(counts, value, kept):
    assert score(*counts) == pytest.approx(value, abs=5e-5)
    assert (score(*counts) >= 0.3) is kept


COUNTS = st.integers(0, 500).flatmap(lambda use: st.tuples(st.integers(0, use), st.just(use)))


@given(COUNTS)
def test_a_score_is_a_fraction_that_success_raises_and_failure_lowers(counts):
    succ, use = counts
    assert 0 < score(succ, use) < 1
    assert score(succ, use + 1) < score(succ, use) < score(succ + 1, use + 1)


RUNS = st.sampled_from(["r1", "r2", "r3", "r4"])
EVIDENCE = st.builds(Evidence, run=RUNS, steps=st.lists(st.integers(0, 9), max_size=3))
USES = st.builds(Use, run=RUNS, credit=st.sampled_from(["success", "failure", "none"]))
SCOPES = st.builds(
    Scope,
    domain=st.sampled_from(["", "dates", "text"]),
    tools=st.lists(st.sampled_from(["a", "b"]), max_size=2),
    errors=st.lists(st.sampled_from(["raised", "timeout"]), max_size=2),
)
DRAFTS = st.builds(
    Draft,
    kind=st.just("guiding"),
    sentence=st.sampled_from(["One.", "Two."]),
    scope=SCOPES,
    evidence=st.lists(EVIDENCE, max_size=4),
    uses=st.lists(USES, max_size=4),
)


def runs(one: Draft):
    return one.scope, one.evidence, one.uses


@given(DRAFTS, DRAFTS)
def test_a_merge_knows_the_runs_of_both_each_once(one, other):
    both = merged(one, other)
    assert both.sentence == one.sentence
    for name in ("evidence", "uses"):
        known = [entry.run for entry in getattr(both, name)]
        assert len(known) == len(set(known))
        assert set(known) == {e.run for d in (one, other) for e in getattr(d, name)}
    for learnt in (*one.evidence, *other.evidence):
        kept = next(entry for entry in both.evidence if entry.run == learnt.run)
        assert set(learnt.steps) <= set(kept.steps)


@given(DRAFTS, DRAFTS, DRAFTS)
def test_the_order_of_merging_does_not_matter_nor_how_often(one, two, three):
    assert runs(merged(one, two)) == runs(merged(two, one))
    assert runs(merged(merged(one, two), three)) == runs(merged(one, merged(two, three)))
    once = merged(one, two)
    assert merged(once, two) == once == merged(once, once)


def test_of_two_words_on_one_run_the_worse_holds():
    uses = [Use(run="r", credit=one) for one in ("success", "failure", "none", "success")]
    assert merged_uses(uses) == (Use(run="r", credit="failure"),)
    assert merged_uses([uses[2], uses[0]]) == (Use(run="r", credit="success"),)


@pytest.mark.parametrize("other", ["  use  the TOOL", "Use the tool.", "Ｕse the tool!"])
def test_texts_that_count_as_equal(other):
    assert same_text(other) == same_text("Use the tool")
    assert same_text(other) != same_text("Use the tools")
