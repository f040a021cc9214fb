"""The fit of L = a/t, and whether a bad one shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunjue.metrics.fit import fit


@given(st.floats(1e-3, 1e3), st.integers(4, 200))
def test_an_exact_curve_is_found(a, tasks):
    found = fit([a / t for t in range(1, tasks + 1)])
    assert found.a == pytest.approx(a) and found.now == pytest.approx(a)
    assert found.r2 == pytest.approx(1)
    assert found.low == pytest.approx(a) and found.high == pytest.approx(a)
    if tasks >= 8:
        assert found.slope == pytest.approx(-1)


def test_it_is_the_least_of_squares():
    values = [0.5, 0.5, 0.2, 0.25, 0.2, 0.1]
    found = fit(values)

    def squares(a):
        return sum((value - a / t) ** 2 for t, value in enumerate(values, start=1))

    assert squares(found.a) < min(squares(found.a * 1.001), squares(found.a * 0.999))
    assert found.rmse == pytest.approx((squares(found.a) / 6) ** 0.5)
    assert found.low <= found.a <= found.high


def test_t_counts_from_the_first_call():
    assert fit([None, None, 0.5, 0.25]) == fit([0.5, 0.25])


@pytest.mark.parametrize("values", [[], [None], [0.5], [None, 0.5]])
def test_too_few_points(values):
    assert fit(values) is None


def test_a_bad_fit_shows():
    still_making = [0.5 - 0.001 * t for t in range(100)]
    found = fit(still_making)
    assert found.r2 < 0
    assert found.now > 10 * found.a
    assert found.slope > -0.5
    assert found.high - found.low > found.a


def test_what_is_not_defined_is_none():
    assert fit([0.5, 0.5]).r2 is None
    assert fit([0.5, 0.3]).low is None and fit([0.5, 0.3]).slope is None
    silent = fit([0.0] * 20)
    assert silent.a == 0 and silent.slope is None and silent.r2 is None
