"""Namespaces, a read-only root and a syscall filter, with no engine and no root needed.

What it lacks against Docker are cgroups: memory is bounded for each process and not for
all together, and a tool may use every processor until its time is up.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import threading

from yunjue.errors import SandboxUnavailable, YunjueError
from yunjue.protocols import Isolation, SandboxJob
from yunjue.sandbox import bpf, cgroups, image
from yunjue.sandbox.backend import ENVIRONMENT, Backend, about, runner_command
from yunjue.sandbox.gate import MOUNT
from yunjue.sandbox.local_stream import MIB, LocalStream, local_rlimits
from yunjue.sandbox.session import Session
from yunjue.sandbox.warm import Ground

FIRST_UID = 0x7000_0000
"""Root becomes one of the 2**24 users from here on, whom nobody else is."""
SCRATCH = "/tmp"  # noqa: S108 - inside the sandbox


class BubblewrapSandbox(Backend):
    """Needs the program ``bwrap``, and user namespaces unless run by root."""

    name = "bubblewrap"

    def __init__(self) -> None:
        super().__init__()
        self._root = os.geteuid() == 0
        self._counts = self._root or _kernel() >= (5, 14)
        self.isolation = Isolation(
            network=True,
            filesystem=True,
            memory=cgroups.usable(),
            cpu=cgroups.usable(),
            processes=self._counts,
            syscalls=bpf.supported(),
        )
        self.image = image.REPOSITORY

    def _prepare(self, stop: threading.Event) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxUnavailable("The program bwrap is not installed.")
        self._program = program
        self._base = image.base(self.cache, stop)
        self.image = self._base.tag
        try:
            self._start(Ground(SandboxJob(""), None, None, stop)).stream.end()
        except SandboxUnavailable:
            raise
        except YunjueError as error:
            raise SandboxUnavailable(
                f"bubblewrap does not work here: {error.message}",
                hint="It needs user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
                "kernel.apparmor_restrict_unprivileged_userns=0), or use a container engine.",
            ) from error

    def _start(self, ground: Ground) -> Session:
        limits = ground.job.limits
        group = cgroups.make(limits) if cgroups.usable() else None
        command = [self._program, *self._arguments(ground, group)]
        pass_fds = []
        if bpf.supported():
            pass_fds.append(_readable_fd(bpf.program()))
            command += ["--seccomp", str(pass_fds[0])]
        command += ["--", *runner_command(image.PYTHON)]
        if group:
            command = group.enter(command)
        at_end = group.end if group else None
        stream = LocalStream(command, {}, ground.stop, pass_fds, at_end)
        bounds = local_rlimits(limits)
        if group:  # which counts what is used, not what is mapped
            del bounds["RLIMIT_AS"]
        if self._counts:
            bounds["RLIMIT_NPROC"] = limits.processes
        paths = [image.SITE, *(["/deps"] if ground.deps else [])]
        uid = FIRST_UID + secrets.randbelow(1 << 24) if self._root else None
        return Session(stream, ground.job, about(paths, SCRATCH, bounds, uid, bool(ground.gate)))

    def _arguments(self, ground: Ground, group: cgroups.Group | None) -> list[str]:
        arguments = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        arguments += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
        if self._root:
            # In a user namespace the tool would still be the host's root to the files it
            # finds, and the kernel would not count its processes. So the runner, before it
            # reads the tool, becomes a user that owns nothing.
            arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            arguments += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
        arguments += ["--hostname", "sandbox", "--new-session", "--die-with-parent", "--clearenv"]
        for name, value in ENVIRONMENT.items():
            arguments += ["--setenv", name, value]
        arguments += ["--ro-bind", str(self._base.root), "/", "--proc", "/proc"]
        for device in image.DEVICES:
            arguments += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        size = ground.job.limits.scratch_mib * MIB
        arguments += ["--perms", "1777", "--size", str(size), "--tmpfs", SCRATCH]
        if ground.deps:
            arguments += ["--ro-bind", str(ground.deps), "/deps"]
        if ground.inputs:
            arguments += ["--ro-bind", str(ground.inputs), "/inputs"]
        if group:  # where the runner sees that memory ran out
            arguments += ["--tmpfs", "/sys", "--perms", "0755", "--dir", "/sys/fs"]
            arguments += ["--perms", "0755", "--dir", "/sys/fs/cgroup"]
            arguments += ["--ro-bind", str(group.memory), group.inside, "--remount-ro", "/sys"]
        if ground.gate:
            arguments += ["--ro-bind", str(ground.gate.folder), MOUNT]
        return [*arguments, "--chdir", SCRATCH]


def _kernel() -> tuple[int, int]:
    """Since 5.14 the kernel counts processes per user namespace."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _readable_fd(data: bytes) -> int:
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read
