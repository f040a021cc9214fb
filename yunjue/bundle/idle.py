"""Cases that a program doing nothing would pass prove nothing.

The programs are those of :mod:`yunjue.synthesis.stubs`, for tools of any type. What they
return is known without running them, so nothing is run.
"""

from __future__ import annotations

from collections.abc import Sequence

from yunjue.synthesis.settle import same
from yunjue.types import Case


def idle_program(cases: Sequence[Case]) -> str:
    """What a program does that passes all cases without any work; empty if none does."""
    fine = [case for case in cases if not case.raises]
    if not fine:
        return "refuses all inputs"
    shapes = [_shape(case) for case in fine]
    if any(case.raises and _shape(case) in shapes for case in cases):
        return ""  # to refuse inputs whose types do not give them away is work
    if all(same(case.expected, fine[0].expected) for case in fine):
        return "returns a constant"
    for name in fine[0].inputs:
        if all(name in case.inputs and same(case.expected, case.inputs[name]) for case in fine):
            return f"returns its input {name}"
    return ""


def _shape(case: Case) -> dict[str, type]:
    """The types of the inputs: what an InputModel alone may refuse."""
    return {name: type(value) for name, value in case.inputs.items()}
