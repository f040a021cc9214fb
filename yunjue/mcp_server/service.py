"""Answers a client's requests: lists tools, calls them in the sandbox, solves tasks."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any
from weakref import WeakSet

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ToolsListChanged
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from yunjue import __version__
from yunjue.agent.approval import rules_of, unattended
from yunjue.agent.run import RunResult, solve
from yunjue.agent.told import told
from yunjue.agent.views import outcome_text
from yunjue.config import Settings
from yunjue.errors import YunjueError
from yunjue.events import Event
from yunjue.grants import GrantedSandbox, call_of
from yunjue.library.library import Library
from yunjue.library.open import open_library
from yunjue.mcp_server.catalog import SOLVE, is_served, page
from yunjue.protocols import Sandbox
from yunjue.sandbox.select import opened_sandbox
from yunjue.types import CallOutcome, Tool

MOST_CALLS = 4
"""Calls that run at once."""
MOST_WAITING = 64
"""Calls that wait their turn; more are told to come again."""
ARGUMENT_BYTES = 1 << 20
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the library has changed."""

INSTRUCTIONS = (
    "Each tool is a small program that was proven on cases before it was kept; it runs in a "
    "sandbox. `solve` answers a task in words and adds the tools it needs."
)


class Service:
    """What is behind one server, for all its clients. Made by :func:`opened_service`.

    Args:
        only: names of the tools to serve; empty for all.
        solving: offer ``solve``.
        warn: told what is wrong but does not stop the service.
    """

    def __init__(
        self,
        settings: Settings,
        library: Library,
        sandbox: Sandbox,
        *,
        only: frozenset[str],
        solving: bool,
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._library = library
        self._sandbox = sandbox
        self._only = only
        self._solving = solving
        self._warn = warn
        self._name = f"mcp-{secrets.token_hex(6)}"
        self._numbers = count(1)
        self._turns = asyncio.Semaphore(MOST_CALLS)
        self._solving_turn = asyncio.Lock()
        self._waiting = 0
        self._connections: WeakSet[Any] = WeakSet()
        self._bus = InMemorySubscriptionBus()

    def server(self) -> Server:
        """A protocol server that answers from this service."""
        return _Server(
            "yunjue",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_subscriptions_listen=ListenHandler(self._bus),
        )

    async def watch(self) -> None:
        """Tell clients when the library changes; never returns."""
        seen = await self._changes()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            latest = await self._changes()
            if latest not in (seen, None):
                seen = latest
                await self._tell_changed()

    async def _changes(self) -> int | None:
        try:
            return await asyncio.to_thread(self._library.latest)
        except YunjueError as error:
            self._warn(f"The library could not be read: {error.message}")
            return None

    async def _tell_changed(self) -> None:
        await self._bus.publish(ToolsListChanged())
        for connection in list(self._connections):
            try:
                await connection.send_tool_list_changed()
            except Exception:  # the client is gone; however that shows
                self._connections.discard(connection)

    async def _list(
        self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:  # those listen for it
            # A session is of one request; what it belongs to has no public name.
            self._connections.add(ctx.session._connection)
        cursor = (params.cursor if params else None) or ""
        return await asyncio.to_thread(page, self._library, cursor, self._only, self._solving)

    async def _call(
        self, ctx: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        if self._waiting >= MOST_WAITING:
            return _refused("The server is busy; call again later.")
        inputs = params.arguments or {}
        self._waiting += 1
        try:
            if _size(inputs) > ARGUMENT_BYTES:
                return _refused(f"The arguments have more than {ARGUMENT_BYTES} bytes.")
            if self._solving and params.name == SOLVE.name:
                return await self._solve(ctx, inputs)
            return await self._call_tool(params.name, inputs)
        except YunjueError as error:
            return _refused(f"{error.message} {error.hint}".strip())
        finally:
            self._waiting -= 1

    async def _call_tool(self, name: str, inputs: dict[str, Any]) -> CallToolResult:
        tool = None
        if is_served(name, self._only, self._solving):
            tool = await asyncio.to_thread(self._library.find, name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool named {name[:100]!r}.")
        unknown = sorted(set(inputs) - set(tool.input_schema.get("properties", {})))
        if unknown:
            return _refused(f"ERROR (wrong inputs): {tool.name} has no input {unknown[0][:100]!r}")
        decision = await asyncio.to_thread(
            lambda: unattended(tool, inputs, rules_of(self._settings))
        )
        if not decision.approved:
            return _refused(
                f"ERROR (not allowed): {decision.words or 'The user does not want it.'}"
            )
        inputs = dict(decision.inputs) if decision.inputs is not None else inputs
        # The tool's own InputModel checks the inputs, in the sandbox: a schema may hold a
        # pattern that takes for ever, and here nothing bounds it.
        job = replace(call_of(tool, inputs, self._settings), warm=True)
        async with self._turns:
            outcome = (await self._sandbox.call(job))[0]
        await asyncio.to_thread(self._record, tool, outcome, inputs)
        if outcome.status != "ok":
            return _refused(outcome_text(outcome))
        return CallToolResult(content=[_text(outcome.output)], structured_content=outcome.output)

    def _record(self, tool: Tool, outcome: CallOutcome, inputs: dict[str, Any]) -> None:
        try:
            move = self._library.record_call(
                self._name, f"call-{next(self._numbers)}", tool.id, outcome, inputs
            )
        except YunjueError as error:
            self._warn(f"A call of {tool.name} is not recorded: {error.message}")
            return
        if move:
            self._warn(f"{tool.name} is now {move.status}: {move.why}")

    async def _solve(
        self, ctx: ServerRequestContext[Any], inputs: dict[str, Any]
    ) -> CallToolResult:
        task = inputs.get("task")
        if not isinstance(task, str) or set(inputs) != {"task"}:
            return _refused("ERROR (wrong inputs): solve takes one string, task.")
        lines: asyncio.Queue[str] = asyncio.Queue()

        def see(event: Event) -> None:
            if line := told(event):
                lines.put_nowait(line)

        async with self._solving_turn:
            telling = asyncio.create_task(_tell_progress(ctx.session, lines))
            try:
                result = await solve(task, self._settings, subscribers=(see,))
            finally:
                telling.cancel()
        shown = {name: getattr(result, name) for name in SOLVE.output_schema["properties"]}
        return CallToolResult(
            content=[TextContent(type="text", text=_answer(result))],
            structured_content=shown,
            is_error=result.status != "solved",
        )


@asynccontextmanager
async def opened_service(
    settings: Settings, *, only: frozenset[str], solving: bool, warn: Callable[[str], None]
) -> AsyncIterator[Service]:
    """A service with its library and sandbox, which watches the library.

    Raises:
        SandboxUnavailable: no sandbox works here.
        LibraryError: the library is damaged.
    """
    async with opened_sandbox(settings, warn) as sandbox:
        library = open_library(settings, warn)
        granted = GrantedSandbox(sandbox, settings)
        service = Service(settings, library, granted, only=only, solving=solving, warn=warn)
        watching = asyncio.create_task(service.watch())
        try:
            yield service
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            library.close()


class _Server(Server):
    """A server that says that its list of tools changes, over HTTP too."""

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *more: Any, **named: Any
    ) -> InitializationOptions:
        changing = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(changing, *more, **named)


async def _tell_progress(session: ServerSession, lines: asyncio.Queue[str]) -> None:
    for number in count(1):
        await session.report_progress(number, message=await lines.get())


def _answer(result: RunResult) -> str:
    if result.status == "solved":
        return result.answer
    guess = f" Its best guess: {result.answer}" if result.answer else ""
    return f"No answer was found that holds.{guess} The run is {result.run}."


def _size(inputs: dict[str, Any]) -> int:
    return len(json.dumps(inputs, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _text(output: dict[str, Any] | None) -> TextContent:
    return TextContent(type="text", text=json.dumps(output, ensure_ascii=False))


def _refused(why: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=why)], is_error=True)
