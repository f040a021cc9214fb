"""The filtering proxy: the only way from a sandbox to the network, run by the host.

It takes ``CONNECT host:port`` (for TLS, which it does not look into) and plain requests for
``http://`` addresses. It looks each name up itself and connects to the very address it has
checked, so that no name server can lead it elsewhere.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterable, Sequence

import h11

from yunjue.hosts import Rule, canonical, is_public, split
from yunjue.sandbox.traffic import Place, Refused, Traffic
from yunjue.types import Visit

HEAD_BYTES = 16_384
"""Bytes of a head after which no more of it is read; that many may come at once."""
HEAD_SECONDS = 10.0
"""For the head of a request, and for the look-up of a name."""
CONNECT_SECONDS = 5.0
MOST_ADDRESSES = 3
"""Addresses of one name that are tried, each for :data:`CONNECT_SECONDS`."""
MOST_OPEN = 32
"""Connections a call may have at a time."""
CHUNK = 65_536

HOP_BY_HOP = {
    *(b"connection", b"proxy-connection", b"keep-alive", b"proxy-authorization", b"te"),
    *(b"proxy-authenticate", b"trailer", b"upgrade", b"expect", b"host"),
}
"""Headers for the next hop alone; ``Host`` is made anew of what was checked."""

_ABSOLUTE = re.compile(r"http://([^/?#]+)([^#]*)\Z", re.IGNORECASE)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Serves the calls of one sandbox, one call after the other.

    Args:
        grants: entries of an allow-list, see :class:`yunjue.hosts.Rule`.
    """

    def __init__(self, grants: Sequence[str]) -> None:
        self._grants = [Rule.parse(text) for text in grants]
        self._open: set[asyncio.Task[None]] = set()
        self._traffic = Traffic()
        self._in_call = False

    async def begin(self) -> None:
        """A call begins: nothing is counted yet."""
        self._traffic = Traffic()
        self._in_call = True

    async def end(self) -> list[Visit]:
        """The call is over: cut what it left open. Where it went."""
        await asyncio.sleep(0.01)  # what waits to be accepted belongs to this call
        self._in_call = False
        left = list(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return self._traffic.visits()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from the sandbox. Of a failure the tool sees that it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._one(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        except (Refused, OSError, h11.ProtocolError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        try:
            if not self._in_call or len(self._open) > MOST_OPEN:
                raise Refused(503, f"more than {MOST_OPEN} connections at a time")
            request, size = await _head(down, reader)
            self._traffic.connected()
            place, path = _target(request)
            up = await self._connect(place)
            self._traffic.sent(place, size)
        except Refused as refused:
            writer.write(_refusal(refused))
            await writer.drain()
            return
        try:
            exchange = _Exchange((reader, writer), up, place, self._traffic)
            if request.method == b"CONNECT":
                await exchange.tunnel(down)
            else:
                await exchange.forward(down, request, path)
        except asyncio.CancelledError:
            up[1].transport.abort()
            raise
        finally:
            up[1].close()

    async def _connect(self, place: Place) -> Streams:
        """A connection to an address that the grants allow. Raises Refused."""
        refuse = self._traffic.refuse
        rules = [rule for rule in self._grants if rule.allows(*place)]
        if not rules:
            may = ", ".join(map(str, self._grants))
            raise refuse(place, 403, f"is not among what this tool may reach: {may}")
        named = next((rule.address for rule in rules if rule.address), None)
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                found = [named] if named else await resolve(*place)
        except OSError:
            raise refuse(place, 502, "is a name without an address") from None
        addresses = found if named else [one for one in found if is_public(one)]
        if not addresses:
            raise refuse(place, 403, "leads to an address that is not public")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    up = await asyncio.open_connection(address, place.port)
            except OSError:  # a timeout is one too
                continue
            self._traffic.reached(place)
            return up
        raise refuse(place, 502, "cannot be reached")


class _Exchange:
    """What passes between a tool and a host, once they are connected."""

    def __init__(self, down: Streams, up: Streams, place: Place, traffic: Traffic) -> None:
        self._place, self._traffic = place, traffic
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

    def _sent(self, size: int) -> None:
        self._traffic.sent(self._place, size)

    def _received(self, size: int) -> None:
        self._traffic.received(self._place, size)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, best first. Raises OSError if it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _head(down: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, int]:
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


def _target(request: h11.Request) -> tuple[Place, bytes]:
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


def _refusal(refused: Refused) -> bytes:
    """An answer whose reason phrase, which clients show, says why."""
    why = refused.why.encode("ascii", "replace")[:300]
    head = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\n" % (refused.status, why)
    return head + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b\n" % (len(why) + 1, why)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]
) -> None:
    while data := await reader.read(CHUNK):
        count(len(data))
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _event(
    connection: h11.Connection, reader: asyncio.StreamReader, count: Callable[[int], None]
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
