"""Opens the sandbox the settings ask for, or the best one this machine has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from yunjue.config import Settings
from yunjue.errors import SandboxUnavailable
from yunjue.plugins import plugins
from yunjue.protocols import Sandbox

AUTOMATIC = ("docker", "bubblewrap")
"""In this order. `process` isolates nothing and is never chosen for anyone."""


async def open_sandbox(settings: Settings, warn: Callable[[str], None]) -> Sandbox:
    """The sandbox named by ``settings.sandbox``, prepared; never another than the named.

    Args:
        warn: is told what the sandbox does not keep apart.

    Raises:
        SandboxUnavailable: the named one, or with ``auto`` none, works here.
        UsageError: nobody offers the named one.
    """
    if settings.sandbox != "auto":
        return await _open(settings.sandbox, settings, warn)
    tried = []
    for name in AUTOMATIC:
        try:
            return await _open(name, settings, warn)
        except SandboxUnavailable as error:
            tried.append(f"{name}: {error.message}")
    raise SandboxUnavailable(f"No sandbox can be used here. {' '.join(tried)}")


@asynccontextmanager
async def opened_sandbox(settings: Settings, warn: Callable[[str], None]) -> AsyncIterator[Sandbox]:
    """A context with the sandbox of :func:`open_sandbox`, closed at its end."""
    sandbox = await open_sandbox(settings, warn)
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def _open(name: str, settings: Settings, warn: Callable[[str], None]) -> Sandbox:
    sandbox = plugins().choose("sandboxes", name, settings)
    try:
        await sandbox.prepare()
    except BaseException:
        await sandbox.close()
        raise
    missing = sandbox.isolation.missing()
    if missing:
        warn(f"The sandbox {name} does not isolate: {', '.join(missing)}.")
    return sandbox
