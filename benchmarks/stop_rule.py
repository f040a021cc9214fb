"""How often the stop rule stops falsely, and how late it stops, on simulated streams.

    python benchmarks/stop_rule.py [--streams 1000] [--rate 0.05] [--alpha 0.05] [--json]

Two rules: ``spent`` is the one in yunjue/metrics/stopping.py, ``fixed`` looks after every task
for the n = ln(alpha)/ln(1-r) quiet tasks that a single look would need. Columns: ``fires`` is
the share of streams in which the rule fires within the horizon; ``false`` the share in which
the next task would have needed a new tool with a probability of at least r at that moment;
``delay`` the median of the tasks between that probability falling below r and the firing;
``missed`` the mean number of new tools that the 500 tasks after the firing would have needed.
A false stop is what alpha bounds; a burst after the firing is none, but it is missed.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import numpy as np

from yunjue.metrics.stopping import StopRule

HORIZON = 3000
AFTER = 500
LENGTH = HORIZON + AFTER


@dataclass(frozen=True, slots=True)
class Stream:
    """``new``: whether each task needs a new tool; ``chance``: its probability of that,
    given all tasks before. Both of length LENGTH."""

    new: np.ndarray
    chance: np.ndarray


class FixedRule(StopRule):
    """The rule of a single look, looked at after every task."""

    def _alpha(self) -> float:
        return self.alpha


def independent(chance: np.ndarray, rng: np.random.Generator) -> Stream:
    return Stream(rng.random(LENGTH) < chance, chance)


def families(shares: list[tuple[int, np.ndarray]], rng: np.random.Generator) -> Stream:
    """Each task is of a family, and the first of a family needs a new tool.

    Args:
        shares: (task from which they hold, share of each family), by task; the first from 0.
    """
    seen = np.zeros(len(shares[0][1]), dtype=bool)
    new, chance = np.zeros(LENGTH, dtype=bool), np.zeros(LENGTH)
    ends = [start for start, _ in shares[1:]] + [LENGTH]
    for (start, share), end in zip(shares, ends, strict=True):
        drawn = rng.choice(len(share), size=end - start, p=share)
        unseen = share[~seen].sum()
        for place, family in enumerate(drawn, start=start):
            chance[place] = unseen
            if not seen[family]:
                new[place] = seen[family] = True
                unseen = max(0.0, unseen - share[family])
    return Stream(new, chance)


def zipf(exponent: float, count: int = 10_000) -> np.ndarray:
    weights = np.arange(1, count + 1) ** -exponent
    return weights / weights.sum()


def burst(old: int, more: int, at: int) -> list[tuple[int, np.ndarray]]:
    """``old`` families alike; from task ``at`` on, half of the tasks are of ``more`` others."""
    first = np.concatenate([np.full(old, 1 / old), np.zeros(more)])
    then = np.concatenate([np.full(old, 0.5 / old), np.full(more, 0.5 / more)])
    return [(0, first), (at, then)]


def kinds(rate: float) -> dict[str, Callable[[np.random.Generator], Stream]]:
    t = np.arange(1, LENGTH + 1)
    flat = np.ones(LENGTH)
    return {
        "constant, r": lambda rng: independent(rate * flat, rng),
        "constant, 2r": lambda rng: independent(2 * rate * flat, rng),
        "constant, r/5": lambda rng: independent(rate / 5 * flat, rng),
        "1/t: min(1, 20/t)": lambda rng: independent(np.minimum(1, 20 / t), rng),
        "Zipf families, s = 1.2": lambda rng: families([(0, zipf(1.2))], rng),
        "Zipf families, s = 2": lambda rng: families([(0, zipf(2.0))], rng),
        "50 families alike": lambda rng: families([(0, np.full(50, 1 / 50))], rng),
        "20 families, burst of 30 at 150": lambda rng: families(burst(20, 30, 150), rng),
        "20 families, burst of 30 at 600": lambda rng: families(burst(20, 30, 600), rng),
    }


def measure(
    streams: list[Stream], rule: type[StopRule], rate: float, alpha: float
) -> dict[str, Any]:
    fired = [(stream, fired_at(stream, rule(rate, alpha))) for stream in streams]
    hits = [(stream, at) for stream, at in fired if at is not None]
    false = sum(stream.chance[at] >= rate for stream, at in hits)
    delays = [delay for stream, at in hits if (delay := delay_of(stream, at, rate)) is not None]
    missed = [int(stream.new[at : at + AFTER].sum()) for stream, at in hits]
    return {
        "fires": len(hits) / len(streams),
        "false": false / len(streams),
        "false_error": math.sqrt(false / len(streams) * (1 - false / len(streams)) / len(streams)),
        "delay": median(delays) if delays else None,
        "missed": mean(missed) if missed else None,
    }


def fired_at(stream: Stream, rule: StopRule) -> int | None:
    """Tasks seen when the rule fires; None if it does not within the horizon."""
    for made in stream.new[:HORIZON].tolist():
        rule.add(made)
        if rule.fired_at is not None:
            return rule.fired_at
    return None


def delay_of(stream: Stream, at: int, rate: float) -> int | None:
    """Tasks from the one before which the chance fell below ``rate`` to the firing; None for
    a false stop."""
    if stream.chance[at] >= rate:
        return None
    high = np.nonzero(stream.chance[:at] >= rate)[0]
    return at - (int(high[-1]) + 1 if len(high) else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = []
    for name, make in kinds(options.rate).items():
        streams = [make(rng) for _ in range(options.streams)]
        for title, rule in (("spent", StopRule), ("fixed", FixedRule)):
            measured = measure(streams, rule, options.rate, options.alpha)
            rows.append({"stream": name, "rule": title, **measured})
    if options.json:
        print(json.dumps({"options": vars(options), "rows": rows}, indent=2))
        return
    print(
        f"{options.streams} streams of {HORIZON} tasks, r = {options.rate:g}, "
        f"alpha = {options.alpha:g}\n"
    )
    print("| stream | rule | fires | false | delay | missed |\n|---|---|---|---|---|---|")
    for row in rows:
        delay = "-" if row["delay"] is None else f"{row['delay']:.0f}"
        missed = "-" if row["missed"] is None else f"{row['missed']:.1f}"
        print(
            f"| {row['stream']} | {row['rule']} | {row['fires']:.1%} | {row['false']:.1%} "
            f"| {delay} | {missed} |"
        )


if __name__ == "__main__":
    main()
