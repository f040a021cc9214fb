"""Runs the probes against a sandbox."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yunjue.errors import YunjueError
from yunjue.protocols import Outputs, Sandbox, SandboxJob
from yunjue.sandbox.conformance import files, kernel, network, outputs, resources, results
from yunjue.sandbox.conformance.probe import FINE, Probe, shown

PROBES: tuple[Probe, ...] = (
    *files.PROBES,
    *outputs.PROBES,
    *network.PROBES,
    *kernel.PROBES,
    *resources.PROBES,
    *results.PROBES,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What one probe found. ``detail`` says what was wrong; ``seconds`` is wall time."""

    name: str
    part: str
    passed: bool
    detail: str
    seconds: float


def claimed(sandbox: Sandbox, probe: Probe) -> bool:
    """Whether the sandbox says that it holds what the probe tries."""
    return not probe.part or getattr(sandbox.isolation, probe.part)


async def check(sandbox: Sandbox, probes: Sequence[Probe] = PROBES) -> AsyncIterator[Report]:
    """Run what the prepared ``sandbox`` claims to hold, one probe after another.

    What it does not claim is not run: on a sandbox that contains nothing, it would do harm.
    """
    for probe in probes:
        if claimed(sandbox, probe):
            started = time.monotonic()
            detail = await attempt(sandbox, probe)
            seconds = round(time.monotonic() - started, 3)
            yield Report(probe.name, probe.part, not detail, detail, seconds)


async def attempt(sandbox: Sandbox, probe: Probe) -> str:
    """What is wrong with the sandbox by this probe; "" if it holds."""
    with probe.host() as given:
        told = {name: value for name, value in given.items() if not name.startswith("_")}
        calls = [{"step": step, "given": told} for step in range(3)]
        grants = probe.network(given)
        if probe.outputs:
            return await _with_files(sandbox, probe, calls[1], given)
        job = SandboxJob(probe.source(), calls, limits=probe.limits, network=grants)
        try:
            before, outcome, after = await sandbox.call(job)
        except YunjueError as error:
            return f"the sandbox itself failed: {error.message}"
        problem = probe.judge(outcome, given)
    for when, harmless in (("before", before), ("after", after)):
        if harmless.status != "ok" or harmless.output != {"result": FINE}:
            return problem or f"the harmless call {when} it came to {shown(harmless)}"
    return problem


async def _with_files(sandbox: Sandbox, probe: Probe, call: dict[str, Any], given: Any) -> str:
    with tempfile.TemporaryDirectory(prefix="yunjue-probe-") as folder:
        taken = Outputs(Path(folder) / "taken", outputs.MOST_FILES, outputs.MOST_BYTES)
        job = SandboxJob(probe.source(), [call], limits=probe.limits, outputs=taken)
        try:
            (outcome,) = await sandbox.call(job)
        except YunjueError as error:
            return f"the sandbox itself failed: {error.message}"
        return probe.judge(outcome, {**given, "_folder": taken.folder})
