"""Which candidate is right, when neither candidates nor test cases can be trusted.

A tester that never saw the code claims what each case must give, and is wrong at times;
so are candidates, but rarely in the same way. A case that a clear vote of independent
samples contradicts is overruled and recorded as disputed (compare the dual agreement of
CodeT, arXiv 2207.10397, and self-consistency, arXiv 2203.11171).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from yunjue.types import CallOutcome, Case

STRONG = 3
"""So many candidates that agree may overrule every case of the tester."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Outcome of a vote.

    Attributes:
        winner: index of the candidate to admit, or None.
        cases: the cases as they hold now: expected values of disputed ones replaced.
        disputed: one entry per overruled case: inputs, claimed, settled, votes.
        why: one sentence.
        failures: when there is no winner, per candidate how many cases it fails.
    """

    winner: int | None
    cases: list[Case]
    why: str
    disputed: list[dict[str, Any]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)


def same(left: Any, right: Any) -> bool:
    """Equal values; numbers within 1e-9 (relative or absolute), bool is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def result_of(outcome: CallOutcome) -> Any:
    """The value of the one output field; None when the call did not succeed."""
    if outcome.status != "ok" or not outcome.output:
        return None
    return next(iter(outcome.output.values()))


def passes(case: Case, outcome: CallOutcome) -> bool:
    """Whether the outcome is what the case expects."""
    if case.raises:
        return outcome.status == "input_error"
    return outcome.status == "ok" and same(case.expected, result_of(outcome))


def settle(cases: Sequence[Case], outcomes: Sequence[Sequence[CallOutcome]]) -> Settlement:
    """Choose a candidate.

    Args:
        cases: the tester's cases.
        outcomes: one sequence per candidate, one outcome per case; a candidate that did
            not get as far as the cases has an empty one.
    """
    cases = list(cases)
    ran = [index for index, row in enumerate(outcomes) if len(row) == len(cases) and cases]
    failures = [
        sum(not passes(case, outcome) for case, outcome in zip(cases, row, strict=False))
        if index in ran
        else len(cases)
        for index, row in enumerate(outcomes)
    ]
    for index in ran:
        if failures[index] == 0:
            return Settlement(index, cases, f"candidate {index + 1} passes every case")
    group = _largest_group(cases, outcomes, ran)
    if len(group) < 2:
        return Settlement(None, cases, "no candidate passes, and no two agree", [], failures)
    leader = group[0]
    strong = len(group) >= STRONG
    if failures[leader] == len(cases) and not strong:
        why = "the candidates that agree pass none of the cases"
        return Settlement(None, cases, why, [], failures)
    settled, disputed = [], []
    for number, case in enumerate(cases):
        outcome = outcomes[leader][number]
        if passes(case, outcome):
            settled.append(case)
            continue
        against = 1 + sum(passes(case, outcomes[index][number]) for index in ran)
        if len(group) <= against:
            why = f"case {number + 1} stands against {len(group)} candidates that agree"
            return Settlement(None, cases, why, [], failures)
        value = result_of(outcome)
        disputed.append(
            {
                "inputs": case.inputs,
                "claimed": case.expected,
                "settled": value,
                "votes": [len(group), against],
            }
        )
        if outcome.status != "failed":  # how a tool breaks is nothing to hold it to
            refused = outcome.status == "input_error"
            settled.append(case.model_copy(update={"expected": value, "raises": refused}))
    why = f"{len(group)} of {len(ran)} candidates agree; {len(disputed)} cases were overruled"
    return Settlement(leader, settled, why, disputed, failures)


def _largest_group(
    cases: Sequence[Case], outcomes: Sequence[Sequence[CallOutcome]], ran: list[int]
) -> list[int]:
    """The most candidates that give the same results on all cases and succeed on most."""
    groups: list[list[int]] = []
    for index in ran:
        if sum(outcome.status == "ok" for outcome in outcomes[index]) * 2 <= len(cases):
            continue
        for group in groups:
            if _agree(outcomes[group[0]], outcomes[index]):
                group.append(index)
                break
        else:
            groups.append([index])
    return max(groups, key=len, default=[])


def _agree(left: Sequence[CallOutcome], right: Sequence[CallOutcome]) -> bool:
    return all(
        (a.status == "ok") == (b.status == "ok") and same(result_of(a), result_of(b))
        for a, b in zip(left, right, strict=True)
    )
