"""The suite itself: every probe can fail, and tells what went wrong."""

from __future__ import annotations

import ast

import pytest

from yunjue.errors import SandboxError
from yunjue.protocols import Isolation
from yunjue.sandbox.conformance.check import PROBES, attempt, check, claimed
from yunjue.sandbox.conformance.probe import (
    FINE,
    Probe,
    at_most,
    failed,
    nothing,
    returned,
    within,
)
from yunjue.types import CallOutcome

HARMLESS = CallOutcome(status="ok", output={"result": FINE})
BROKEN = CallOutcome(status="ok", output={"result": ["got through"]})
FAILED = CallOutcome(status="failed", reason="timeout", error="still running")


class Fake:
    """Answers each job with the same outcomes."""

    name, image = "fake", "none"
    isolation = Isolation(False, True, True, True, True, True)

    def __init__(self, *outcomes):
        self.outcomes, self.jobs = list(outcomes), []

    async def call(self, job):
        self.jobs.append(job)
        if isinstance(self.outcomes[0], Exception):
            raise self.outcomes[0]
        return self.outcomes if len(job.calls) > 1 else self.outcomes[1:2]


def named(name):
    return next(probe for probe in PROBES if probe.name == name)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_probe_is_a_tool_file_and_names_a_part(probe):
    ast.parse(probe.source())
    assert probe.part in ("", *Isolation.__slots__)


def test_names_are_unique():
    assert len({probe.name for probe in PROBES}) == len(PROBES) >= 40


@pytest.mark.parametrize(
    "probe", [one for one in PROBES if one.host is nothing], ids=lambda probe: probe.name
)
async def test_every_probe_can_fail(probe):
    fail = BROKEN if probe.judge(BROKEN, {"_folder": "no such folder"}) else FAILED
    assert await attempt(Fake(HARMLESS, fail, HARMLESS), probe)


async def test_a_harmless_call_that_fails_afterwards_is_told():
    probe = Probe("x", "", "return 1", returned(["got through"]))
    assert await attempt(Fake(HARMLESS, BROKEN, HARMLESS), probe) == ""
    problem = await attempt(Fake(HARMLESS, BROKEN, FAILED), probe)
    assert problem.startswith("the harmless call after it came to failed (timeout)")
    problem = await attempt(Fake(BROKEN, BROKEN, HARMLESS), probe)
    assert problem.startswith("the harmless call before it")


async def test_a_sandbox_that_fails_itself_is_told():
    problem = await attempt(Fake(SandboxError("the engine is gone")), PROBES[0])
    assert problem == "the sandbox itself failed: the engine is gone"


async def test_what_is_not_claimed_is_not_run():
    fake = Fake(HARMLESS, BROKEN, HARMLESS)
    reports = [report async for report in check(fake)]
    assert len(fake.jobs) == len(reports) < len(PROBES)
    assert not any(report.part == "network" for report in reports)
    assert not claimed(fake, named("no interface but loopback"))


async def test_a_killed_process_of_the_host_is_noticed():
    class Killer(Fake):
        async def call(self, job):
            import os

            os.kill(job.calls[1]["given"]["pid"], 9)
            os.waitid(os.P_PID, job.calls[1]["given"]["pid"], os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222
            return await super().call(job)

    probe = named("processes outside cannot be killed")
    assert await attempt(Fake(HARMLESS, BROKEN, HARMLESS), probe) == ""
    assert "was killed" in await attempt(Killer(HARMLESS, BROKEN, HARMLESS), probe)


async def test_a_pickle_that_was_read_is_noticed():
    class Reader(Fake):
        async def call(self, job):
            open(job.calls[1]["given"]["marker"], "w").close()  # noqa: ASYNC230
            return await super().call(job)

    probe = named("no pickle is read")
    assert await attempt(Fake(HARMLESS, FAILED, HARMLESS), probe) == ""
    assert "pickle" in await attempt(Reader(HARMLESS, FAILED, HARMLESS), probe)


@pytest.mark.parametrize(
    ("judge", "outcome", "holds"),
    [
        (returned([], None), CallOutcome(status="ok", output={"result": None}), True),
        (returned([]), BROKEN, False),
        (failed("timeout"), FAILED, True),
        (failed("memory"), FAILED, False),
        (failed(), BROKEN, False),
        (at_most(2, 1), CallOutcome(status="ok", output={"result": 2}), True),
        (at_most(2, 1), CallOutcome(status="ok", output={"result": 0}), False),
        (at_most(2), BROKEN, False),
        (within({"/tmp"}), CallOutcome(status="ok", output={"result": []}), True),
        (within({"/tmp"}), BROKEN, False),
    ],
)
def test_judges(judge, outcome, holds):
    assert (judge(outcome, {}) == "") is holds
