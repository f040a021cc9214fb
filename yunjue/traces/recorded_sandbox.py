"""A sandbox whose calls are effects: recorded, resumed and compared in a replay."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from yunjue.hashing import content_id
from yunjue.protocols import Effects, Sandbox, SandboxJob, ToolSchemas
from yunjue.sandbox.passing import PassingSandbox
from yunjue.types import CallOutcome


class RecordedSandbox(PassingSandbox):
    """Passes every job through ``effects`` to ``sandbox``."""

    def __init__(self, sandbox: Sandbox, effects: Effects) -> None:
        super().__init__(sandbox)
        self._effects = effects

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        async def action() -> dict[str, Any]:
            outcomes = await self._sandbox.call(job)
            return {"outcomes": [outcome.model_dump() for outcome in outcomes]}

        result = await self._effects.perform("sandbox", _request("call", job), action)
        return [CallOutcome(**outcome) for outcome in result["outcomes"]]

    async def inspect(self, job: SandboxJob) -> ToolSchemas:
        async def action() -> dict[str, Any]:
            return asdict(await self._sandbox.inspect(job))

        return ToolSchemas(
            **await self._effects.perform("sandbox", _request("inspect", job), action)
        )


def _request(verb: str, job: SandboxJob) -> dict[str, Any]:
    request = {
        "verb": verb,
        "source": content_id(job.source),
        "calls": [dict(call) for call in job.calls],
        "requirements": list(job.requirements),
        "files": sorted(job.files),
        "limits": asdict(job.limits),
    }
    # What is younger than the first traces appears only where it is used.
    if job.most_timeouts is not None:
        request["most_timeouts"] = job.most_timeouts
    if job.network:
        request["network"] = list(job.network)
    if job.secrets:
        request["secrets"] = sorted(job.secrets)  # the names
    return request
