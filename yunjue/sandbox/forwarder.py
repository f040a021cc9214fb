"""In the sandbox, beside a call that may use the network: from the loopback to the proxy.

Libraries know how to reach a proxy by host and port, few by the socket that is all there is.
The runner (:mod:`yunjue.sandbox.runner`) is sent the text of this file, so it imports only
the standard library. It decides nothing: the proxy is on the host. It counts as one of
the processes that the tool may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket

PR_SET_PDEATHSIG = 1


def start(path: str) -> int:
    """Fork a process that passes connections on to the socket ``path`` until it is killed;
    the port on 127.0.0.1 at which it listens."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    if os.fork() == 0:
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            own = listening.fileno()
            os.closerange(3, own)  # the runner's pipes among them
            os.closerange(own + 1, 1024)
            asyncio.run(serve(listening, path))
        finally:
            os._exit(1)
    port = listening.getsockname()[1]
    listening.close()
    return port


def environment(port: int, authorities: str) -> dict[str, str]:
    """What tells libraries of the proxy, and which certificates to trust."""
    proxy = f"http://127.0.0.1:{port}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {**dict.fromkeys(names, proxy), **dict.fromkeys(bundles, authorities)}


async def serve(listening: socket.socket, path: str) -> None:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            up_reader, up_writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(up_writer):
                await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    async with await asyncio.start_server(one, sock=listening) as server:
        await server.serve_forever()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All bytes from one to the other, then the end."""
    while True:
        part = await reader.read(65536)
        if not part:
            break
        writer.write(part)
        await writer.drain()
    writer.write_eof()
