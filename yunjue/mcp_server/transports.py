"""The two ways to reach a service: stdio, and streamable HTTP on this machine alone."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from mcp.server.stdio import stdio_server

from yunjue.errors import UsageError
from yunjue.mcp_server.service import Service

HOST = "127.0.0.1"
PATH = "/mcp"
GRACE_SECONDS = 2
"""What open requests get to end in when the server is stopped."""

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


async def serve_stdio(service: Service) -> None:
    """Serve the one client at stdin and stdout until it hangs up."""
    server = service.server()
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def serve_http(
    service: Service, port: int, token: str, announce: Callable[[str], None]
) -> None:
    """Serve clients of this machine that know the token, until interrupted.

    Args:
        port: 0 for any that is free.
        announce: told the address once it is bound.

    Raises:
        UsageError: the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} cannot be used: {error.strerror}.", hint="Choose another --port."
            ) from None
        # The protocol's own checks of Host and Origin keep web pages out (DNS rebinding).
        app = token_required(service.server().streamable_http_app(host=HOST), token)
        config = uvicorn.Config(
            app, log_level="error", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
        )
        announce(f"http://{HOST}:{listening.getsockname()[1]}{PATH}")
        await uvicorn.Server(config).serve(sockets=[listening])


def token_required(app: App, token: str) -> App:
    """``app`` for requests that bear the token; 401 for all others."""
    wanted = f"Bearer {token}".encode()

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        given = [value for name, value in scope.get("headers", []) if name == b"authorization"]
        if len(given) == 1 and hmac.compare_digest(given[0], wanted):
            await app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    return guarded
