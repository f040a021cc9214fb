"""What a tool declares that it needs from outside, and what the user lets it have.

A tool's file says so in ``__TOOL_META__``: ``network`` names the hosts it talks to,
``secrets`` the environment variables it reads. It gets what the user allows of that, call by
call; if something is missing, it is not started.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from yunjue import hosts, keys
from yunjue.config import Settings
from yunjue.protocols import Sandbox, SandboxJob
from yunjue.redaction import SHORTEST
from yunjue.sandbox.passing import PassingSandbox
from yunjue.synthesis.template import read_meta
from yunjue.types import CallOutcome, Tool


class NotGranted(Exception):
    """The tool needs what it may not have; says what, and how to allow it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def equipped(job: SandboxJob, settings: Settings) -> SandboxJob:
    """``job`` with what its tool declares and ``settings`` allow.

    Raises:
        NotGranted: something that it declares is not allowed.
    """
    meta = declared(job.source)
    return replace(job, network=_network(meta, settings), secrets=_secrets(meta, settings))


def lacking(source: str, settings: Settings) -> str:
    """What the tool declares and may not have, and how to allow it; "" if it has all."""
    try:
        equipped(SandboxJob(source), settings)
    except NotGranted as missing:
        return str(missing)
    return ""


def call_of(tool: Tool, inputs: dict[str, Any], settings: Settings) -> SandboxJob:
    """The job that calls a tool of the library once, within the bounds of the settings."""
    return SandboxJob(
        source=tool.source,
        calls=[inputs],
        requirements=tool.requirements,
        limits=settings.tool_limits(),
    )


def declared(source: str) -> dict[str, Any]:
    """What the tool's file says of itself; {} of a file that is no tool."""
    try:
        return read_meta(source)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}  # no tool; the sandbox says what is wrong with it


def _network(meta: dict[str, Any], settings: Settings) -> list[str]:
    try:
        wanted = hosts.declared(meta.get("network", []))
    except ValueError as error:
        message = f"What the tool declares as its network is wrong: {error}."
        raise NotGranted("network_refused", message) from None
    granted, missing = hosts.grant(wanted, settings.allow_net)
    if missing:
        what = "any host" if missing == ["*"] else ", ".join(missing)
        flags = " ".join(f"--allow-net {shlex.quote(host)}" for host in missing)
        message = f"The tool needs the network ({what}), which is not allowed; {flags} allows it."
        raise NotGranted("network_refused", message)
    return granted


def _secrets(meta: dict[str, Any], settings: Settings) -> dict[str, str]:
    try:
        wanted = keys.secret_names(meta.get("secrets", []))
    except ValueError as error:
        message = f"What the tool declares as its secrets is wrong: {error}."
        raise NotGranted("secret_refused", message) from None
    missing = [name for name in wanted if name not in settings.grant_secrets]
    if missing:
        flags = " ".join(f"--grant {name}" for name in missing)
        message = f"The tool needs secrets that are not granted to it; {flags} grants them."
        raise NotGranted("secret_refused", message)
    return {name: _value(name) for name in wanted}


def _value(name: str) -> str:
    value = keys.secret(name)
    if value is None:
        message = f"The secret {name} has no value; yunjue keys set {name.lower()} stores one."
        raise NotGranted("secret_refused", message)
    if len(value) < SHORTEST:
        message = f"The secret {name} has less than {SHORTEST} characters: it could not be hidden."
        raise NotGranted("secret_refused", message)
    return value


class GrantedSandbox(PassingSandbox):
    """Passes every call on with what its tool is granted. One that lacks something comes back
    as failed, without a start: another tool, or the user, may do better."""

    def __init__(self, sandbox: Sandbox, settings: Settings) -> None:
        super().__init__(sandbox)
        self._settings = settings

    async def call(self, job: SandboxJob) -> list[CallOutcome]:
        try:
            job = equipped(job, self._settings)
        except NotGranted as missing:
            refused = CallOutcome(status="failed", reason=missing.reason, error=str(missing))
            return [refused] * len(job.calls)
        return await self._sandbox.call(job)
