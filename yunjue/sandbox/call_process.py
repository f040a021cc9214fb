"""The process of one call. It can be forked before its request is there: then it loads the tool
and waits, and the call itself takes no time for that.

The runner (:mod:`yunjue.sandbox.runner`) is sent the text of this file: it imports only the
standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
import types
from typing import Any

SLACK = 4096
"""Bytes a report may be longer than the result inside it."""

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
REPORT, GO, REQUEST, LOADED = 200, 201, 202, 203
"""File descriptors of the child, above all that the tool opens first."""


def write_frame(fd: int, body: bytes) -> None:
    view = memoryview(struct.pack(">I", len(body)) + body)
    while view:
        view = view[os.write(fd, view) :]


def whole(kept: bytes) -> bool:
    return len(kept) >= 4 and len(kept) >= 4 + struct.unpack(">I", kept[:4])[0]


class Capture:
    """Keeps the first bytes of a pipe and throws away the rest, so no writer waits."""

    def __init__(self, fd: int, limit: int) -> None:
        self.fd, self.limit, self.kept, self.open = fd, limit, b"", True
        os.set_blocking(fd, False)

    def read(self) -> bool:
        """Take what is there; False if there was nothing."""
        try:
            part = os.read(self.fd, 65536)
        except BlockingIOError:
            return False
        self.open = bool(part)
        if len(self.kept) < self.limit:
            self.kept += part[: self.limit - len(self.kept)]
        return self.open

    def text(self) -> str:
        return self.kept.decode("utf-8", "replace")


class CallProcess:
    """A forked child, from the runner's side.

    Args:
        job: of the runner.
        environment: what the child has besides the runner's.
    """

    def __init__(
        self, job: dict[str, Any], tool_call: types.ModuleType, environment: dict[str, str]
    ) -> None:
        pipes = [os.pipe() for _ in range(3)]
        go, self.go = os.pipe()
        self.loaded, loaded = os.pipe()
        # Not a pipe: a child that does not read must not make the runner wait.
        self.request = os.memfd_create("request")
        self.pid = os.fork()
        if self.pid == 0:
            _child(job, tool_call, environment, [write for _, write in pipes], (go, loaded, self))
        for fd in (go, loaded, *(write for _, write in pipes)):
            os.close(fd)
        limits = job["limits"]
        sizes = (limits["stream_bytes"], limits["stream_bytes"], limits["result_bytes"] + SLACK)
        self.captures = [Capture(pipes[i][0], sizes[i]) for i in range(3)]
        os.set_blocking(self.go, False)
        self.stopped = False

    def waits(self, until: int, seconds: float) -> bool:
        """Let it load the tool: whether it has, or ``seconds`` have passed, before something
        can be read from ``until``."""
        ready, _, _ = select.select([until, self.loaded], [], [], seconds)
        return until not in ready

    def begin(self, request: dict[str, Any]) -> None:
        """Hand over the request. The tool's code may have been at work with its ends of both:
        their offset and what fills them are not relied on."""
        body, written = json.dumps(request).encode(), 0
        while written < len(body):
            written += os.pwrite(self.request, body[written:], written)
        with contextlib.suppress(OSError):  # it is dead, or has filled it: as will be seen
            os.write(self.go, b"g")

    def drain(self) -> None:
        """Take what its streams still hold, when all that wrote to them are dead."""
        for capture in self.captures:
            for _ in range(64):  # what is left is bounded by the pipe
                if not capture.read():
                    break

    def close(self) -> None:
        for fd in (self.go, self.loaded, self.request, *(one.fd for one in self.captures)):
            os.close(fd)


def _child(
    job: dict[str, Any],
    tool_call: types.ModuleType,
    environment: dict[str, str],
    streams: list[int],
    others: tuple[int, int, CallProcess],
) -> None:
    """Load the tool, wait for the request, run it and leave."""
    own = os.getpid()
    try:
        os.setsid()
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")  # memory runs out: this process goes, not the runner
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environment)
        go, loaded, parent = others
        kept = [(streams[2], REPORT), (go, GO), (parent.request, REQUEST), (loaded, LOADED)]
        os.dup2(streams[0], 1)
        os.dup2(streams[1], 2)
        for fd, place in kept:
            os.dup2(fd, place, inheritable=False)
        os.closerange(3, REPORT)
        for name, bound in job["rlimits"].items():
            if name == "RLIMIT_AS":  # the interpreter's own size comes on top
                with open("/proc/self/statm") as sizes:
                    bound += int(sizes.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(getattr(resource, name), (bound, bound))
        tool = tool_call.Loaded(job["source"])
        os.write(LOADED, b"l")
        os.read(GO, 1)
        os.lseek(REQUEST, 0, os.SEEK_SET)
        with open(REQUEST, "rb") as file:
            request = json.loads(file.read())
        body = tool.report(request, job["limits"]["result_bytes"])
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        if os.getpid() == own:  # a fork of the tool that came back from run() says nothing
            write_frame(REPORT, body)
    except BaseException:
        os._exit(70)
    os._exit(0)
