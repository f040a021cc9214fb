from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.library.ranking import fuse

rankings = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_scores():
    fused = dict(fuse((["a", "b"], 1.0), (["b", "c"], 0.5)))
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 0.5 / 61, "c": 0.5 / 62})


@given(rankings, rankings)
def test_all_are_there_once_best_first(first, second):
    fused = fuse((first, 1.0), (second, 1.0))
    assert {found for found, _ in fused} == {*first, *second}
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)
    assert len(fused) == len({*first, *second})


@given(rankings)
def test_one_ranking_keeps_its_order(ranking):
    assert [found for found, _ in fuse((ranking, 1.0), ([], 1.0))] == ranking
