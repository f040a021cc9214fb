"""Two drafts that say the same become one; evidence and uses are sets of runs.

Merging twice, or in another order, gives the same evidence and counts: each run is there once.
"""

from __future__ import annotations

from collections.abc import Iterable

from yunjue.principles.types import Credit, Draft, Evidence, Scope, Use

_WEIGHT: dict[Credit, int] = {"none": 0, "success": 1, "failure": 2}
"""When two say different things of one run, the worse one holds."""


def merged(kept: Draft, other: Draft) -> Draft:
    """``kept`` with what ``other`` knows. Sentence and triples stay."""
    return kept.model_copy(
        update={
            "scope": wider(kept.scope, other.scope),
            "evidence": merged_evidence([*kept.evidence, *other.evidence]),
            "uses": merged_uses([*kept.uses, *other.uses]),
        }
    )


def wider(one: Scope, other: Scope) -> Scope:
    """What either is about. A lesson of two domains is of any."""
    return Scope(
        domain=one.domain if one.domain == other.domain else "",
        tools=tuple(sorted({*one.tools, *other.tools})),
        errors=tuple(sorted({*one.errors, *other.errors})),
    )


def merged_evidence(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """One entry a run, with all its steps; sorted by run."""
    steps: dict[str, set[int]] = {}
    for one in evidence:
        steps.setdefault(one.run, set()).update(one.steps)
    return tuple(Evidence(run=run, steps=tuple(sorted(steps[run]))) for run in sorted(steps))


def merged_uses(uses: Iterable[Use]) -> tuple[Use, ...]:
    """One entry a run; sorted by run."""
    credits: dict[str, Credit] = {}
    for one in uses:
        credits[one.run] = worse(credits.get(one.run, "none"), one.credit)
    return tuple(Use(run=run, credit=credits[run]) for run in sorted(credits))


def worse(one: Credit, other: Credit) -> Credit:
    return max(one, other, key=_WEIGHT.__getitem__)
