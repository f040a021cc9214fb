"""The way out of one sandbox: a proxy behind a socket in a folder that is mounted in it.

The sandbox has no network of its own. In it, a forwarder (:mod:`yunjue.sandbox.forwarder`)
takes connections on the loopback and passes them to the socket; a tool that goes to the
socket itself finds the same proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from yunjue.errors import SandboxError
from yunjue.sandbox.proxy import Proxy
from yunjue.types import Visit

MOUNT = "/network"
"""Where the folder is mounted in the sandbox."""
SOCKET, AUTHORITIES = "proxy.sock", "ca.pem"
ANSWER_SECONDS = 30.0
"""Longest the proxy may take to begin or end a call; it is our own code."""

Result = TypeVar("Result")


class Gate:
    """A running proxy.

    Attributes:
        folder: holds its socket, and the certificate authorities this host trusts.
    """

    def __init__(self, grants: Sequence[str], folder: Path) -> None:
        self.folder = folder
        self._proxy = Proxy(grants)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def begin(self) -> None:
        """A call begins."""
        self._ask(self._proxy.begin())

    def end(self) -> list[Visit]:
        """The call is over; where it went."""
        return self._ask(self._proxy.end())

    def open(self) -> None:
        """Listen, for whoever finds the socket: the sandbox's user is somebody else."""
        listening = socket.socket(socket.AF_UNIX)
        folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        try:
            path = f"/proc/self/fd/{folder}/{SOCKET}"  # short, however long the folder's is
            listening.bind(path)
            os.chmod(path, 0o666)  # noqa: S103 - the folder around it is closed
        except OSError:
            listening.close()
            raise
        finally:
            os.close(folder)
        self._thread.start()
        self._server = self._ask(asyncio.start_unix_server(self._proxy.serve, sock=listening))

    def close(self) -> None:
        """Cut all connections and stop."""
        if self._thread.is_alive():
            self._ask(self._proxy.end())
            if self._server:
                self._loop.call_soon_threadsafe(self._server.close)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _ask(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(ANSWER_SECONDS)


@contextlib.contextmanager
def gate(grants: Sequence[str], parent: Path) -> Iterator[Gate | None]:
    """A gate to what ``grants`` allow, with a new folder under ``parent``; None without.

    Raises:
        SandboxError: the host does not let us listen.
    """
    if not grants:
        yield None
        return
    parent.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix="job-", dir=parent))  # nobody else may enter it
    try:
        folder = outer / "network"
        folder.mkdir()
        opened = Gate(grants, folder)
        try:
            authorities = ssl.get_default_verify_paths().cafile or _shipped_authorities()
            shutil.copyfile(authorities, folder / AUTHORITIES)
            (folder / AUTHORITIES).chmod(0o644)
            opened.open()
            folder.chmod(0o755)
        except OSError as error:
            opened.close()
            raise SandboxError(f"The way to the network cannot be opened: {error}.") from error
        try:
            yield opened
        finally:
            opened.close()
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _shipped_authorities() -> str:
    import certifi

    return certifi.where()
