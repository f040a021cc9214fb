"""Who may speak to the server over HTTP."""

from __future__ import annotations

import pytest

from yunjue.mcp_server.transports import token_required


async def status(headers, kind="http") -> int | None:
    reached, sent = [], []

    async def app(scope, receive, send):
        reached.append(scope)

    async def send(message):
        sent.append(message)

    await token_required(app, "a-long-secret-token")({"type": kind, "headers": headers}, None, send)
    return 200 if reached else sent[0]["status"] if sent else None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"authorization", b"Bearer a-long-secret-token")], 200),
        ([], 401),
        ([(b"authorization", b"Bearer a-long-secret-toke")], 401),
        ([(b"authorization", b"bearer a-long-secret-token")], 401),
        ([(b"authorization", b"Basic a-long-secret-token")], 401),
        ([(b"authorization", "Bearer \u00e9".encode())], 401),
        ([(b"authorization", b"Bearer a-long-secret-token")] * 2, 401),
    ],
)
async def test_only_who_bears_the_token_is_let_in(headers, expected):
    assert await status(headers) == expected


async def test_websockets_are_not_let_in_either():
    assert await status([], "websocket") is None
