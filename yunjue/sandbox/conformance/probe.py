"""One probe: a hostile body for a tool, and the judge of what came of it."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.protocols import SandboxLimits
from yunjue.types import CallOutcome

Given = Mapping[str, Any]
Judge = Callable[[CallOutcome, Given], str]
"""What an attempt came to, and what the host had prepared -> what is wrong, or ""."""

LIMITS = SandboxLimits(seconds=4, memory_mib=256, processes=16, stream_bytes=4096, scratch_mib=16)

FINE = "fine"
"""What the tool returns on its harmless calls."""


@contextlib.contextmanager
def nothing() -> Iterator[dict[str, Any]]:
    """The host prepares nothing."""
    yield {}


def no_grants(given: Given) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Probe:
    """Something hostile that is tried between two harmless calls of the same tool.

    Attributes:
        name: says what must hold, e.g. ``no network``.
        part: the attribute of :class:`~yunjue.protocols.Isolation` that promises it; ""
            for what every backend must do.
        attempt: the body of the tool's ``run(input)``; what the host prepared is in
            ``input.given``.
        judge: see :data:`Judge`.
        after: the body of the harmless call that follows; None for the usual one. It may
            look for what the attempt left behind.
        host: prepares what is to be protected or reached, and cleans up. The judge sees
            all it gives, the tool what is not named with a leading underscore.
        limits: of every call.
        network: the grants of every call, made of what the host prepared; none by default.
        outputs: the attempt alone is run, and the files it leaves are taken; the judge finds
            their folder as ``_folder``.
    """

    name: str
    part: str
    attempt: str
    judge: Judge
    after: str | None = None
    host: Callable[[], contextlib.AbstractContextManager[Given]] = nothing
    limits: SandboxLimits = LIMITS
    network: Callable[[Given], Sequence[str]] = no_grants
    outputs: bool = False

    def source(self) -> str:
        """The tool file: harmless when called with step 0 or 2, hostile with step 1."""
        harmless = f"return OutputModel(result={FINE!r})"
        bodies = [self.attempt, self.after or harmless]
        attempt, after = (textwrap.indent(textwrap.dedent(body), "    ") for body in bodies)
        return TOOL.format(attempt=attempt, after=after, harmless=harmless)


TOOL = """
__TOOL_META__ = {{"name": "probe", "description": "Tries what a sandbox must not allow."}}

import ctypes, errno, os, socket, struct, sys, time
from typing import Any
from pydantic import BaseModel


class InputModel(BaseModel):
    step: int
    given: dict = {{}}


class OutputModel(BaseModel):
    result: Any = None


def attempt(input):
{attempt}


def after(input):
{after}


def run(input):
    if input.step == 0:
        {harmless}
    return attempt(input) if input.step == 1 else after(input)
"""


# ---- judges ------------------------------------------------------------------------------


def returned(*wanted: Any) -> Judge:
    """The attempt must return one of these values."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        if outcome.status == "ok" and outcome.output["result"] in wanted:
            return ""
        return f"it came to {shown(outcome)}"

    return judge


def failed(*reasons: str) -> Judge:
    """The attempt must fail, for one of these reasons if any are given."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        if outcome.status == "failed" and (not reasons or outcome.reason in reasons):
            return ""
        return f"it came to {shown(outcome)}"

    return judge


def at_most(most: float, least: float = 0) -> Judge:
    """The attempt must return a number within these bounds."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        value = outcome.output["result"] if outcome.status == "ok" else None
        if isinstance(value, (int, float)) and least <= value <= most:
            return ""
        return f"it came to {shown(outcome)}, not at most {most:g}"

    return judge


def within(allowed: set[str]) -> Judge:
    """The attempt must return a list of nothing but these."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        value = outcome.output["result"] if outcome.status == "ok" else None
        if isinstance(value, list) and set(value) <= allowed:
            return ""
        return f"it came to {shown(outcome)}"

    return judge


def shown(outcome: CallOutcome) -> str:
    """The outcome in one short line."""
    if outcome.status == "ok":
        return f"the result {str(outcome.output['result'])[:120]!r}"
    return f"{outcome.status} ({outcome.reason or 'refused'}): {outcome.error[:120]}"
