"""Probes of memory, time, processors, output, and processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from yunjue.protocols import SandboxLimits
from yunjue.sandbox.conformance.probe import (
    LIMITS,
    Given,
    Judge,
    Probe,
    at_most,
    failed,
    returned,
    shown,
)
from yunjue.types import CallOutcome

BRIEF = replace(LIMITS, seconds=1.0)


@contextlib.contextmanager
def host_process() -> Iterator[dict[str, Any]]:
    """A process of the host, which must live on."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        yield {"pid": process.pid, "_process": process}
    finally:
        process.kill()
        process.communicate()


def lives(outcome: CallOutcome, given: Given) -> str:
    return "the process of the host was killed" if given["_process"].poll() is not None else ""


def flooded(stream: str) -> Judge:
    """The call succeeds, and no more than the limit is kept of ``stream``."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        kept = len(getattr(outcome, stream).encode())
        if outcome.status == "ok" and 0 < kept <= LIMITS.stream_bytes:
            return ""
        return f"{kept} bytes were kept, and it came to {shown(outcome)}"

    return judge


def ends(name: str, part: str, body: str) -> Probe:
    """The attempt must fail, however."""
    return Probe(name, part, body, failed())


PROBES = [
    Probe(
        "memory is bounded",
        "",
        "return OutputModel(result=len(b'1' * (2 << 30)))",
        failed("memory"),
    ),
    Probe(
        "memory of a child is bounded",
        "memory",
        """
        if os.fork() == 0:
            hog = [bytearray(b"1" * (8 << 20)) for _ in range(200)]
            os._exit(7)
        os.wait()
        return OutputModel(result="the child had 1.6 GB")
        """,
        failed("memory"),
    ),
    Probe(
        "memory of all processes together is bounded",
        "memory",
        """
        for _ in range(6):
            if os.fork() == 0:
                hog = bytearray(b"1" * (100 << 20))
                time.sleep(60)
        time.sleep(60)
        """,
        failed("memory"),
    ),
    Probe("an endless loop is stopped", "", "while True: pass", failed("timeout"), limits=BRIEF),
    Probe(
        "ignoring all signals does not help",
        "",
        """
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        time.sleep(1000)
        """,
        failed("timeout"),
        limits=BRIEF,
    ),
    Probe(
        "one processor at most",
        "cpu",
        """
        import resource
        until = time.monotonic() + 1.5
        for _ in range(4):
            if os.fork() == 0:
                while time.monotonic() < until:
                    pass
                os._exit(0)
        for _ in range(4):
            os.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return OutputModel(result=(used.ru_utime + used.ru_stime) / 1.5)
        """,
        at_most(1.4),
    ),
    Probe(
        "a fork bomb ends with its call",
        "processes",
        "while True: os.fork()",
        failed(),
        limits=replace(BRIEF, seconds=2.0),
    ),
    Probe(
        "processes are bounded",
        "processes",
        """
        count = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(60)
                count += 1
        except OSError:
            return OutputModel(result=count)
        """,
        at_most(LIMITS.processes, least=1),
    ),
    Probe(
        "threads are bounded",
        "processes",
        """
        import threading
        count = 0
        try:
            while True:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                count += 1
        except RuntimeError:
            return OutputModel(result=count)
        """,
        at_most(LIMITS.processes, least=1),
    ),
    Probe(
        "an orphan dies with its call",
        "processes",
        """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(0.01)
            os._exit(0)
        os.wait()
        return OutputModel(result="left one")
        """,
        returned("left one"),
        after="""
        running = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                running.append(open(f"/proc/{name}/stat").read().rsplit(")")[1].split()[1])
            except OSError:
                pass
        orphans = len(running) - 3  # init, the runner, this call
        return OutputModel(result="fine" if orphans <= 0 else f"{orphans} orphans")
        """,
    ),
    Probe(
        "processes outside cannot be killed",
        "processes",
        """
        import signal
        for pid in (input.given["pid"], -input.given["pid"]):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        return OutputModel(result="tried")
        """,
        lives,
        host=host_process,
    ),
    ends("killing everybody ends the call", "processes", "os.kill(-1, 9); time.sleep(60)"),
    ends("killing the runner ends the call", "", "os.kill(os.getppid(), 9); time.sleep(60)"),
    Probe(
        "stopping the runner ends the call",
        "processes",
        "os.kill(os.getppid(), 19); time.sleep(99)",
        failed("timeout"),
        limits=BRIEF,
    ),
    ends("leaving the process is no success", "", "os._exit(0)"),
    ends("leaving Python is no success", "", "sys.exit(0)"),
    ends("an abort is no success", "", "os.abort()"),
    ends("a fault of memory is no success", "", "ctypes.string_at(0)"),
    ends(
        "endless recursion is no success",
        "",
        "sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    ),
    Probe(
        "a flood on stdout is cut",
        "",
        "for _ in range(100): sys.stdout.write('x' * (1 << 20))\nreturn OutputModel(result='said')",
        flooded("stdout"),
        limits=SandboxLimits(seconds=8, stream_bytes=LIMITS.stream_bytes),
    ),
    Probe(
        "a flood on stderr is cut",
        "",
        "for _ in range(100): sys.stderr.write('x' * (1 << 20))\nreturn OutputModel(result='said')",
        flooded("stderr"),
        limits=SandboxLimits(seconds=8, stream_bytes=LIMITS.stream_bytes),
    ),
    Probe(
        "output that is no text is no harm",
        "",
        "os.write(1, bytes(range(256)) * 100)\nreturn OutputModel(result='said')",
        returned("said"),
    ),
]
