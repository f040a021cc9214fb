"""How well L_t = a/t describes a curve of the EGL, with a = C/mu (arXiv 2601.18226).

If no more than C tools are ever made and each task makes mu calls, L_t = C/(mu*t): it falls
as 1/t. This fits the one parameter a and says how far off the curve is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

# 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom; the blocks double, so 20
# are a stream of two million tasks.
T_975 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
FEWEST_BLOCKS = 3
FEWEST_FOR_SLOPE = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """The least-squares fit of L_t = a/t.

    Attributes:
        a: C/mu in tasks: the tools made over the calls a task.
        low, high: 95 % interval of ``a``; the band of the curve is low/t … high/t. None with
            fewer than 4 points. See :func:`fit` for what it assumes.
        r2: 1 - residual / total sum of squares, about the mean. Below 0 the mean is the
            better description. None when all points are equal.
        rmse: root of the mean squared residual, in the unit of L.
        points: the number of points.
        now: t * L_t at the last point. Far from ``a``, the curve is no a/t.
        slope: of log L over log t in the later half: -1 when no tool is made any more, 0 when
            tools are made as often as before. None with fewer than 8 points, or where L is 0.
    """

    a: float
    low: float | None
    high: float | None
    r2: float | None
    rmse: float
    points: int
    now: float
    slope: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def fit(egl: Sequence[Fraction | float | None]) -> Fit | None:
    """Fit a curve of the EGL.

    t counts from 1 at the first point that is defined. The squares are not weighted, so the
    first points decide: the first alone has about 60 % of the weight. ``now`` and ``slope``
    look at the other end.

    The interval is a cluster jackknife (CV3; MacKinnon, Nielsen and Webb 2023): the fit is
    repeated without each of the blocks t = 1, 2-3, 4-7, 8-15, …, and the spread of its results
    is taken with Student's t. Points of a cumulative ratio depend on their neighbours, so an
    interval from single points would be far too narrow. It assumes that one ``a`` holds over
    the whole stream and that blocks err independently; a stream that goes on making tools
    breaks the first, and then the interval is of the best a/t, not of the tools there will be:
    ``benchmarks/egl_fit.py`` shows that it then mostly does not hold the final C/mu.

    Args:
        egl: L_t in stream order; None where it is undefined.

    Returns:
        None with fewer than two defined points.
    """
    import numpy as np

    values = np.array([float(value) for value in egl if value is not None])
    count = len(values)
    if count < 2:
        return None
    t = np.arange(1, count + 1)
    a = float((values / t).sum() / (1.0 / t**2).sum())
    residual = values - a / t
    squares = float((residual**2).sum())
    spread = float(((values - values.mean()) ** 2).sum())
    low, high = _interval(values, a)
    return Fit(
        a=a,
        low=low,
        high=high,
        r2=1 - squares / spread if spread > 0 else None,
        rmse=(squares / count) ** 0.5,
        points=count,
        now=float(count * values[-1]),
        slope=_slope(values),
    )


def _interval(values: Any, a: float) -> tuple[float | None, float | None]:
    import numpy as np

    t = np.arange(1, len(values) + 1)
    starts = 2 ** np.arange(len(values).bit_length()) - 1  # t = 1, 2, 4, 8, …
    if len(starts) < FEWEST_BLOCKS:
        return None, None
    xy, xx = np.add.reduceat(values / t, starts), np.add.reduceat(1.0 / t**2, starts)
    without = (xy.sum() - xy) / (xx.sum() - xx)
    blocks = len(starts)
    error = float(((blocks - 1) / blocks * ((without - a) ** 2).sum()) ** 0.5)
    half = T_975[min(blocks - 1, len(T_975)) - 1] * error
    return max(0.0, a - half), a + half  # a ratio of counts is not negative


def _slope(values: Any) -> float | None:
    import numpy as np

    half = len(values) // 2
    later = values[half:]
    if len(values) < FEWEST_FOR_SLOPE or not (later > 0).all():
        return None
    return float(np.polyfit(np.log(np.arange(half + 1, len(values) + 1)), np.log(later), 1)[0])
