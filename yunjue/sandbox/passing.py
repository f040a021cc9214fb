"""A sandbox that passes everything on to another; a subclass steps in where it wants."""

from __future__ import annotations

from yunjue.protocols import Isolation, Sandbox, SandboxJob, ToolSchemas
from yunjue.types import CallOutcome


class PassingSandbox:
    """A :class:`yunjue.protocols.Sandbox` that is another one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def name(self) -> str:
        return self._sandbox.name

    @property
    def image(self) -> str:
        return self._sandbox.image

    @property
    def isolation(self) -> Isolation:
        return self._sandbox.isolation

    async def prepare(self) -> None:
        await self._sandbox.prepare()

    async def close(self) -> None:
        await self._sandbox.close()

    async def inspect(self, job: SandboxJob) -> ToolSchemas:
        return await self._sandbox.inspect(job)

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        return await self._sandbox.call(job)
