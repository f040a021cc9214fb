"""Control groups: memory, processors and processes of all that a sandbox holds together.

Limits per process, which the kernel always lets us set, do not bound what many processes
take. A group can be made by root, and by users whose session systemd has delegated to them.
Version 2 of the kernel's interface is tried first, then version 1.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from yunjue.protocols import SandboxLimits
from yunjue.sandbox.runner import oom_kills

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "cpu")
PREFIX = "yunjue-"
PERIOD = 100_000
"""Microseconds; a group may use one processor for so many in each."""
OWN_PROCESSES = 4
"""Two of bubblewrap, the runner, and the shell before them."""
REMOVE_SECONDS = 2.0

_ENTER = 'for group in $0; do echo $$ > "$group/cgroup.procs" || exit 97; done; exec "$@"'


@dataclass(frozen=True, slots=True)
class Group:
    """A group that nothing is in yet.

    Attributes:
        folders: one for version 2, one per controller for version 1.
        memory: the one that tells whether memory ran out.
        inside: where in a sandbox the runner looks for it.
    """

    folders: tuple[Path, ...]
    memory: Path
    inside: str

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command that joins the group before it becomes ``command``: what forks before
        it has joined would stay outside."""
        return ["/bin/sh", "-c", _ENTER, " ".join(map(str, self.folders)), *command]

    def end(self) -> str:
        """Remove it, once its processes are gone; ``memory`` if the kernel killed any of them
        for memory, else ``crashed``. One that does not go is left to :func:`sweep`."""
        counts = (str(self.memory / name) for name in ("memory.events", "memory.oom_control"))
        killed = oom_kills(tuple(counts)) > 0
        deadline = time.monotonic() + REMOVE_SECONDS
        for folder in self.folders:
            while not _gone(folder) and time.monotonic() < deadline:
                time.sleep(0.01)
        return "memory" if killed else "crashed"


def make(limits: SandboxLimits) -> Group:
    """A new group with these limits.

    Raises:
        OSError: this user may not make one here, or the kernel lacks a controller.
    """
    name = f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex}"
    if (ROOT / "cgroup.controllers").exists():
        return _second(name, limits)
    return _first(name, limits)


@cache
def usable() -> bool:
    """Whether groups can be made; removes those that killed processes have left."""
    try:
        make(SandboxLimits()).end()
    except OSError:
        return False
    sweep()
    return True


def sweep() -> None:
    """Remove the groups that nothing is in, of processes that are gone: one that lives may
    have made its group this moment, for a command that has yet to join."""
    for parent in {*_parents_of_second(), *_parents_of_first().values()}:
        for folder in parent.glob(f"{PREFIX}*"):
            maker = folder.name.removeprefix(PREFIX).partition("-")[0]
            if not Path("/proc", maker).exists():
                _gone(folder)


def _second(name: str, limits: SandboxLimits) -> Group:
    problem = OSError("no parent")
    for parent in _parents_of_second():
        folder = parent / name
        try:
            _delegate(parent)
            folder.mkdir()
        except OSError as error:
            problem = error
            continue
        try:
            _write(folder, "memory.max", limits.memory_mib << 20)
            with contextlib.suppress(FileNotFoundError):  # a kernel without swap accounting
                _write(folder, "memory.swap.max", 0)
            _write(folder, "pids.max", limits.processes + OWN_PROCESSES)
            _write(folder, "cpu.max", f"{PERIOD} {PERIOD}")
        except OSError as error:
            problem = error
            _gone(folder)
            continue
        return Group((folder,), folder, str(ROOT))
    raise problem


def _delegate(parent: Path) -> None:
    enabled = (parent / "cgroup.subtree_control").read_text().split()
    missing = [name for name in CONTROLLERS if name not in enabled]
    if missing:
        _write(parent, "cgroup.subtree_control", " ".join(f"+{name}" for name in missing))


def _first(name: str, limits: SandboxLimits) -> Group:
    parents = _parents_of_first()
    if missing := set(CONTROLLERS) - parents.keys():
        raise FileNotFoundError(f"no controller {', '.join(sorted(missing))}")
    folders = {controller: parents[controller] / name for controller in CONTROLLERS}
    made = tuple(dict.fromkeys(folders.values()))  # controllers may share a hierarchy
    try:
        for folder in made:
            folder.mkdir()
        size = limits.memory_mib << 20
        _write(folders["memory"], "memory.limit_in_bytes", size)
        with contextlib.suppress(FileNotFoundError):
            _write(folders["memory"], "memory.memsw.limit_in_bytes", size)
        _write(folders["pids"], "pids.max", limits.processes + OWN_PROCESSES)
        _write(folders["cpu"], "cpu.cfs_period_us", PERIOD)
        _write(folders["cpu"], "cpu.cfs_quota_us", PERIOD)
    except OSError:
        for folder in made:
            _gone(folder)
        raise
    return Group(made, folders["memory"], str(ROOT / "memory"))


def _parents_of_second() -> list[Path]:
    """Our own group, which can have children if it is the root, and the one above."""
    own = _own_groups().get("")
    if own is None or not (ROOT / "cgroup.controllers").exists():
        return []
    folder = ROOT / own.lstrip("/")
    return [folder] if folder == ROOT else [folder, folder.parent]


def _parents_of_first() -> dict[str, Path]:
    """controller -> our own group in its hierarchy."""
    found = {}
    for names, own in _own_groups().items():
        folder = ROOT / names / own.lstrip("/")
        if folder.is_dir():
            found |= {name: folder for name in names.split(",") if name in CONTROLLERS}
    return found


def _own_groups() -> Mapping[str, str]:
    """Names of the controllers of a hierarchy ("" for version 2) -> our path in it."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        return {names: own for _, names, own in (line.split(":", 2) for line in lines)}
    return {}


def _write(folder: Path, name: str, value: object) -> None:
    # Not created when it is missing: these are files of the kernel.
    handle = os.open(folder / name, os.O_WRONLY)
    try:
        os.write(handle, str(value).encode())
    finally:
        os.close(handle)


def _gone(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
