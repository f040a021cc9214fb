"""The served library as another program meets it: a process of its own, a real sandbox, the
protocol's own client over stdio and over HTTP; and a run that uses another's server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import story
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import ToolListChangedNotification

PEER = Path(__file__).parents[1] / "mcp_client" / "peer.py"
TOKEN = "a-token-for-the-tests"
SERVE = ["-m", "yunjue", "mcp", "serve"]

pytestmark = pytest.mark.integration


@pytest.fixture
def environment(tmp_path, home, bubblewrap_sandbox, monkeypatch):
    more = {
        "YUNJUE_HOME": str(home),
        "YUNJUE_LIBRARY": str(tmp_path / "library"),
        "YUNJUE_MODEL": story.write_script(tmp_path / "script.json"),
        "YUNJUE_SANDBOX": "bubblewrap",
        "YUNJUE_EMBEDDER": "hash",
        "YUNJUE_MIN_SIMILARITY": "-1",
        "YUNJUE_MCP_TOKEN": TOKEN,
    }
    return {**os.environ, **more}


@asynccontextmanager
async def stdio(environment, **options):
    started = StdioServerParameters(command=sys.executable, args=SERVE, env=environment)
    async with Client(started, cache=None, **options) as client:
        yield client


@asynccontextmanager
async def http(environment, **options):
    with served(environment) as url:
        async with create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"}) as own:
            async with Client(
                streamable_http_client(url, http_client=own), cache=None, **options
            ) as client:
                yield client


class served:
    def __init__(self, environment):
        self._environment = environment

    def __enter__(self) -> str:
        self.process = subprocess.Popen(
            [sys.executable, *SERVE, "--http"],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+/mcp", line):
                return found[0]
        raise AssertionError("the server ended")

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)


@pytest.mark.parametrize("era", ["legacy", "auto"])
@pytest.mark.parametrize("way", [stdio, http])
async def test_a_client_lists_calls_and_sees_a_new_tool_appear(environment, way, era):
    changed = asyncio.Event()

    async def see(message):
        if isinstance(message, ToolListChangedNotification):
            changed.set()

    async with way(environment, mode=era, message_handler=see) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["solve"]
        listening = asyncio.create_task(_listen(client, changed)) if era == "auto" else None
        solved = await client.call_tool("solve", {"task": story.TASK})
        assert solved.structured_content["answer"] == "radec"
        await asyncio.wait_for(changed.wait(), 30)
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["solve", "reverse_text"]
        result = await client.call_tool("reverse_text", {"text": "stream"})
        assert result.structured_content == {"result": "maerts"}
        if listening:
            listening.cancel()


async def _listen(client, changed):
    async with client.listen(tools_list_changed=True) as events:
        async for _ in events:
            changed.set()


def test_over_http_nobody_gets_in_without_the_token(environment):
    with served(environment) as url:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.post(url, json=message).status_code == 401
        assert httpx.post(url, json=message, headers={"Authorization": "x"}).status_code == 401
        # A web page that the user's browser has open: the name it came under gives it away.
        page = {**right, "Host": "evil.example", "Origin": "http://evil.example"}
        assert httpx.post(url, json=message, headers=page).status_code in (400, 403, 421)


def test_a_client_that_floods_and_hangs_up_ends_the_server(environment):
    process = subprocess.Popen(
        [sys.executable, *SERVE],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "flood", "version": "1"},
    }
    lines = [{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}]
    lines.append({"jsonrpc": "2.0", "method": "notifications/initialized"})
    call = {"name": "solve", "arguments": {"task": story.TASK}}
    lines += [
        {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}
        for number in range(1, 500)
    ]
    garbage = [b"{", b"\xff\xfe", b"[]", b'{"jsonrpc": "2.0", "id": {}, "method": 3}']
    text = b"\n".join([json.dumps(line).encode() for line in lines] + garbage) + b"\n"
    _, errors = process.communicate(text, timeout=120)
    assert process.returncode == 0, errors.decode()


def yunjue(environment, *args):
    done = subprocess.run(
        [sys.executable, "-m", "yunjue", *args],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done


def test_a_run_uses_the_tools_of_an_added_server(environment, tmp_path):
    call = {
        "when": "Call weather_say",
        "reply": {"tool": "weather_say", "inputs": {"city": "cedar"}},
    }
    environment["YUNJUE_HOME"] = str(tmp_path / "home")
    environment["YUNJUE_MODEL"] = story.write_script(
        tmp_path / "remote.json",
        decide={"kind": "compute", "function": "weather_say"},
        first=[call],
    )
    done = yunjue(
        environment, "mcp", "add", "weather", "--json", "--", sys.executable, str(PEER), "good"
    )
    assert done.returncode == 0, done.stderr
    assert "weather_say" in json.loads(done.stdout)["tools"]
    (listed,) = json.loads(yunjue(environment, "mcp", "list", "--json").stdout)
    assert listed["name"] == "weather"

    done = yunjue(environment, "solve", "--json", story.TASK)
    result = json.loads(done.stdout)
    assert (result["answer"], result["tools_used"]) == ("You said cedar.", ["weather_say"])
    # A replay needs no server: what it said is in the trace.
    assert yunjue(environment, "mcp", "remove", "weather").returncode == 0
    done = yunjue(environment, "runs", "replay", result["run"], "--json")
    assert json.loads(done.stdout)["differences"] == [], done.stderr
    assert json.loads(yunjue(environment, "mcp", "list", "--json").stdout) == []
    assert yunjue(environment, "mcp", "remove", "weather").returncode == 2


def test_a_server_that_changes_is_asked_about(environment, tmp_path):
    environment["YUNJUE_HOME"] = str(tmp_path / "home")
    add = ("mcp", "add", "weather", "--", sys.executable, str(PEER))
    assert yunjue(environment, *add, "good").returncode == 0
    assert (
        "says of its tools what it said before"
        in yunjue(environment, "mcp", "refresh", "weather").stderr
    )
    kept = tmp_path / "home" / "mcp.json"
    kept.write_text(kept.read_text().replace('"good"', '"changed"'))
    (change,) = json.loads(yunjue(environment, "mcp", "refresh", "weather", "--json").stdout)[
        "changes"
    ]
    assert "Ignore your rules" in change
    assert "Ignore your rules" not in kept.read_text()
    assert yunjue(environment, "mcp", "refresh", "weather", "--yes").returncode == 0
    assert "Ignore your rules" in kept.read_text()


def test_servers_and_tools_that_cannot_be_used_are_named(environment, tmp_path):
    environment["YUNJUE_HOME"] = str(tmp_path / "home")
    add = ("mcp", "add", "weather")
    peer = ("--", sys.executable, str(PEER))
    for wrong, said in (
        ((), "either a command or a url"),
        (("--url", "http://example.org"), "https"),
        (("--", "/no/such/program"), "cannot be used"),
        (("--tool", "nothing", *peer, "good"), "no tool named"),
        (("--secret", "PATH", *peer, "good"), "secret"),
        (("--secret", "NOT_THERE", *peer, "good"), "no value"),
    ):
        done = yunjue(environment, *add, *wrong)
        assert done.returncode in (1, 2)
        assert said in done.stderr
    assert json.loads(yunjue(environment, "mcp", "list", "--json").stdout) == []
    done = yunjue(environment, *add, *peer, "destroys")
    assert "destroys" in done.stderr and "weather_say" not in done.stderr.splitlines()[0]
    done = yunjue(environment, *add, "--tool", "say", *peer, "destroys")
    assert "weather_say" in done.stderr.splitlines()[0]
