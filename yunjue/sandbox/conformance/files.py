"""Probes of the file system: what can be read, written, left behind and filled."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yunjue.protocols import SandboxLimits
from yunjue.sandbox.conformance.probe import Probe, failed, returned, within

SECRET = "a secret of the host"  # noqa: S105 - made up


@contextlib.contextmanager
def host_file() -> Iterator[dict[str, Any]]:
    """A file of the host that holds a secret, at several places of its file system."""
    with contextlib.ExitStack() as stack:
        paths = []
        for parent in {tempfile.gettempdir(), str(Path.home()), "/var/tmp"}:  # noqa: S108
            with contextlib.suppress(OSError):
                file = stack.enter_context(tempfile.NamedTemporaryFile(dir=parent))
                file.write(SECRET.encode())
                file.flush()
                paths.append(file.name)
        yield {"paths": paths}


PROBES = [
    Probe(
        "files of the host cannot be read",
        "filesystem",
        """
        seen = []
        for path in input.given["paths"]:
            for start in ("", "/proc/1/root", "/proc/self/root", "/tmp/../.."):
                try:
                    seen.append(open(start + path).read())
                except OSError:
                    pass
        for path in ("/etc/shadow", "/root/.ssh", "/var/run/docker.sock", "/run/docker.sock"):
            if os.access(path, os.R_OK):
                seen.append(path)
        return OutputModel(result=seen)
        """,
        returned([]),
        host=host_file,
    ),
    Probe(
        "nothing but the scratch folder can be written",
        "filesystem",
        """
        writable = []
        for top, folders, files in os.walk("/"):
            folders[:] = [one for one in folders if top != "/" or one != "proc"]
            probe = os.path.join(top, "probe")
            try:
                open(probe, "w").close()
                writable.append(top)
            except OSError:
                pass
        return OutputModel(result=writable)
        """,
        within({"/tmp"}),  # noqa: S108 - inside the sandbox
    ),
    Probe(
        "settings of the kernel cannot be written",
        "filesystem",
        """
        written = []
        for path in ("/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern",
                     "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
                     "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs"):
            try:
                with open(path, "r+") as setting:
                    setting.write("0")
                written.append(path)
            except OSError:
                pass
        return OutputModel(result=written)
        """,
        returned([]),
    ),
    Probe(
        "memory and log of the kernel cannot be read",
        "filesystem",
        """
        read = []
        for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmem", "/dev/port",
                     "/dev/kmsg", "/proc/1/mem"):
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                if os.read(fd, 1):
                    read.append(path)
            except OSError:
                pass
        return OutputModel(result=read)
        """,
        returned([]),
    ),
    Probe(
        "only harmless devices are there",
        "filesystem",
        """
        import stat
        known = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
        others = []
        for top, folders, files in os.walk("/dev"):
            for name in files:
                mode = os.lstat(os.path.join(top, name)).st_mode
                if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and name not in known):
                    others.append(os.path.join(top, name))
        return OutputModel(result=[one for one in others if not one.startswith("/dev/pts/")])
        """,
        returned([]),
    ),
    Probe(
        "no device can be made",
        "filesystem",
        """
        import stat
        try:
            os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
        except OSError as error:
            return OutputModel(result=error.errno)
        return OutputModel(result="made")
        """,
        returned(1),
    ),
    Probe(
        "links lead nowhere",
        "filesystem",
        """
        os.symlink("/proc/1", "/tmp/one")
        os.symlink("/", "/tmp/root")
        seen = []
        for name in ("one/root/etc/shadow", "one/root/root", "one/cwd/../etc/shadow",
                     "root/etc/shadow", "root/../../../etc/shadow"):
            if os.path.exists("/tmp/" + name) and os.access("/tmp/" + name, os.R_OK):
                seen.append(name)
        return OutputModel(result=seen)
        """,
        returned([]),
    ),
    Probe(
        "bytes of the scratch folder are bounded",
        "filesystem",
        """
        for number in range(40):
            with open(f"/tmp/fill{number}", "wb") as file:
                file.write(bytes(700_000))
        return OutputModel(result="28 MB were kept")
        """,
        failed("raised"),
    ),
    Probe(
        "one file is bounded",
        "",
        """
        with open("fill", "wb") as file:
            for _ in range(40):
                file.write(bytes(1 << 20))
        return OutputModel(result="40 MB were kept")
        """,
        failed("raised"),
    ),
    Probe(
        "the number of files is bounded",
        "memory",  # each takes memory of the kernel
        """
        for number in range(10**9):
            open(f"/tmp/{number}", "w").close()
        """,
        failed("raised", "memory"),
        limits=SandboxLimits(seconds=30, memory_mib=256, scratch_mib=16),
    ),
    Probe(
        "open files are bounded",
        "",
        """
        kept = []
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        """,
        failed("raised"),
    ),
    Probe(
        "no file of the host is open",
        "filesystem",
        """
        other = []
        for fd in range(1024):
            try:
                target = os.readlink(f"/proc/self/fd/{fd}")
            except OSError:
                continue
            if not target.startswith(("pipe:", "/dev/null", "/proc/")):
                other.append(target)
        return OutputModel(result=other)
        """,
        returned([]),
    ),
    Probe(
        "traps in the scratch folder are removed",
        "",
        """
        os.makedirs("a/b")
        os.symlink("/proc/self/root", "a/link")
        open("a/b/file", "w").close()
        os.chmod("a/b", 0)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        return OutputModel(result="left")
        """,
        returned("left"),
        after="""
        left = os.listdir(".")
        return OutputModel(result="fine" if not left else left)
        """,
    ),
]
