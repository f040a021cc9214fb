"""The host's side of the talk with a runner: one session, many calls, every wait bounded.

A call that breaks its session (it killed the runner, or wrote rubbish to its pipes) does
not spoil the next: that one gets a fresh session. All of this blocks; it runs in threads.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, TypeVar

from yunjue.errors import SandboxError
from yunjue.protocols import Outputs, SandboxJob, ToolSchemas
from yunjue.sandbox import wire
from yunjue.sandbox.outputs import BadFiles, Left, judged, most_said
from yunjue.types import CallOutcome

START_SECONDS = 60.0
"""From the start of the runner to its first word; more than a slow, busy machine needs."""
GRACE_SECONDS = 15.0
"""What the runner may take on top of a call's own time to kill and clean up."""
POLL_SECONDS = 0.05
"""How often a wait looks whether it is to stop."""
MOST_KEPT = 1 << 20
"""Bytes kept of a runner that talks when it should listen."""

Result = TypeVar("Result")
EMPTY: Mapping[str, str] = MappingProxyType({})


class Stopped(Exception):
    """The caller was cancelled."""


def check(stop: threading.Event) -> None:
    if stop.is_set():
        raise Stopped


async def in_thread(work: Callable[[threading.Event], Result]) -> Result:
    """Run blocking ``work`` in a thread. When cancelled, set the event it was given and
    wait until it has cleaned up."""
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # Stopped, or what stopping brought about: seen
        raise


class Broken(Exception):
    """The session is over: the runner died, fell silent or sent rubbish."""

    def __init__(self, reason: str, error: str) -> None:
        super().__init__(error)
        self.reason, self.error = reason, error


class Stream(ABC):
    """Bytes to and from a started runner.

    Attributes:
        errors: the last bytes of its stderr, to explain a failed start.
    """

    errors: bytes = b""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self._kept = bytearray()

    def send(self, data: bytes, seconds: float) -> None:
        """Write all of ``data``. Raises Broken after ``seconds``, Stopped when told to."""
        deadline, rest = time.monotonic() + seconds, memoryview(data)
        while rest:
            self._wait(deadline)
            written = self._write(rest[:65536], POLL_SECONDS)
            rest = rest[written:]
            if not written and len(self._kept) < MOST_KEPT:
                self._kept += self._read(0) or b""  # notices a runner that died

    def receive(self, count: int, deadline: float) -> bytes:
        """Read exactly ``count`` bytes. Raises as :meth:`send`, and Broken at the end."""
        while len(self._kept) < count:
            self._wait(deadline)
            part = self._read(POLL_SECONDS)
            if part is not None:
                self._kept += part
        data = bytes(self._kept[:count])
        del self._kept[:count]
        return data

    def _wait(self, deadline: float) -> None:
        check(self.stop)
        if time.monotonic() > deadline:
            raise Broken("timeout", "the sandbox did not answer in time and was killed")

    @abstractmethod
    def _write(self, data: memoryview, seconds: float) -> int:
        """Write some bytes, waiting at most ``seconds``; how many were written."""

    @abstractmethod
    def _read(self, seconds: float) -> bytes | None:
        """Some bytes of stdout, or None if none came within ``seconds``; Broken at the end.
        Never more than it can return at once, so a flood does not fill memory."""

    @abstractmethod
    def end(self) -> str:
        """Kill and remove everything; returns the reason of the death, ``memory`` or
        ``crashed``, as far as it can be known. May be called twice."""


