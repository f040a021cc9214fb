"""The parts of a filtering HTTP proxy: what it reads, what it passes on, how it refuses.

It takes ``CONNECT host:port`` (for TLS, which it does not look into) and plain requests for
``http://`` addresses. Who uses the parts looks each name up itself and connects to the very
address it has checked, so that no name server can lead it elsewhere.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple

import h11

from yunjue.hosts import canonical, split

HEAD_BYTES = 16_384
"""Bytes of a head after which no more of it is read; that many may come at once."""
HEAD_SECONDS = 10.0
"""For the head of a request, and for the look-up of a name."""
CHUNK = 65_536

HOP_BY_HOP = {
    *(b"connection", b"proxy-connection", b"keep-alive", b"proxy-authorization", b"te"),
    *(b"proxy-authenticate", b"trailer", b"upgrade", b"expect", b"host"),
}
"""Headers for the next hop alone; ``Host`` is made anew of what was checked."""

_ABSOLUTE = re.compile(r"http://([^/?#]+)([^#]*)\Z", re.IGNORECASE)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Count = Callable[[int], None]


class Place(NamedTuple):
    """A canonical host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Refused(Exception):
    """The request goes nowhere, or no further; status and reason are for the client."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Exchange:
    """What passes between a client and a host, once they are connected.

    Args:
        down, up: the streams of both.
        sent, received: told the bytes of each piece; may raise to end it.
    """

    def __init__(
        self, down: Streams, up: Streams, place: Place, sent: Count, received: Count
    ) -> None:
        self._place, self._sent, self._received = place, sent, received
        self._down_reader, self._down_writer = down
        self._up_reader, self._up_writer = up

    async def tunnel(self, down: h11.Connection) -> None:
        """Bytes both ways, until both sides have ended."""
        down.next_event()  # the end of the request; what came after it is for the host
        self._down_writer.write(down.send(h11.Response(status_code=200, headers=[])))
        self._up_writer.write(down.trailing_data[0])
        ways = [
            asyncio.ensure_future(_pump(self._down_reader, self._up_writer, self._sent)),
            asyncio.ensure_future(_pump(self._up_reader, self._down_writer, self._received)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()

    async def forward(self, down: h11.Connection, request: h11.Request, path: bytes) -> None:
        """One request and its answer, both taken apart and put together again, so that no
        second request can hide behind the first."""
        up = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        host = str(self._place).removesuffix(":80").encode()
        headers = [(b"host", host), *_passed_on(request.headers)]
        event: h11.Event = h11.Request(method=request.method, target=path, headers=headers)
        while not isinstance(event, h11.EndOfMessage):
            await _write(self._up_writer, up, event)
            event = await _event(down, self._down_reader, self._sent)
        await _write(self._up_writer, up, event)
        event = await _event(up, self._up_reader, self._received)
        while isinstance(event, h11.InformationalResponse):
            event = await _event(up, self._up_reader, self._received)
        if isinstance(event, h11.Response):
            passed = _passed_on(event.headers)
            event = h11.Response(status_code=event.status_code, reason=event.reason, headers=passed)
        while not isinstance(event, h11.EndOfMessage):
            await _write(self._down_writer, down, event)
            event = await _event(up, self._up_reader, self._received)
        await _write(self._down_writer, down, event)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, best first. Raises OSError if it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def read_head(down: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, int]:
    """The head of a request, and how many bytes were read for it. Raises Refused."""
    sizes: list[int] = []
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            event = await _event(down, reader, sizes.append)
    except TimeoutError:
        raise Refused(408, "the request did not come in time") from None
    except h11.RemoteProtocolError as error:
        raise Refused(error.error_status_hint, "this is no HTTP request") from None
    if not isinstance(event, h11.Request):
        raise Refused(400, "this is no HTTP request")
    return event, sum(sizes)


def target(request: h11.Request) -> tuple[Place, bytes]:
    """The host and port that are asked for, and the path to ask them for."""
    text, port = request.target.decode("latin-1"), 80
    try:
        if request.method == b"CONNECT":
            authority, path, port = text, "", 0
        elif found := _ABSOLUTE.match(text):
            authority, path = found.groups()
        else:
            raise ValueError("only CONNECT and requests for http:// addresses are taken")
        host, own_port = split(authority)
        place = Place(canonical(host), own_port or port)
        if not place.port:
            raise ValueError("the port is missing")
    except ValueError as error:
        raise Refused(400, str(error)) from None
    return place, (path if path.startswith("/") else f"/{path}").encode("latin-1")


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers for the other end; each connection serves one request."""
    headers = list(headers)
    named = b",".join(value for name, value in headers if name == b"connection")
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}
    kept = [(name, value) for name, value in headers if name not in dropped]
    return [*kept, (b"connection", b"close")]


def refusal(refused: Refused) -> bytes:
    """An answer whose reason phrase, which clients show, says why."""
    why = refused.why.encode("ascii", "replace")[:300]
    head = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\n" % (refused.status, why)
    return head + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b\n" % (len(why) + 1, why)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Count) -> None:
    while data := await reader.read(CHUNK):
        count(len(data))
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _event(
    connection: h11.Connection, reader: asyncio.StreamReader, count: Count
) -> h11.Event:
    """The next event of the other side. Raises h11.ProtocolError, also at an early end."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        data = await reader.read(HEAD_BYTES)
        count(len(data))
        connection.receive_data(data)
    if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
        raise h11.RemoteProtocolError("the connection ended early")
    return event


async def _write(
    writer: asyncio.StreamWriter, connection: h11.Connection, event: h11.Event
) -> None:
    writer.write(connection.send(event) or b"")
    await writer.drain()
