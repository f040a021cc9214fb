"""No sandbox: the tool runs as the user, on the host, in a process with limits.

For machines that have nothing better and users who say so.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence

from yunjue.errors import SandboxError, SandboxUnavailable
from yunjue.protocols import Isolation
from yunjue.sandbox import image
from yunjue.sandbox.backend import ENVIRONMENT, Backend, about, runner_command
from yunjue.sandbox.local_stream import LocalStream, local_rlimits
from yunjue.sandbox.runner import descendants
from yunjue.sandbox.session import Session
from yunjue.sandbox.warm import Ground


class ProcessSandbox(Backend):
    """Isolates nothing; the limits only stop accidents.

    Args:
        allow_unsafe: without it, :meth:`prepare` refuses.
    """

    name = "process"
    isolation = Isolation(
        network=False, filesystem=False, memory=False, cpu=False, processes=False, syscalls=False
    )

    def __init__(self, allow_unsafe: bool) -> None:
        super().__init__()
        self.allow_unsafe = allow_unsafe
        self.image = f"host Python {platform.python_version()}"

    def _prepare(self, stop: threading.Event) -> None:
        if not self.allow_unsafe:
            raise SandboxUnavailable(
                "The sandbox `process` does not isolate: model-written code would run as you.",
                hint="Use docker or bubblewrap; if you accept the risk, set allow_unsafe = true.",
            )
        self._base = image.base(self.cache, stop)

    def _start(self, ground: Ground) -> Session:
        if ground.inputs:
            raise SandboxError(
                "The sandbox `process` cannot show files at /inputs.",
                hint="Use docker or bubblewrap for tools that read files.",
            )
        if ground.gate:
            raise SandboxError(
                "The sandbox `process` cannot keep a tool to the hosts it is granted.",
                hint="Use docker or bubblewrap for tools that use the network.",
            )
        scratch = tempfile.mkdtemp(prefix="yunjue-")
        # -S: a tool sees the standard library and pydantic, not all that is installed here.
        stream = _HostStream(
            runner_command(sys.executable, "-S"),
            {**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch},
            ground.stop,
            scratch,
        )
        site = self._base.root / image.SITE.lstrip("/")
        paths = [str(path) for path in (site, ground.deps) if path]
        limits = local_rlimits(ground.job.limits)
        return Session(stream, ground.job, about(paths, scratch, limits, None))


class _HostStream(LocalStream):
    """Takes its descendants, found by their parents, and its scratch folder with it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        stop: threading.Event,
        scratch: str,
    ) -> None:
        self._scratch = scratch
        try:
            super().__init__(command, environment, stop)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def end(self) -> str:
        if self.alive():
            for pid in descendants(self.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        death = super().end()
        try:
            shutil.rmtree(self._scratch, ignore_errors=True)
        except RecursionError:  # thousands of folders, one in the other
            subprocess.run(["rm", "-rf", "--", self._scratch], check=False)
        return death
