"""Talks to a server over its stdin and stdout, a JSON message a line, none too long.

The protocol's library has such a transport; it keeps whatever a server writes until a line
ends, however long that takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

MESSAGE_BYTES = 8 << 20
END_SECONDS = 2.0
"""What the program gets to end by itself, and again after it was asked to."""


class Program:
    """The server's program. Its attribute ``flooded`` says that it was stopped for a message
    of more than :data:`MESSAGE_BYTES`."""

    def __init__(self, command: Sequence[str], secrets: Mapping[str, str]) -> None:
        self._command = command
        self._secrets = secrets
        self.flooded = False

    @contextlib.asynccontextmanager
    async def transport(self) -> AsyncIterator[tuple[Any, Any]]:
        """Start it: streams of messages from it and to it. It is gone at the end.

        Raises:
            OSError: it cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            # PATH, HOME and the like, and what it was given.
            env={**get_default_environment(), **self._secrets},
            start_new_session=True,
            limit=MESSAGE_BYTES,
        )
        heard, incoming = anyio.create_memory_object_stream[Any](0)
        outgoing, told = anyio.create_memory_object_stream[Any](0)
        tasks = [
            asyncio.create_task(self._listen(process, heard)),
            asyncio.create_task(_tell(process, told, heard)),
        ]
        try:
            yield incoming, outgoing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for stream in (heard, incoming, outgoing, told):
                stream.close()
            await asyncio.shield(_end(process))

    async def _listen(self, process: Process, heard: Any) -> None:
        async with heard:
            while True:
                try:
                    line = await process.stdout.readline()
                except ValueError:  # longer than the limit
                    self.flooded = True
                    _kill(process, signal.SIGKILL)
                    return
                if not line:
                    return
                try:
                    parsed = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    message: SessionMessage | Exception = SessionMessage(parsed)
                except ValueError as error:
                    message = error
                try:
                    await heard.send(message)
                except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                    return


async def _tell(process: Process, told: Any, heard: Any) -> None:
    try:
        async for message in told:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except (OSError, anyio.ClosedResourceError):
        await heard.aclose()  # nobody listens there: who waits for an answer must not


async def _end(process: Process) -> None:
    """Close its stdin and wait; then ask it, and all it started, to end; then kill them."""
    process.stdin.close()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            _kill(process, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
            break
    _kill(process, signal.SIGKILL)  # what it left behind
    process._transport.close()


def _kill(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
