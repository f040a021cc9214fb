"""What the fit L = a/t says of simulated streams whose end is known.

    python benchmarks/egl_fit.py [--streams 300] [--tasks 1000]

Each task makes 1 + Poisson(1) calls (mu = 2) of a family's tool, which the first task of the
family makes. ``C/mu`` is the a that the stream comes to in the end. ``held`` is the share of
streams whose 95 % interval holds it; the other columns are medians.
"""

from __future__ import annotations

import argparse
from statistics import median

import numpy as np

from yunjue.metrics.fit import fit

MEAN_CALLS = 2


def draw(share: np.ndarray, tasks: int, rng: np.random.Generator) -> list[float]:
    """The EGL of one stream after each task."""
    drawn = rng.choice(len(share), size=tasks, p=share)
    made = np.zeros(tasks)
    made[np.unique(drawn, return_index=True)[1]] = 1
    calls = 1 + rng.poisson(MEAN_CALLS - 1, size=tasks)
    return (made.cumsum() / calls.cumsum()).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--tasks", type=int, default=1000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    weights = np.arange(1, 10_001) ** -2.0
    kinds = {
        "1 family": (np.ones(1), 1),
        "5 families alike": (np.full(5, 1 / 5), 5),
        "50 families alike": (np.full(50, 1 / 50), 50),
        "Zipf families, s = 2": (weights / weights.sum(), None),
    }
    print("| stream | C/mu | held | a | low | high | R2 | t*L | slope |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (share, tools) in kinds.items():
        fits = [fit(draw(share, options.tasks, rng)) for _ in range(options.streams)]
        columns = [
            median(getattr(one, member) for one in fits)
            for member in ("a", "low", "high", "r2", "now", "slope")
        ]
        end = tools and tools / MEAN_CALLS
        held = (
            "-" if end is None else f"{np.mean([one.low <= end <= one.high for one in fits]):.0%}"
        )
        numbers = " | ".join(f"{column:.2f}" for column in columns)
        print(f"| {name} | {'-' if end is None else f'{end:g}'} | {held} | {numbers} |")


if __name__ == "__main__":
    main()
