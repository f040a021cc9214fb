"""Which backends work on this machine, and what each keeps apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from yunjue.config import Settings
from yunjue.errors import SandboxError, YunjueError
from yunjue.plugins import plugins
from yunjue.protocols import Sandbox, SandboxJob
from yunjue.sandbox.harmless import ADD_ONE


@dataclass(frozen=True, slots=True)
class State:
    """One backend, tried. ``isolates`` maps what could be kept apart to whether it is;
    ``problem`` and ``hint`` are for one that does not work."""

    name: str
    works: bool
    image: str = ""
    isolates: dict[str, bool] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""

    @property
    def missing(self) -> list[str]:
        """What it does not keep apart."""
        return [part for part, kept in self.isolates.items() if not kept]


async def survey(settings: Settings) -> list[State]:
    """Try every backend that contains anything, with one call of a harmless tool."""
    names = [name for name in plugins().offered("sandboxes") if name != "process"]
    return [await _state(name, settings) for name in names]


async def _state(name: str, settings: Settings) -> State:
    try:
        sandbox: Sandbox = plugins().choose("sandboxes", name, settings)
        try:
            await sandbox.prepare()
            job = SandboxJob(source=ADD_ONE, calls=[{"number": 20}])
            outcome = (await sandbox.call(job))[0]
            if outcome.output != {"result": 21}:
                raise SandboxError(f"A harmless tool failed in it: {outcome.error}.")
            return State(name, True, sandbox.image, asdict(sandbox.isolation))
        finally:
            await sandbox.close()
    except YunjueError as error:
        return State(name, False, problem=error.message, hint=error.hint)
