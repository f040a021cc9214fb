"""What the chosen candidate must pass beyond its cases.

The cases must tell it from programs that do nothing and from mutants of it; it must give
the same results again, survive inputs nobody wrote, and keep within its bounds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.synthesis.mutants import mutants
from yunjue.synthesis.prove import Bench, Candidate
from yunjue.synthesis.settle import passes, result_of, same
from yunjue.synthesis.stubs import stubs
from yunjue.types import BOUNDS, CallOutcome, Case, Stage

MIN_KILLED = 0.6
"""Share of mutants that the cases must notice. The rest may be equivalent programs: of
correct tools, good cases kill 0.6 to 1."""
RESERVE = 0.5
"""Share of its time and memory that a tool must leave unused on the cases, which are small."""
MAX_BROKEN = 0.5
"""Share of generated inputs that may break the tool. Many are outside of what it is for;
one that breaks on most inputs near those of its cases fits only those cases."""
MUTANT_SECONDS = 2.0
"""A mutant that takes longer is killed: it loops."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The stages, and the cases as they are now: those that agreement added follow the
    settled ones. ``weak`` if the cases, and nothing else, failed."""

    stages: list[Stage]
    cases: list[Case]
    weak: bool


async def try_winner(
    bench: Bench,
    winner: Candidate,
    cases: list[Case],
    asked: Sequence[dict[str, Any]],
    generated: Sequence[dict[str, Any]],
    others: Sequence[Candidate],
) -> Trial:
    """All stages, whichever fail.

    Args:
        cases: settled; the winner passes each.
        asked: the inputs of its ``outcomes``.
        generated: the inputs of its ``unlabelled`` outcomes.
        others: the rest of the candidates; where one gives the winner's result for a
            generated input, that becomes a case if it catches a mutant.
    """
    can_fail, cases = await _can_fail(bench, winner, cases, _agreed(winner, generated, others))
    stages = [
        can_fail,
        _generated(winner, generated),
        await _determinism(bench, winner, [*asked, *generated]),
        _resources(bench, winner),
    ]
    failed = [stage for stage in stages if not stage.passed]
    return Trial(stages, cases, weak=failed == [can_fail])


async def _can_fail(
    bench: Bench, winner: Candidate, cases: list[Case], agreed: Sequence[Case]
) -> tuple[Stage, list[Case]]:
    """Stubs and mutants against the cases, and where those do not suffice, ``agreed``."""
    started = time.monotonic()
    idle = stubs(bench.spec, cases)
    changed = mutants(winner.body)
    programs = [*idle.values(), *(mutant.body for mutant in changed)]
    names = [*idle, *(mutant.what for mutant in changed)]
    alive = list(range(len(programs)))
    for case in cases:
        alive = await _survivors(bench, programs, alive, case)
    added = []
    if alive and agreed:
        calls = [(number, case.inputs) for case in agreed for number in alive]
        rest = iter(await bench.compare(programs, calls, MUTANT_SECONDS))
        passed = [{number for number in alive if passes(case, next(rest))} for case in agreed]
        for case, left in zip(agreed, passed, strict=True):
            if not left.issuperset(alive):
                added.append(case)
                alive = [number for number in alive if number in left]
    survived = [names[number] for number in alive]
    killed = len(changed) - sum(number >= len(idle) for number in alive)
    nothing = [name for name in survived if name in idle]
    if nothing:
        detail = f"a program that {nothing[0]} passes every case"
    else:
        detail = f"{len(idle)} programs that do nothing and {killed} of {len(changed)} mutants fail"
    stage = Stage(
        name="tests can fail",
        passed=not nothing and killed >= MIN_KILLED * len(changed),
        detail=detail,
        evidence={
            "stubs": list(idle),
            "mutants": len(changed),
            "killed": killed,
            "survived": survived,
            "cases_added": len(added),
        },
        seconds=time.monotonic() - started,
    )
    return stage, [*cases, *added]


async def _survivors(
    bench: Bench, programs: Sequence[str], alive: list[int], case: Case
) -> list[int]:
    """Those of the programs numbered ``alive`` that pass the case."""
    if not alive:
        return []
    chosen = [programs[number] for number in alive]
    calls = [(place, case.inputs) for place in range(len(chosen))]
    outcomes = await bench.compare(chosen, calls, MUTANT_SECONDS)
    return [
        number for number, outcome in zip(alive, outcomes, strict=True) if passes(case, outcome)
    ]


def _agreed(
    winner: Candidate, generated: Sequence[dict[str, Any]], others: Sequence[Candidate]
) -> list[Case]:
    """Cases from the generated inputs for which another candidate gives the same result."""
    rows = [other.unlabelled for other in others if other.unlabelled]
    return [
        Case(inputs=inputs, expected=result_of(outcome), origin="agreed")
        for place, (inputs, outcome) in enumerate(zip(generated, winner.unlabelled, strict=True))
        if outcome.status == "ok" and any(_same_ending(outcome, row[place]) for row in rows)
    ]


def _same_ending(left: CallOutcome, right: CallOutcome) -> bool:
    return left.status == right.status and same(result_of(left), result_of(right))


def _generated(winner: Candidate, generated: Sequence[dict[str, Any]]) -> Stage:
    broken = [
        {"inputs": inputs, "error": outcome.error}
        for inputs, outcome in zip(generated, winner.unlabelled, strict=True)
        if outcome.status == "failed"
    ]
    refused = sum(outcome.status == "input_error" for outcome in winner.unlabelled)
    return Stage(
        name="generated inputs",
        passed=len(broken) <= MAX_BROKEN * len(generated),
        detail=f"{len(generated)} inputs: {len(broken)} break it, {refused} it refuses",
        evidence={"broken": broken},
        seconds=sum(outcome.seconds for outcome in winner.unlabelled),
    )


async def _determinism(bench: Bench, winner: Candidate, inputs: Sequence[dict[str, Any]]) -> Stage:
    """All calls again in a fresh process, where also the order of sets is another."""
    started = time.monotonic()
    first = [*winner.outcomes, *winner.unlabelled]
    second = await bench.run(winner, inputs)
    differ = [one for one, a, b in zip(inputs, first, second, strict=True) if not _repeated(a, b)]
    return Stage(
        name="determinism",
        passed=not differ,
        detail=f"{len(differ)} of {len(inputs)} calls gave another result when repeated"
        if differ
        else f"{len(inputs)} calls gave the same result when repeated",
        evidence={"differ": differ},
        seconds=time.monotonic() - started,
    )


def _repeated(left: CallOutcome, right: CallOutcome) -> bool:
    """Equal; what broke a bound counts as equal, for which bound is a matter of speed."""
    if left.reason in BOUNDS and right.reason in BOUNDS:
        return True
    return _same_ending(left, right)


def _resources(bench: Bench, winner: Candidate) -> Stage:
    ran = [outcome for outcome in winner.outcomes if outcome.status != "failed"]
    limits = bench.limits
    slowest = max((outcome.seconds for outcome in ran), default=0.0)
    largest = max((outcome.peak_mib for outcome in ran), default=0.0)
    return Stage(
        name="resources",
        passed=slowest <= RESERVE * limits.seconds and largest <= RESERVE * limits.memory_mib,
        detail=f"at most {slowest:.3f} s of {limits.seconds:g} s "
        f"and {largest:.0f} MiB of {limits.memory_mib} MiB for a case",
        evidence={"seconds": slowest, "peak_mib": largest},
    )
