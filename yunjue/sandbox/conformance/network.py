"""Probes of the network, and of the ways between processes that look like one."""

from __future__ import annotations

import contextlib
import ctypes
import secrets
import socket
from collections.abc import Iterator
from typing import Any

from yunjue.sandbox.conformance.probe import Probe, returned

IPC_RMID, IPC_CREAT = 0, 0o1000


@contextlib.contextmanager
def host_server() -> Iterator[dict[str, Any]]:
    """A server on the host's loopback and one on an abstract socket; both only listen."""
    name = f"yunjue-probe-{secrets.token_hex(8)}"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield {"port": server.getsockname()[1], "name": name}


@contextlib.contextmanager
def host_memory() -> Iterator[dict[str, Any]]:
    """A segment of System V shared memory of the host."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = secrets.randbelow(1 << 30) + 1
    segment = libc.shmget(key, 4096, IPC_CREAT | 0o666)
    try:
        yield {"key": key}
    finally:
        if segment >= 0:
            libc.shmctl(segment, IPC_RMID, None)


PROBES = [
    Probe(
        "no interface but loopback",
        "network",
        "return OutputModel(result=[name for _, name in socket.if_nameindex() if name != 'lo'])",
        returned([]),
    ),
    Probe(
        "no way to the internet",
        "network",
        """
        reached = []
        for family, address in ((socket.AF_INET, ("1.1.1.1", 53)),
                                (socket.AF_INET, ("169.254.169.254", 80)),
                                (socket.AF_INET6, ("2606:4700:4700::1111", 53))):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    with socket.socket(family, kind) as one:
                        one.settimeout(1)
                        one.connect(address)
                        reached.append(address[0])
                except OSError:
                    pass
        return OutputModel(result=reached)
        """,
        returned([]),
    ),
    Probe(
        "no way to the host's own servers",
        "network",
        """
        reached = []
        for host in ("127.0.0.1", "0.0.0.0", "172.17.0.1", "host.docker.internal"):
            try:
                socket.create_connection((host, input.given["port"]), 0.5).close()
                reached.append(host)
            except OSError:
                pass
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect("\\0" + input.given["name"])
                reached.append("abstract")
        except OSError:
            pass
        return OutputModel(result=reached)
        """,
        returned([]),
        host=host_server,
    ),
    Probe(
        "no raw and no packet sockets",
        "network",
        """
        made = []
        for family, kind in ((2, 3), (10, 3), (17, 3), (17, 2)):
            try:
                socket.socket(family, kind, 255 if family != 17 else 0).close()
                made.append([family, kind])
            except OSError:
                pass
        return OutputModel(result=made)
        """,
        returned([]),
    ),
    Probe(
        "no vsock",
        "syscalls",
        """
        try:
            socket.socket(40, socket.SOCK_STREAM).close()
        except OSError:
            return OutputModel(result="refused")
        return OutputModel(result="made")
        """,
        returned("refused"),
    ),
    Probe(
        "no name is looked up",
        "network",
        """
        try:
            socket.getaddrinfo("example.com", 80)
        except OSError:
            return OutputModel(result="unknown")
        return OutputModel(result="known")
        """,
        returned("unknown"),
    ),
    Probe(
        "shared memory of the host is out of reach",
        "filesystem",
        """
        found = ctypes.CDLL(None, use_errno=True).shmget(input.given["key"], 0, 0)
        return OutputModel(result=found)
        """,
        returned(-1),
        host=host_memory,
    ),
    Probe(
        "no shared memory and no message queue stays",
        "filesystem",
        """
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmget(4711, 4096, 0o1666)
        libc.msgget(4711, 0o1666)
        libc.semget(4711, 1, 0o1666)
        for folder in ("/dev/shm", "/dev/mqueue"):
            try:
                open(folder + "/left", "w").close()
            except OSError:
                pass
        return OutputModel(result="tried")
        """,
        returned("tried"),
        after="""
        libc = ctypes.CDLL(None, use_errno=True)
        left = [libc.shmget(4711, 0, 0), libc.msgget(4711, 0), libc.semget(4711, 0, 0)]
        left += [0 for folder in ("/dev/shm", "/dev/mqueue") if os.path.exists(folder + "/left")]
        return OutputModel(result="fine" if left == [-1] * 3 else left)
        """,
    ),
]
