"""The program inside the sandbox: calls one tool again and again, each call in a fork.

It is sent in as text (``python -I -B -u -c``), so it imports only the standard library.
It reads frames (4 bytes of length, big-endian, then JSON) from stdin: first
the job, then one request at a time. It answers each request with two frames on stdout:
what it saw from outside the call, and what the call itself said, unread. The latter comes
from hostile code; only the host judges it (:mod:`yunjue.sandbox.wire`).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import shutil
import signal
import struct
import sys
import time
import types
from typing import Any

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


# ---- frames -----------------------------------------------------------------------------


def read_exactly(fd: int, count: int) -> bytes:
    parts = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(fd: int) -> Any:
    return json.loads(read_exactly(fd, struct.unpack(">I", read_exactly(fd, 4))[0]))


# ---- watching one call ------------------------------------------------------------------


def descendants(root: int) -> list[int]:
    """Processes below ``root``, by /proc."""
    parents: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat") as f:
            parents.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(name))
    found, queue = [], [root]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


class Runner:
    """Serves one job, whose commands and answers pass over these file descriptors.

    ``alone`` means that every other process here may be killed.
    """

    def __init__(self, job: dict[str, Any], commands: int, answers: int, alone: bool) -> None:
        self.job, self.commands, self.answers, self.alone = job, commands, answers, alone
        self.tool_call = module("tool_call", job["tool_call"])
        self.tool_call.warm_up()
        self.processes = module("call_process", job["call_process"])
        self.collector = module("collector", job["collector"])
        self.gate = job.get("gate")
        self.forwarder = module("forwarder", self.gate["forwarder"]) if self.gate else None
        self.limits = job["limits"]
        self.next: Any = None
        self.kills = 0
        self.wake, wake_write = os.pipe()
        for fd in (self.wake, wake_write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        self.say(b'{"ready": true}')
        while True:
            request = self.heard()
            seen, said = self.one(request)
            seen["nonce"] = request["nonce"]
            self.say(json.dumps(seen).encode())
            self.say(said)
            if seen["clean"] and request.get("more"):
                self.fork_ahead(request)

    def say(self, body: bytes) -> None:
        self.processes.write_frame(self.answers, body)

    def heard(self) -> dict[str, Any]:
        """The next request. Until it comes, the process that is to take it loads the tool,
        and is then stopped, with all that it started: it computes nothing between calls."""
        if self.next and self.next.waits(self.commands, self.limits["seconds"]):
            self.signal_all(self.next.pid, signal.SIGSTOP)
            self.next.stopped = True
        return read_frame(self.commands)

    def fork_ahead(self, request: dict[str, Any]) -> None:
        """Fork the process of the call after ``request``. Not where a call has an environment
        of its own, which the tool may read while it is loaded."""
        if not self.forwarder and not request.get("secrets"):
            self.next = self.fork(request)

    def fork(self, request: dict[str, Any]) -> Any:
        self.kills = oom_kills()
        if request.get("outputs"):
            self.collector.prepare(self.job["scratch"])
        environment = dict(request.get("secrets", {}))
        if self.forwarder:
            port = self.forwarder.start(self.gate["proxy"])
            environment.update(self.forwarder.environment(port, self.gate["authorities"]))
        return self.processes.CallProcess(self.job, self.tool_call, environment)

    def one(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Run, watch, clean up: what was seen, and the child's report (maybe empty)."""
        started, limits = time.monotonic(), self.limits
        call, self.next = self.next or self.fork(request), None
        if call.stopped:
            self.signal_all(call.pid, signal.SIGCONT)
        call.begin({"inspect": request.get("inspect"), "inputs": request.get("inputs")})
        self.peak = 0
        status = self.watch(call.pid, call.captures, started + limits["seconds"])
        seconds = time.monotonic() - started
        clean = self.kill_all(call.pid)
        call.drain()
        call.close()
        out, err, report = call.captures
        taken = request.get("outputs")
        left = self.collector.collect(self.job["scratch"], *taken) if taken else {}
        clean = clean_scratch(self.job["scratch"]) and clean
        said = report.kept
        fault, error = "", ""
        if oom_kills() > self.kills:
            fault, error = "memory", f"more than {limits['memory_mib']} MiB of memory were used"
        elif not self.processes.whole(said):
            fault, error = self.ending(said, status)
        seen = {
            "fault": fault,
            "error": error,
            "stdout": out.text(),
            "stderr": err.text(),
            "seconds": round(seconds, 6),
            "peak_mib": round(self.peak / 1024, 1),
            "clean": clean,
            **left,
        }
        return seen, b"" if fault else said[4 : 4 + struct.unpack(">I", said[:4])[0]]

    def ending(self, said: bytes, status: int | None) -> tuple[str, str]:
        """Fault and error of a call that left no whole report."""
        if len(said) >= self.limits["result_bytes"] + self.processes.SLACK:
            return "output_too_large", "the result is larger than allowed"
        if status is None:
            return "timeout", f"still running after {self.limits['seconds']:g} s"
        if os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            return "crashed", f"the tool's process was killed by {name}"
        return "crashed", f"the tool ended its process (exit code {os.WEXITSTATUS(status)})"

    def watch(self, pid: int, captures: list[Any], deadline: float) -> int | None:
        """Read until the report is whole or the child is gone: its wait status, or None."""
        while True:
            done, status, used = os.wait4(pid, os.WNOHANG)
            if done:
                self.peak = used.ru_maxrss  # KiB
                while captures[2].read():
                    pass
                return status
            if self.processes.whole(captures[2].kept) or len(captures[2].kept) >= captures[2].limit:
                return None
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            fds = [self.wake, *(capture.fd for capture in captures if capture.open)]
            ready, _, _ = select.select(fds, [], [], left)
            for capture in captures:
                if capture.fd in ready:
                    capture.read()
            with contextlib.suppress(BlockingIOError):
                os.read(self.wake, 4096)

    def signal_all(self, pid: int, number: int) -> None:
        """Signal the child and all it started."""
        if self.alone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(-1, number)  # all at once: no fork can slip through
            return
        for other in (*descendants(os.getpid()), pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(other, number)

    def kill_all(self, pid: int) -> bool:
        """Kill the child and all it started; False if some would not die in 5 s."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            self.signal_all(pid, signal.SIGKILL)
            try:
                while True:
                    done, _, used = os.wait4(-1, os.WNOHANG)
                    if not done:
                        break
                    self.peak = max(self.peak, used.ru_maxrss)
            except ChildProcessError:
                return True
            select.select([self.wake], [], [], 0.005)
        return False


OOM_COUNTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def oom_kills(paths: tuple[str, ...] = OOM_COUNTS) -> int:
    """How often the kernel killed for memory in a cgroup, this one by default; 0 where it
    does not say."""
    for path in paths:
        with contextlib.suppress(OSError), open(path) as lines:
            for line in lines:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def clean_scratch(folder: str) -> bool:
    """Remove what a call left in the scratch space; False if something stays."""
    with contextlib.suppress(OSError, RecursionError):
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        return not os.listdir(folder)
    return False


def drop_capabilities(libc: ctypes.CDLL) -> None:
    """Empty all sets: becoming somebody else leaves the inheritable one as it was."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    libc.capset(header, (ctypes.c_uint32 * 6)())


def module(name: str, text: str) -> types.ModuleType:
    """One of our own files, which came in as text."""
    made = types.ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), made.__dict__)  # noqa: S102 - ours
    return made


# ---- start ------------------------------------------------------------------------------


def main() -> None:
    commands, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    job = read_frame(commands)
    alone = os.stat("/proc/self/ns/pid").st_ino != job["host_pid_namespace"]
    if job["uid"] is not None:
        os.setgroups([])
        os.setresgid(job["uid"], job["uid"], job["uid"])
        os.setresuid(job["uid"], job["uid"], job["uid"])
    libc = ctypes.CDLL(None)
    drop_capabilities(libc)
    # Other processes of this user can then neither read this one's memory nor open its pipes.
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.chdir(job["scratch"])
    sys.path.extend(job["paths"])
    runner = Runner(job, commands, answers, alone)
    # A collection in a fork would touch, and so copy, every page of what was loaded here.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(EOFError):
        runner.serve()


if __name__ == "__main__":
    main()
