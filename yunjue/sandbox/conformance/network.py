"""Probes of the network, and of the ways between processes that look like one."""

from __future__ import annotations

import contextlib
import ctypes
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

from yunjue.sandbox.conformance.probe import Given, Probe, returned

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


@contextlib.contextmanager
def two_servers() -> Iterator[dict[str, Any]]:
    """Two servers on the host's loopback that answer everything; one is to be granted."""
    with answering() as granted, answering() as other:
        yield {"granted": granted, "other": other}


@contextlib.contextmanager
def answering() -> Iterator[int]:
    """The port of a server on the host's loopback that answers everything with `fine`."""

    class Answer(socketserver.StreamRequestHandler):
        timeout = 5

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.rfile.readline()
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def to_the_granted(given: Given) -> list[str]:
    return [f"127.0.0.1:{given['granted']}", "*"]


ASK = """
def ask(request, way):
    if isinstance(way, str):
        one = socket.socket(socket.AF_UNIX)
    else:
        one = socket.socket()
    with one:
        one.settimeout(3)
        try:
            one.connect(way)
            one.sendall(request.encode())
            said = one.recv(4096)
            if request.startswith("CONNECT") and b" 200" in said.split(b"\\r\\n")[0]:
                one.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            while b"fine" not in said:
                part = one.recv(4096)
                if not part:
                    break
                said += part
            return said
        except OSError:
            return b""

def connect(place):
    return "CONNECT %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % place

def get(place):
    return "GET http://%s/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % place

loopback = ("127.0.0.1", int(os.environ.get("HTTP_PROXY", "http://x:1").rsplit(":", 1)[1]))
ways = [loopback, "/network/proxy.sock"]
"""

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
    Probe(
        "no proxy is there without a grant",
        "network",
        """
        found = [name for name in os.environ if "proxy" in name.lower()]
        if os.path.exists("/network"):
            found += os.listdir("/network")
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            if os.path.exists(table):
                lines = open(table).read().splitlines()[1:]
                found += [line.split()[1] for line in lines if line.split()[3] == "0A"]  # listens
        return OutputModel(result=found)
        """,
        returned([]),
    ),
    Probe(
        "a granted host is reached, through the proxy alone",
        "network",
        ASK
        + """
granted = "127.0.0.1:%d" % input.given["granted"]
found = [b"fine" in ask(request(granted), way) for way in ways for request in (connect, get)]
try:
    socket.create_connection(("127.0.0.1", input.given["granted"]), 0.5).close()
    found.append("directly")
except OSError:
    pass
return OutputModel(result=found)
""",
        returned([True] * 4),
        host=two_servers,
        network=to_the_granted,
    ),
    Probe(
        "no host without a grant is reached",
        "network",
        ASK
        + """
other = input.given["other"]
places = ["127.0.0.1:%d" % other, "localhost:%d" % other, "[::1]:%d" % other, "0.0.0.0:%d" % other,
          "[::ffff:127.0.0.1]:%d" % other, "127.1:%d" % other, "2130706433:%d" % other,
          "localhost:80", "169.254.169.254:80", "[fd00:ec2::254]:80", "[64:ff9b::7f00:1]:80",
          "127.0.0.1:%d" % (input.given["granted"] ^ 1), "metadata.google.internal:80"]
for way in ways:
    for place in places:
        for request in (connect, get):
            said = ask(request(place), way)
            if b"fine" in said or b" 200 " in said[:20]:
                return OutputModel(result=place)
return OutputModel(result="refused")
""",
        returned("refused"),
        host=two_servers,
        network=to_the_granted,
    ),
    Probe(
        "no way round the proxy with a grant",
        "network",
        """
        reached = [name for _, name in socket.if_nameindex() if name != "lo"]
        for host, port in (("1.1.1.1", 53), ("169.254.169.254", 80), ("172.17.0.1", 80),
                           ("127.0.0.1", input.given["other"]),
                           ("0.0.0.0", input.given["other"])):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                if kind == socket.SOCK_DGRAM and host.startswith(("127", "0")):
                    continue  # the loopback takes them, and nobody is there
                try:
                    with socket.socket(socket.AF_INET, kind) as one:
                        one.settimeout(1)
                        one.connect((host, port))
                        reached.append(host)
                except OSError:
                    pass
        for path in ("/network/new", "/network/proxy.sock.new"):
            try:
                open(path, "w").close()
                reached.append(path)
            except OSError:
                pass
        for change in (os.unlink, lambda path: os.chmod(path, 0)):
            try:
                change("/network/proxy.sock")
                reached.append("the socket was changed")
            except OSError:
                pass
        try:
            socket.getaddrinfo("example.com", 80)
            reached.append("a name server")
        except OSError:
            pass
        return OutputModel(result=reached)
        """,
        returned([]),
        host=two_servers,
        network=to_the_granted,
    ),
]