class Session:
    """One runner that has said it is ready."""

    def __init__(self, stream: Stream, job: SandboxJob, about: Mapping[str, Any]) -> None:
        self.stream, self.limits = stream, job.limits
        header = {
            "source": job.source,
            "limits": asdict(job.limits),
            "host_pid_namespace": os.stat("/proc/self/ns/pid").st_ino,
            **about,
        }
        try:
            stream.send(wire.frame(header), START_SECONDS)
            self._frame(wire.SLACK, time.monotonic() + START_SECONDS)
        except (Broken, wire.Malformed) as error:
            stream.end()
            said = wire.one_line(stream.errors[-1000:].decode("utf-8", "replace"))
            raise SandboxError(f"The sandbox did not start: {said or error}.") from None
        except BaseException:
            stream.end()
            raise

    def ask(self, request: Mapping[str, Any], more: int = 0) -> tuple[dict[str, Any], bytes]:
        """Pass on one request: what the runner saw, what the child said. Raises Broken.

        Args:
            more: bytes that what it saw may have beyond the usual.
        """
        nonce = secrets.token_hex(8)
        try:
            self.stream.send(wire.frame({**request, "nonce": nonce}), START_SECONDS)
            deadline = time.monotonic() + self.limits.seconds + GRACE_SECONDS
            most = wire.most_seen(self.limits) + more
            seen = wire.parse(self._frame(most, deadline))
            if seen.get("nonce") != nonce:
                raise wire.Malformed("an answer to no question")
            said = self._frame(wire.most_said(self.limits), deadline)
        except wire.Malformed as error:
            text = f"the sandbox's answer was tampered with: {error}"
            raise Broken("crashed", text) from None
        return seen, said

    def _frame(self, most: int, deadline: float) -> bytes:
        length = wire.frame_length(self.stream.receive(4, deadline), most)
        return self.stream.receive(length, deadline)


class Talk:
    """Asks the requests of one job, in as many sessions as it takes.

    Args:
        start: starts a runner; called again after a session broke.
    """

    def __init__(self, start: Callable[[], Session]) -> None:
        self._start = start
        self._session: Session | None = None

    def call(
        self,
        inputs: Mapping[str, Any],
        secrets: Mapping[str, str] = EMPTY,
        outputs: Outputs | None = None,
        more: bool = False,
    ) -> tuple[CallOutcome, Left]:
        """Call the tool: what came of it, and the files it left.

        Args:
            secrets: environment variables of this call's process alone.
            outputs: what it may leave; None for nothing.
            more: another call may follow, whose process loads the tool meanwhile.
        """
        request = {"inputs": dict(inputs), "secrets": dict(secrets), "more": more}
        if outputs:
            request["outputs"] = [outputs.most_files, outputs.most_bytes]
        try:
            wire.frame(inputs)
        except (ValueError, TypeError, RecursionError) as error:
            text = wire.one_line(f"the inputs are not JSON: {error}")
            return CallOutcome(status="input_error", error=text), Left()
        try:
            seen, said = self._ask(request, most_said(outputs) if outputs else 0)
            return wire.outcome(seen, said), judged(seen, outputs) if outputs else Left()
        except (wire.Malformed, BadFiles) as error:
            text = f"the sandbox's answer was tampered with: {error}"
            return wire.crashed(text), Left()
        except Broken as broken:
            return wire.crashed(broken.error, broken.reason), Left()

    def inspect(self) -> ToolSchemas:
        try:
            return wire.schemas(*self._ask({"inspect": True}))
        except wire.Malformed as error:
            return ToolSchemas(error=f"the sandbox's answer was tampered with: {error}")
        except Broken as broken:
            return ToolSchemas(error=wire.one_line(broken.error))

    def _ask(self, request: Mapping[str, Any], more: int = 0) -> tuple[dict[str, Any], bytes]:
        used = self._session is not None
        while True:
            if self._session is None:
                self._session = self._start()
            try:
                seen, said = self._session.ask(request, more)
            except Broken as broken:
                death = self.end()
                # An earlier call may have left the trap: only a fresh session convicts.
                if used and broken.reason != "timeout":
                    used = False
                    continue
                if broken.reason == "crashed" and death == "memory":
                    raise Broken("memory", "the sandbox ran out of memory") from None
                raise
            if seen.get("clean") is not True:
                self.end()
            return seen, said

    def heed(self, stop: threading.Event) -> None:
        """From now on this event ends every wait."""
        if self._session:
            self._session.stream.stop = stop

    def end(self) -> str:
        """End the session, if any; why it died."""
        session, self._session = self._session, None
        return session.stream.end() if session else ""
