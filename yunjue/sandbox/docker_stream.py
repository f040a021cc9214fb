"""A runner in a container, over the engine's attach connection."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from yunjue.sandbox.session import Broken, Stream

_STDOUT = 1
_GONE = "the sandbox was killed by the tool"


class DockerStream(Stream):
    """Reads the engine's frames: 1 byte of stream, 3 of nothing, 4 of length, then bytes.

    Nobody reads the connection between two calls, and a full one wedges the engine's own
    commands on the container: so it is closed before anything else in :meth:`end`.

    Args:
        attached: what the SDK's ``attach_socket`` returned, before the start.
        remove: removes the container, told whether its output has ended, and says why
            its program died.
    """

    def __init__(self, attached: Any, remove: Callable[[bool], str], stop: threading.Event) -> None:
        super().__init__(stop)
        self._attached = attached  # closing it closes the HTTP response too
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(0.0)
        self._remove = remove
        self._header = b""
        self._left = 0  # bytes of the current engine frame still to come
        self._is_stdout = False
        self._gone = self._ended = False

    def _write(self, data: memoryview, seconds: float) -> int:
        if not select.select([], [self._socket], [], seconds)[1]:
            return 0
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Broken("crashed", _GONE) from error

    def _read(self, seconds: float) -> bytes | None:
        pending = getattr(self._socket, "pending", lambda: 0)()  # TLS has its own buffer
        if not pending and not select.select([self._socket], [], [], seconds)[0]:
            return None
        wanted = min(self._left, 65536) or 8 - len(self._header)
        try:
            part = self._socket.recv(wanted)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Broken("crashed", _GONE) from error
        if not part:
            self._gone = True
            raise Broken("crashed", _GONE)
        if self._left:
            self._left -= len(part)
            return self._payload(part)
        self._header += part
        if len(self._header) == 8:
            kind, self._left = struct.unpack(">BxxxI", self._header)
            self._is_stdout, self._header = kind == _STDOUT, b""
        return None

    def _payload(self, part: bytes) -> bytes | None:
        if self._is_stdout:
            return part
        self.errors = (self.errors + part)[-4096:]
        return None

    def end(self) -> str:
        if self._ended:
            return "crashed"
        self._ended = True
        for end in (self._attached, self._socket):
            with contextlib.suppress(OSError):
                end.close()
        return self._remove(self._gone)
