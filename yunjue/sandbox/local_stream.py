"""A runner that is a process of this host (bubblewrap's, or the bare one)."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

from yunjue.errors import SandboxError
from yunjue.protocols import SandboxLimits
from yunjue.sandbox.session import Broken, Stream

MIB = 1 << 20


def local_rlimits(limits: SandboxLimits) -> dict[str, int]:
    """The limits that the kernel holds for each process, where there is no engine to hold
    them for all together; in bytes, and files."""
    return {
        "RLIMIT_AS": limits.memory_mib * MIB,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": limits.scratch_mib * MIB,
        "RLIMIT_NOFILE": 256,
    }


class LocalStream(Stream):
    """Talks to a process over its pipes.

    Args:
        command: the program and its arguments.
        environment: all of its environment.
        pass_fds: file descriptors it inherits; closed here once it runs.
        at_end: called when all of it is dead; says why it died, as :meth:`end` does.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        stop: threading.Event,
        pass_fds: Sequence[int] = (),
        at_end: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(stop)
        self._at_end = at_end
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                bufsize=0,
                cwd="/",
                env=environment,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        except OSError as error:
            if at_end:
                at_end()
            raise SandboxError(f"{command[0]} cannot be started: {error}.") from error
        finally:
            for fd in pass_fds:
                os.close(fd)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._err = self._process.stderr.fileno()
        os.set_blocking(self._in, False)

    def _write(self, data: memoryview, seconds: float) -> int:
        if not select.select([], [self._in], [], seconds)[1]:
            return 0
        try:
            return os.write(self._in, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._drain_errors()
            raise Broken("crashed", "the sandbox was killed by the tool") from error

    def _read(self, seconds: float) -> bytes | None:
        poll = select.poll()
        for fd in (self._out, self._err):
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(seconds * 1000)}
        if self._err in ready and not self._keep_errors():
            self._err = -1
        if self._out not in ready:
            return None
        part = os.read(self._out, 65536)
        if not part:
            self._drain_errors()
            raise Broken("crashed", "the sandbox was killed by the tool")
        return part

    def _keep_errors(self) -> bool:
        part = os.read(self._err, 65536)
        self.errors = (self.errors + part)[-4096:]
        return bool(part)

    def _drain_errors(self) -> None:
        while self._err >= 0 and select.select([self._err], [], [], 0.1)[0]:
            if not self._keep_errors():
                break

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> str:
        process = self._process
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        at_end, self._at_end = self._at_end, None
        return at_end() if at_end else "crashed"
