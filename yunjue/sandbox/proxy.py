"""The filtering proxy: the only way from a sandbox to the network, run by the host.

It looks each name up itself and connects to the very address it has checked, so that no name
server can lead it elsewhere (:mod:`yunjue.http_proxy` has the parts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import h11

from yunjue.hosts import Rule, is_public
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
from yunjue.sandbox.traffic import Traffic
from yunjue.types import Visit

CONNECT_SECONDS = 5.0
MOST_ADDRESSES = 3
"""Addresses of one name that are tried, each for :data:`CONNECT_SECONDS`."""
MOST_OPEN = 32
"""Connections a call may have at a time."""


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
            request, size = await read_head(down, reader)
            self._traffic.connected()
            place, path = target(request)
            up = await self._connect(place)
            self._traffic.sent(place, size)
        except Refused as refused:
            writer.write(refusal(refused))
            await writer.drain()
            return
        try:
            exchange = Exchange(
                (reader, writer),
                up,
                place,
                lambda size: self._traffic.sent(place, size),
                lambda size: self._traffic.received(place, size),
            )
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
