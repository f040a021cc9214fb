from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yunjue_research.matching import assignment
from yunjue_research.reward import diversity, findings_f1, reward


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    value = st.integers(-8, 8).map(lambda n: n / 8)
    return draw(
        st.lists(st.lists(value, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )


def brute_force(values):
    rows, columns = len(values), len(values[0])
    if rows > columns:
        return brute_force([list(column) for column in zip(*values, strict=True)])
    return max(
        sum(values[row][column] for row, column in enumerate(chosen))
        for chosen in permutations(range(columns), rows)
    )


@given(tables())
def test_the_assignment_is_the_best_there_is(values):
    pairs = assignment(values)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert len(pairs) == min(len(values), len(values[0]))
    assert sum(values[row][column] for row, column in pairs) == brute_force(values)


class Table:
    """An embedder whose vectors are given."""

    name, dimension = "table", 2

    def __init__(self, **angles):
        self.angles = angles

    def embed(self, texts):
        turned = [np.deg2rad(self.angles[text]) for text in texts]
        return np.array([[np.cos(t), np.sin(t)] for t in turned], dtype=np.float32)


def test_a_finding_matches_one_known_finding_from_cosine_075_on():
    # cos 40 degrees is 0.766, cos 42 is 0.743.
    near = Table(a=0, b=40, c=42)
    assert findings_f1(["a"], ["b"], near) == (1.0, 1.0, 1.0)
    assert findings_f1(["a"], ["c"], near) == (0.0, 0.0, 0.0)
    assert findings_f1(["a", "a"], ["b"], near)[0] == 0.5  # once only
    assert findings_f1([], ["b"], near) == (0.0, 0.0, 0.0)


def test_the_best_matching_gives_up_a_better_pair_for_two_good_ones():
    # found x is near both; found y only near k1: x must leave k1 to y.
    place = Table(x=20, y=-15, k1=10, k2=55)
    assert findings_f1(["x", "y"], ["k1", "k2"], place)[2] == 1.0


def test_queries_count_by_how_unlike_and_how_long_they_are():
    long = {f"{name} b c d e f g h": angle for name, angle in [("p", 0), ("q", 90)]}
    assert diversity(list(long), Table(**long)) == pytest.approx(0.5)
    short = {"p": 0, "q": 90}
    assert diversity(list(short), Table(**short)) == pytest.approx(0.5 / 8)
    same = {"p": 0, "q": 1}
    assert diversity(list(same), Table(**same)) == pytest.approx(0.1)
    assert diversity(["p"], Table(p=0)) == 0.0


def test_the_reward_weighs_form_findings_and_queries():
    class Same:
        name, dimension = "same", 2

        def embed(self, texts):
            return np.array([[1.0, 0.0]] * len(texts), dtype=np.float32)

    report = '- It froze. ["the line froze" (a.md, line 3)]'
    assert reward(report, ["It froze."], [], Same()).total == pytest.approx(2 / 2.5)
    bare = reward("- It froze.", ["It froze."], [], Same())
    assert (bare.form, bare.f1) == (0.0, 1.0)
