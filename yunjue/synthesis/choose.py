"""Which of several candidates that agree is kept."""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.hashing import canonical_json
from yunjue.synthesis.prove import Candidate
from yunjue.synthesis.settle import passes, result_of, same
from yunjue.types import Case


def best(group: Sequence[Candidate], inputs: Sequence[dict], cases: Sequence[Case]) -> Candidate:
    """Of those that pass ``cases``, the one whose results on generated inputs most of the
    others share; of equals the shortest. Not the fastest: measured again, another one is,
    and a replay must choose the same.

    Args:
        group: agrees on every case; of at least one ``cases`` hold.
        inputs: those of the candidates' ``outcomes``.
        cases: settled; some of ``inputs`` may have none.
    """
    sound = [candidate for candidate in group if _holds(candidate, inputs, cases)]
    return max(sound, key=lambda one: (_support(one, group), -len(one.body), -one.number))


def _holds(candidate: Candidate, inputs: Sequence[dict], cases: Sequence[Case]) -> bool:
    outcomes = dict(zip(map(canonical_json, inputs), candidate.outcomes, strict=True))
    return all(passes(case, outcomes[canonical_json(case.inputs)]) for case in cases)


def _support(candidate: Candidate, group: Sequence[Candidate]) -> int:
    """For how many generated inputs most of the group give its result."""
    count = 0
    for place, outcome in enumerate(candidate.unlabelled):
        alike = sum(same(result_of(outcome), result_of(one.unlabelled[place])) for one in group)
        count += outcome.status == "ok" and 2 * alike > len(group)
    return count
