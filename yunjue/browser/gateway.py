"""The browser's only way to the network: a filtering proxy on the loopback.

Playwright's own routing does not see redirects, nor what workers, prefetching and the browser
itself ask for. All of it passes through the proxy the browser was started with.
"""

from __future__ import annotations

import asyncio

import h11

from yunjue.browser.policy import Policy
from yunjue.http_proxy import (
    HEAD_BYTES,
    HEAD_SECONDS,
    Exchange,
    Place,
    Refused,
    Streams,
    read_head,
    refusal,
    resolve,
    target,
)

CONNECT_SECONDS = 10.0
MOST_ADDRESSES = 3
"""Addresses of one name that are tried."""
MOST_OPEN = 256
"""Connections at a time; a browser makes six for each host."""
BROWSERS_OWN = frozenset({"accounts.google.com"})
"""Hosts that Chromium asks by itself, whatever its flags: refused as any, but not reported."""
NEVER = frozenset({"content-autofill.googleapis.com"})
"""Hosts that no page asks and Chromium does, to tell what forms a page has: not even where all
that is public is allowed."""
MOST_REFUSALS = 20
"""Kept for :meth:`Gateway.refusals`; a page may try without end."""


class Gateway:
    """Serves one browser.

    Attributes:
        address: ``http://127.0.0.1:PORT``, after :meth:`open`.
    """

    def __init__(self, policy: Policy) -> None:
        self.address = ""
        self._policy = policy
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._refused: dict[str, None] = {}

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Cut all connections; may be called twice."""
        if self._server:
            self._server.close()
        left = list(self._open)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def refusals(self) -> list[str]:
        """What was kept back since the last call, each once, with the reason."""
        found, self._refused = list(self._refused), {}
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._one(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        except (Refused, OSError, h11.ProtocolError):
            pass  # the browser sees that the connection ends
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        try:
            if len(self._open) > MOST_OPEN:
                raise Refused(503, f"more than {MOST_OPEN} connections at a time")
            request, _ = await read_head(down, reader)
            place, path = target(request)
            tunnelled = request.method == b"CONNECT"
            up = await self._connect(place, None if tunnelled else "http")
        except Refused as refused:
            writer.write(refusal(refused))
            await writer.drain()
            return
        try:
            exchange = Exchange((reader, writer), up, place, _ignore, _ignore)
            if tunnelled:
                await exchange.tunnel(down)
            else:
                await exchange.forward(down, request, path)
        except asyncio.CancelledError:
            up[1].transport.abort()
            raise
        finally:
            up[1].close()

    async def _connect(self, place: Place, scheme: str | None) -> Streams:
        if place.host in NEVER:
            raise Refused(403, f"{place} is never asked")
        if why := self._policy.why_not(scheme, place.host, place.port):
            raise self._refuse(403, why, place.host not in BROWSERS_OWN)
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                found = await resolve(*place)
        except OSError:
            raise Refused(502, f"{place} is a name without an address") from None
        addresses = [one for one in found if self._policy.address_allowed(*place, one)]
        if not addresses:
            why = f"{place} leads to a private address, which this run may not reach"
            raise self._refuse(403, why)
        for address in addresses[:MOST_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(address, place.port)
            except OSError:  # a timeout is one too
                continue
        raise Refused(502, f"{place} cannot be reached")

    def _refuse(self, status: int, why: str, told: bool = True) -> Refused:
        if told and len(self._refused) < MOST_REFUSALS:
            self._refused[why] = None
        return Refused(status, why)


def _ignore(size: int) -> None:
    """Bytes are not counted here."""
