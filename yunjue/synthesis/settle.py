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
"""So many candidates that agree may overrule every case of the tester; two, fewer than half."""
MARGIN = 2
"""By so many they must outnumber the next group to overrule half of the cases or more."""
MAX_CONFLICTS = 0.2
"""Share of generated inputs on which programs that do the same may give different results:
some of these inputs mean nothing."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Outcome of a vote.

    Attributes:
        group: indexes of the candidates to trust, which agree but for rounding, first one
            that passes all of ``cases``; empty if there are none.
        cases: the cases as they hold now: expected values of disputed ones replaced.
        disputed: one entry per overruled case: inputs, claimed, settled, votes.
        why: one sentence.
        failures: when no candidate is trusted, per candidate how many cases it fails.
    """

    group: list[int]
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


def alike(left: Any, right: Any) -> bool:
    """The same, or the same but for rounding: tasks and specifications say little of digits,
    and programs that round differently compute the same."""
    numbers = [
        value
        for value in (left, right)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    if len(numbers) == 2:
        return same(left, right) or _rounds_to(left, right) or _rounds_to(right, left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    return same(left, right)


def _rounds_to(fine: float, coarse: float) -> bool:
    digits = len(repr(float(coarse)).partition(".")[2].rstrip("0"))
    return "e" not in repr(float(coarse)) and same(round(float(fine), digits), coarse)


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


def settle(
    cases: Sequence[Case],
    outcomes: Sequence[Sequence[CallOutcome]],
    unlabelled: Sequence[Sequence[CallOutcome]] | None = None,
) -> Settlement:
    """Find the candidates to trust.

    Args:
        cases: the tester's cases.
        outcomes: one sequence per candidate, one outcome per case; a candidate that did
            not get as far as the cases has an empty one.
        unlabelled: one sequence per candidate, one outcome per generated input; programs
            that contradict each other there do not agree.
    """
    cases = list(cases)
    extra = unlabelled or [()] * len(outcomes)
    ran = [index for index, row in enumerate(outcomes) if len(row) == len(cases) and cases]
    failures = [
        sum(not passes(case, outcome) for case, outcome in zip(cases, row, strict=False))
        if index in ran
        else len(cases)
        for index, row in enumerate(outcomes)
    ]
    groups = [
        _leader_first(group, outcomes, failures)
        for group in _groups([index for index in ran if _runs(outcomes[index])], outcomes, extra)
    ]
    passing = [group for group in groups if failures[group[0]] == 0]
    if passing:
        group = passing[0]
        if len(passing) > 1 and len(passing[1]) == len(group):
            why = "candidates that pass every case contradict each other on other inputs"
            return Settlement([], cases, why, failures=failures)
        why = f"candidate {group[0] + 1} passes every case"
        why += f", and {len(group) - 1} more agree with it" if len(group) > 1 else ""
        return Settlement(group, cases, why)
    group = groups[0] if groups else []
    if len(group) < 2:
        return Settlement([], cases, "no candidate passes, and no two agree", failures=failures)
    leader = group[0]
    rivals = len(groups[1]) if len(groups) > 1 else 0
    if 2 * failures[leader] >= len(cases) and len(group) < max(STRONG, rivals + MARGIN):
        why = f"{len(group)} candidates agree, {rivals} contradict them, and most cases do"
        return Settlement([], cases, why, failures=failures)
    settled, disputed = [], []
    for number, case in enumerate(cases):
        outcome = outcomes[leader][number]
        if passes(case, outcome):
            settled.append(case)
            continue
        against = 1 + sum(passes(case, outcomes[index][number]) for index in ran)
        if len(group) <= against:
            why = f"case {number + 1} stands against {len(group)} candidates that agree"
            return Settlement([], cases, why, failures=failures)
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
    return Settlement(group, settled, why, disputed)


def _runs(row: Sequence[CallOutcome]) -> bool:
    """Whether most calls succeed."""
    return 2 * sum(outcome.status == "ok" for outcome in row) > len(row)


def _groups(
    indexes: Sequence[int],
    outcomes: Sequence[Sequence[CallOutcome]],
    extra: Sequence[Sequence[CallOutcome]],
) -> list[list[int]]:
    """Candidates that agree with the first of their group, the largest groups first, and
    of equals the one that was written first."""
    groups: list[list[int]] = []
    for index in indexes:
        for group in groups:
            first = group[0]
            if _agree(outcomes[first], outcomes[index]) and _fit(extra[first], extra[index]):
                group.append(index)
                break
        else:
            groups.append([index])
    return sorted(groups, key=len, reverse=True)


def _leader_first(
    group: list[int], outcomes: Sequence[Sequence[CallOutcome]], failures: Sequence[int]
) -> list[int]:
    """The group, first the one that passes most cases; of equals the one whose results,
    digit by digit, most others have."""

    def others(index: int) -> int:
        return sum(
            same(result_of(a), result_of(b))
            for other in group
            for a, b in zip(outcomes[index], outcomes[other], strict=True)
        )

    leader = min(group, key=lambda index: (failures[index], -others(index), index))
    return [leader, *(index for index in group if index != leader)]


def _agree(left: Sequence[CallOutcome], right: Sequence[CallOutcome]) -> bool:
    return all(
        (a.status == "ok") == (b.status == "ok") and alike(result_of(a), result_of(b))
        for a, b in zip(left, right, strict=True)
    )


def _fit(left: Sequence[CallOutcome], right: Sequence[CallOutcome]) -> bool:
    """Whether two programs seldom give different results; one may refuse what the other
    accepts."""
    both = [
        (a, b) for a, b in zip(left, right, strict=True) if a.status == "ok" and b.status == "ok"
    ]
    conflicts = sum(not alike(result_of(a), result_of(b)) for a, b in both)
    return conflicts <= MAX_CONFLICTS * len(both)
