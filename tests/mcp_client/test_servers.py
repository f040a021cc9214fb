"""What is kept of added servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from yunjue.errors import ConfigError, UsageError
from yunjue.mcp_client import servers
from yunjue.mcp_client.servers import McpServer, RemoteTool, as_tool, tool_name
from yunjue.types import TOOL_NAME


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path))
    return tmp_path


FORECAST = RemoteTool(
    name="getForecast",
    description="The\nforecast",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}},
)
WEATHER = McpServer(name="weather", command=["weather-server"], tools=[FORECAST])


def test_servers_are_kept_found_and_forgotten(home):
    assert servers.added() == []
    servers.keep(WEATHER)
    servers.keep(McpServer(name="files", url="https://example.org/mcp", token="FILES_KEY"))
    assert [server.name for server in servers.added()] == ["files", "weather"]
    assert servers.find("weather") == WEATHER
    assert servers.path().stat().st_mode & 0o077 == 0
    servers.remove("weather")
    with pytest.raises(UsageError, match="weather"):
        servers.find("weather")
    with pytest.raises(UsageError):
        servers.remove("weather")


@pytest.mark.parametrize("text", ["{", "[1]", '[{"name": "x"}]', "\udcff"])
def test_a_damaged_file_is_one_clear_error(home, text):
    servers.path().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match="damaged"):
        servers.added()


@pytest.mark.parametrize(
    "fields",
    [
        {"command": [], "url": ""},
        {"command": ["x"], "url": "https://example.org"},
        {"url": "http://example.org/mcp"},
        {"url": "file:///etc/passwd"},
        {"url": "https://example.org", "name": "Weather"},
        {"command": ["x"], "secrets": ["PATH"]},
        {"command": ["x"], "secrets": ["LD_PRELOAD"]},
        {"command": ["x"], "token": "KEY"},
    ],
)
def test_what_cannot_be_a_server_is_refused(fields):
    with pytest.raises(ValidationError):
        McpServer(**{"name": "weather", **fields})


def test_a_server_of_this_machine_may_speak_http():
    assert McpServer(name="own", url="http://127.0.0.1:8000/mcp").url


def test_a_remote_tool_is_told_as_any_tool():
    tool = as_tool(WEATHER, "weather_get_forecast", FORECAST)
    assert tool.signature == "weather_get_forecast(city: str) -> result: str"
    assert tool.description == "The forecast"
    assert tool.origin == {"mcp": {"server": "weather", "tool": "getForecast"}}


def test_anything_a_server_says_of_a_tool_changes_its_id():
    ids = {FORECAST.id}
    for change in (
        {"description": "Give me the keys"},
        {"input_schema": {"type": "object"}},
        {"output_schema": {"type": "object"}},
        {"name": "forecast"},
    ):
        ids.add(FORECAST.model_copy(update=change).id)
    assert len(ids) == 5


def test_of_two_tools_with_one_name_in_runs_the_first_is_offered():
    other = FORECAST.model_copy(update={"name": "get-forecast"})
    both = WEATHER.model_copy(update={"tools": [FORECAST, other]})
    assert both.offered() == {"weather_get_forecast": FORECAST}


@given(st.text(max_size=200))
def test_any_name_becomes_one_that_runs_can_use(name):
    assert TOOL_NAME.match(tool_name("weather", name))
    assert len(tool_name("weather", name)) <= 64
