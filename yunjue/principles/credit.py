"""What one run says of a principle it was shown: for it, against it, or nothing.

EvolveR's score blames a principle for every failed run it was part of. Here blame depends on
the kind (see :func:`credit`): a warning that was heeded is not at fault when something else
goes wrong. Which run failed is told by the run itself: its end, its tools' errors, its critic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from yunjue.principles.types import Credit, Kind, Scope


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong in a run: with which tool ("" for none), and how, in the words
    of :attr:`yunjue.principles.types.Scope.errors`."""

    tool: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and what went wrong on the way."""

    status: Literal["success", "failure"]
    failures: tuple[Failure, ...] = ()


def credit(kind: Kind, scope: Scope, outcome: Outcome) -> Credit:
    """What ``outcome`` counts for a principle that the run was shown.

    ================  =======================================  =========
    the run           the principle                            counts as
    ================  =======================================  =========
    succeeded         any                                      success
    failed            guiding                                  failure
    failed            cautionary, and what it warns about       failure
                      happened
    failed            cautionary, and it did not               none
    ================  =======================================  =========

    What a warning is about happened when some failure is of a tool of its scope (if that names
    any) and of a kind of its scope (if that names any). A warning whose scope names neither is
    about the whole run, and is blamed for its failure.
    """
    if outcome.status == "success":
        return "success"
    if kind == "guiding" or not (scope.tools or scope.errors):
        return "failure"
    happened = any(
        (not scope.tools or failure.tool in scope.tools)
        and (not scope.errors or failure.error in scope.errors)
        for failure in outcome.failures
    )
    return "failure" if happened else "none"
