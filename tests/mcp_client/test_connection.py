"""Real servers, well and badly behaved, over the real protocol."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from yunjue.errors import UsageError
from yunjue.mcp_client import connection
from yunjue.mcp_client.connection import ServerUnreachable, connected
from yunjue.mcp_client.offered import RemoteTools
from yunjue.mcp_client.servers import McpServer

PEER = Path(__file__).with_name("peer.py")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path))


def server(how: str = "good", **fields) -> McpServer:
    command = [sys.executable, str(PEER), how]
    return McpServer(**{"name": "weather", "command": command, "seconds": 20, **fields})


async def added(how: str = "good", **fields) -> McpServer:
    one = server(how, **fields)
    async with connected(one) as line:
        return one.model_copy(update={"tools": list(line.tools.values())})


def offered(one: McpServer) -> RemoteTools:
    return RemoteTools([one], lambda query, texts: [float(query in text) for text in texts])


def found(remote: RemoteTools, name: str):
    ((tool, score), *_) = remote.search(name, 1)
    assert (tool.name, score) == (f"weather_{name.replace(' ', '_')}", 1.0)
    return tool


async def test_tools_are_listed_found_and_called():
    remote = offered(await added())
    try:
        outcome = await remote.call(found(remote, "get forecast"), {"city": "Turin"})
        assert (outcome.status, outcome.output) == ("ok", {"sky": "clear over Turin"})
        assert outcome.seconds > 0
        outcome = await remote.call(found(remote, "say"), {"city": "Turin"})
        assert outcome.output == {"result": "You said Turin."}
        outcome = await remote.call(found(remote, "fail"), {})
        assert (outcome.status, outcome.error) == ("failed", "no such city")
    finally:
        await remote.close()


async def test_nothing_is_started_to_find_a_tool():
    one = server(command=["/no/such/program"], tools=(await added()).tools)
    remote = offered(one)
    tool = found(remote, "say")
    outcome = await remote.call(tool, {"city": "Turin"})
    assert (outcome.status, outcome.reason) == ("failed", "unreachable")
    await remote.close()


async def test_a_flood_and_a_server_that_never_answers_come_back_as_failures():
    remote = offered(await added(seconds=20))
    outcome = await remote.call(found(remote, "flood"), {})
    assert (outcome.status, outcome.reason) == ("failed", "output_too_large")
    await remote.close()
    slow = await added()
    remote = offered(slow.model_copy(update={"seconds": 0.5}))
    started = time.monotonic()
    outcome = await remote.call(found(remote, "hang"), {})
    assert (outcome.status, outcome.reason) == ("failed", "timeout")
    outcome = await remote.call(found(remote, "say"), {"city": "Turin"})
    assert outcome.status == "ok"  # the connection still works
    await remote.close()
    assert time.monotonic() - started < 30


async def test_a_server_that_was_removed_since_the_run_began():
    tool = found(offered(await added()), "say")
    outcome = await RemoteTools([], lambda query, texts: None).call(tool, {"city": "Turin"})
    assert (outcome.status, outcome.reason) == ("failed", "unreachable")


async def test_a_server_that_ends_in_a_call():
    remote = offered(await added("ends"))
    outcome = await remote.call(found(remote, "say"), {"city": "Turin"})
    assert (outcome.status, outcome.reason) == ("failed", "unreachable")
    await remote.close()


async def test_what_says_something_else_than_before_is_not_called():
    good = await added()
    changed = good.model_copy(update={"command": server("changed").command})
    remote = offered(changed)
    outcome = await remote.call(found(remote, "get forecast"), {"city": "Turin"})
    assert (outcome.status, outcome.reason) == ("failed", "changed")
    assert "mcp refresh weather" in outcome.error
    outcome = await remote.call(found(remote, "say"), {"city": "Turin"})
    assert outcome.status == "ok"
    await remote.close()


async def test_the_environment_is_not_given_away(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    monkeypatch.setenv("WEATHER_KEY", "granted-value")
    remote = offered(await added(secrets=["WEATHER_KEY"]))
    outcome = await remote.call(found(remote, "secrets"), {})
    await remote.close()
    assert "granted-value" in outcome.output["result"]
    assert "sk-hidden" not in outcome.output["result"]
    with pytest.raises(UsageError, match="OTHER_KEY"):
        await added(secrets=["OTHER_KEY"])


async def test_tools_that_cannot_be_used_are_left_out_with_a_reason():
    async with connected(server("odd")) as line:
        assert set(line.skipped) == {"elsewhere", "anything", "wide"}
        assert "another document" in line.skipped["elsewhere"]


async def test_a_list_that_never_ends_is_cut():
    async with connected(server("many")) as line:
        assert len(line.tools) == connection.MOST_TOOLS


@pytest.mark.parametrize("how", ["silent", "rude"])
async def test_what_does_not_speak_the_protocol_is_unreachable(how, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 2.0)
    with pytest.raises(ServerUnreachable):
        async with connected(server(how)):
            pass
    with pytest.raises(ServerUnreachable):
        async with connected(McpServer(name="none", url="http://127.0.0.1:9/mcp")):
            pass
