"""A connection to one server: bounded in time and size, and held to what it said before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from yunjue import __version__, keys
from yunjue.errors import UsageError, YunjueError
from yunjue.mcp_client.servers import McpServer, RemoteTool
from yunjue.types import CallOutcome

if TYPE_CHECKING:
    from yunjue.mcp_client.stdio import Program

CONNECT_SECONDS = 20.0
MOST_TOOLS = 200
SCHEMA_BYTES = 20_000
RESULT_BYTES = 262_144
"""As of a tool in the sandbox."""


class ServerUnreachable(YunjueError):
    """The server does not start, does not answer, or does not speak the protocol."""


class Connection:
    """An open connection; made by :func:`connected`.

    Attributes:
        tools: what the server says it has now.
        skipped: name -> why a tool of it cannot be used.
    """

    def __init__(self, server: McpServer, client: Any, program: Program | None) -> None:
        self._server = server
        self._program = program
        self._client = client
        self.tools: dict[str, RemoteTool] = {}
        self.destructive: set[str] = set()
        self.skipped: dict[str, str] = {}

    async def list(self) -> None:
        """Ask for the tools, and fill the attributes."""
        cursor, asked = None, set()
        while True:
            page = await self._client.list_tools(cursor=cursor, cache_mode="bypass")
            for listed in page.tools:
                self._take(listed)
            cursor = page.next_cursor
            if not cursor or cursor in asked or len(self.tools) >= MOST_TOOLS:
                return
            asked.add(cursor)

    def _take(self, listed: Any) -> None:
        tool = RemoteTool(
            name=listed.name,
            description=listed.description or "",
            input_schema=listed.input_schema,
            output_schema=listed.output_schema,
        )
        if len(self.tools) >= MOST_TOOLS:
            self.skipped[listed.name] = f"a server may have {MOST_TOOLS} tools"
        elif problem := _unusable(tool):
            self.skipped[listed.name] = problem
        else:
            self.tools[listed.name] = tool
            if listed.annotations and listed.annotations.destructive_hint:
                self.destructive.add(listed.name)

    async def call(self, tool: RemoteTool, inputs: dict[str, Any]) -> CallOutcome:
        """Call the tool, if it still is what it was when it was added. Never raises for what
        the server does."""
        now = self.tools.get(tool.name)
        if now is None or now.id != tool.id:
            what = "has no such tool any more" if now is None else "changed what it says of it"
            return _failed(
                "changed",
                f"The server {self._server.name} {what}; "
                f"`yunjue mcp refresh {self._server.name}` shows the change and accepts it.",
            )
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._server.seconds):
                result = await self._client.call_tool(tool.name, inputs)
        except TimeoutError:
            return _failed("timeout", f"No answer within {self._server.seconds:g} s.")
        except Exception as error:  # whatever the server made of it
            if self._program and self._program.flooded:
                said = "It sent a message that is far too long, and was stopped."
                return _failed("output_too_large", said)
            return _failed("unreachable", _said(error))
        outcome = _outcome(result)
        return outcome.model_copy(update={"seconds": loop.time() - started})


@asynccontextmanager
async def connected(server: McpServer) -> AsyncIterator[Connection]:
    """A connection to ``server``, with its tools listed.

    Raises:
        ServerUnreachable: it cannot be used; says why.
        UsageError: a secret it is to get has no value.
    """
    from mcp import Client
    from mcp_types import Implementation

    from yunjue.mcp_client.stdio import Program

    name = f"The MCP server {server.name}"
    info = Implementation(name="yunjue", version=__version__)
    program = None
    if server.command:
        program = Program(server.command, {one: _secret(one) for one in server.secrets})
        transport = program.transport()
    else:
        transport = _http(server)
    # One task enters and leaves; the block may run as long as it likes.
    try:
        async with asyncio.timeout(CONNECT_SECONDS) as opening:
            async with Client(transport, client_info=info, cache=None) as client:
                connection = Connection(server, client, program)
                await connection.list()
                opening.reschedule(None)
                yield connection
    except TimeoutError:
        raise ServerUnreachable(f"{name} did not answer within {CONNECT_SECONDS:g} s.") from None
    except YunjueError:
        raise
    except Exception as error:
        raise ServerUnreachable(f"{name} cannot be used: {_said(error)}") from error


@asynccontextmanager
async def _http(server: McpServer) -> AsyncIterator[Any]:
    """How the protocol's client reaches the server's address."""
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    headers = {"Authorization": f"Bearer {_secret(server.token)}"} if server.token else None
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(server.url, http_client=http) as streams,
    ):
        yield streams


def _secret(name: str) -> str:
    value = keys.secret(name)
    if value is None:
        raise UsageError(
            f"The secret {name} has no value.", hint=f"`yunjue keys set {name.lower()}` stores one."
        )
    return value


def _unusable(tool: RemoteTool) -> str:
    """Why a model cannot be asked to call the tool, or ""."""
    schema = tool.input_schema
    text = json.dumps([schema, tool.output_schema])
    if len(text) > SCHEMA_BYTES:
        return f"its schemas have more than {SCHEMA_BYTES} characters"
    if schema.get("type") != "object" or not isinstance(schema.get("properties", {}), dict):
        return "its input schema is not that of an object"
    if not all(isinstance(one, dict) for one in schema.get("properties", {}).values()):
        return "its input schema is not that of an object"
    if any(not ref.startswith("#/") for ref in _references(schema)):
        return "its input schema refers to another document"
    return ""


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for entry in value.values() for ref in _references(entry)]
    if isinstance(value, list):
        return [ref for entry in value for ref in _references(entry)]
    return []


def _outcome(result: Any) -> CallOutcome:
    texts = [block.text if block.type == "text" else f"[{block.type}]" for block in result.content]
    text = "\n".join(texts)
    if result.is_error:
        return _failed("raised", text or "The tool failed and does not say why.")
    structured = result.structured_content
    output = structured if isinstance(structured, dict) and structured else {"result": text}
    if len(json.dumps(output, ensure_ascii=False)) > RESULT_BYTES:
        return _failed("output_too_large", f"The result has more than {RESULT_BYTES} characters.")
    return CallOutcome(status="ok", output=output)


def _failed(reason: str, error: str) -> CallOutcome:
    return CallOutcome(status="failed", reason=reason, error=error[:2000])


def _said(error: BaseException) -> str:
    """The innermost of the errors that task groups wrap, in one line."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
