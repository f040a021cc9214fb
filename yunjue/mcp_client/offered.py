"""What the added servers offer one run: tools to find, and calls to make."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from yunjue.errors import YunjueError
from yunjue.mcp_client.connection import Connection, connected
from yunjue.mcp_client.servers import McpServer, as_tool
from yunjue.types import CallOutcome, Tool

Similar = Callable[[str, Sequence[str]], list[float] | None]
"""A query and texts -> the cosine of each with the query; None without an embedder."""


class RemoteTools:
    """The tools of some servers. A server is started, or connected to, when one of its tools
    is called; finding them needs only what is kept of them.

    Args:
        servers: see :func:`yunjue.mcp_client.servers.added`.
        similar: ranks the tools for a query.
    """

    def __init__(self, servers: Sequence[McpServer], similar: Similar) -> None:
        self._servers = {server.name: server for server in servers}
        self._similar = similar
        self._tools = [
            as_tool(server, name, tool)
            for server in servers
            for name, tool in server.offered().items()
        ]
        self._lines: dict[str, _Line] = {}

    def search(self, query: str, most: int) -> list[tuple[Tool, float | None]]:
        """The tools that fit best, best first, each with its cosine."""
        if not self._tools:
            return []
        texts = [f"{tool.name.replace('_', ' ')}\n{tool.description}" for tool in self._tools]
        scores = self._similar(query, texts) or [None] * len(texts)
        ranked = sorted(zip(self._tools, scores, strict=True), key=lambda pair: -(pair[1] or 0.0))
        return ranked[:most]

    def permissions(self, tool: Tool) -> tuple[tuple[str, ...], str]:
        """What a call of the tool needs (of :data:`yunjue.approvals.PERMISSIONS`), and where it
        runs, for a person. A server that is a program here can read what the user can."""
        server = self._servers.get(tool.origin["mcp"]["server"])
        if server is None:
            return ("network",), "runs at an MCP server that was removed"
        here = ("files",) if server.command else ()
        secret = ("secrets",) if server.secrets or server.token else ()
        where = "a program on this machine" if here else server.url
        return ("network", *here, *secret), f"runs at the MCP server {server.name} ({where})"

    async def call(self, tool: Tool, inputs: dict[str, Any]) -> CallOutcome:
        """Call a tool that :meth:`search` gave; never raises for what its server does."""
        server = self._servers.get(tool.origin["mcp"]["server"])
        known = {one.name: one for one in server.tools} if server else {}
        remote = known.get(tool.origin["mcp"]["tool"])
        if server is None or remote is None:
            gone = f"The server of {tool.name} was removed, or the tool from it."
            return CallOutcome(status="failed", reason="unreachable", error=gone)
        line = self._lines.setdefault(server.name, _Line(server))
        try:
            connection = await line.connection()
        except YunjueError as error:
            return CallOutcome(status="failed", reason="unreachable", error=error.message)
        return await connection.call(remote, inputs)

    async def close(self) -> None:
        """Stop the servers that were started."""
        for line in self._lines.values():
            await line.close()


class _Line:
    """Keeps one connection open. A task of its own enters and leaves it, as the protocol's
    client wants; whoever calls may be in any task."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Connection] | None = None
        self._done = asyncio.Event()

    async def connection(self) -> Connection:
        """The connection, made at the first call. Raises as :func:`connected` does."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._hold(self._ready))
        return await asyncio.shield(self._ready)

    async def close(self) -> None:
        self._done.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _hold(self, ready: asyncio.Future[Connection]) -> None:
        try:
            async with AsyncExitStack() as stack:
                ready.set_result(await stack.enter_async_context(connected(self._server)))
                await self._done.wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
                ready.exception()  # it may be that nobody asks any more
