"""A real client of the protocol, in this process, of both its eras."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
import story
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ToolListChangedNotification

from yunjue.agent.run import solve
from yunjue.library.open import open_library
from yunjue.mcp_server import service as module
from yunjue.mcp_server.service import opened_service
from yunjue.types import Verdict

ERAS = ("legacy", "auto")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path / "home"))


@asynccontextmanager
async def client_of(settings, era="auto", only=(), solving=True, **more):
    async with opened_service(
        settings, only=frozenset(only), solving=solving, warn=print
    ) as service:
        async with Client(service.server(), mode=era, cache=None, **more) as client:
            yield client


async def with_tool(tmp_path, **changes):
    settings = story.story_settings(tmp_path, **changes)
    await solve(story.TASK, settings)
    return settings


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_is_listed_and_called(tmp_path, era):
    settings = await with_tool(tmp_path)
    async with client_of(settings, era) as client:
        solving, tool = (await client.list_tools()).tools
        assert (solving.name, tool.name) == ("solve", "reverse_text")
        assert tool.input_schema["properties"]["text"]["type"] == "string"
        assert tool.output_schema["properties"]["result"]["type"] == "string"
        assert tool.annotations.read_only_hint and not tool.annotations.open_world_hint
        result = await client.call_tool("reverse_text", {"text": "stream"})
        assert (result.is_error, result.structured_content) == (False, {"result": "maerts"})
    library = open_library(settings, print)
    assert library.stats(library.get("reverse_text").id)["calls"] == 2
    library.close()


WRONG = [
    ({}, "wrong inputs"),
    ({"text": ["a"]}, "wrong inputs"),
    ({"text": "a", "more": 1}, "no input 'more'"),
    ({"text": "a" * (1 << 20)}, "bytes"),
]


async def test_wrong_arguments_come_back_as_errors_the_model_can_read(tmp_path):
    async with client_of(await with_tool(tmp_path)) as client:
        for inputs, said in WRONG:
            result = await client.call_tool("reverse_text", inputs)
            assert result.is_error
            assert said in result.content[0].text


async def test_rules_hold_for_calls_of_clients_and_nobody_is_asked(tmp_path):
    settings = await with_tool(tmp_path)
    for verdict, said in (("deny", "rules do not allow it"), ("ask", "nobody is there")):
        strict = settings.model_copy(update={"approval": [f"{verdict} reverse_*"]})
        async with client_of(strict) as client:
            result = await client.call_tool("reverse_text", {"text": "stream"})
            assert result.is_error and said in result.content[0].text
    library = open_library(settings, print)
    assert library.stats(library.get("reverse_text").id)["calls"] == 1  # that of the run
    library.close()


async def test_unknown_and_unserved_tools_are_refused(tmp_path):
    async with client_of(await with_tool(tmp_path), only=["other"], solving=False) as client:
        assert (await client.list_tools()).tools == []
        for name in ("reverse_text", "solve", "x" * 1000):
            with pytest.raises(MCPError, match="no tool named"):
                await client.call_tool(name, {"text": "a", "task": "b"})


@pytest.mark.parametrize("era", ERAS)
async def test_solve_makes_a_tool_tells_how_it_goes_and_the_list_changes(
    tmp_path, era, monkeypatch
):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    changed, told = asyncio.Event(), []

    async def see(message):
        if isinstance(message, ToolListChangedNotification):
            changed.set()

    async def progress(number, total, message):
        told.append(message)

    settings = story.story_settings(tmp_path)
    async with client_of(settings, era, message_handler=see) as client:
        assert client.server_capabilities.tools.list_changed
        assert [tool.name for tool in (await client.list_tools()).tools] == ["solve"]
        async with _changes(client, era, changed):
            result = await client.call_tool(
                "solve", {"task": story.TASK}, progress_callback=progress
            )
            assert not result.is_error
            assert result.structured_content["answer"] == "radec"
            assert result.structured_content["new_tools"] == ["reverse_text"]
            assert any("admit" in line for line in told)
            await asyncio.wait_for(changed.wait(), 20)
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["solve", "reverse_text"]


@asynccontextmanager
async def _changes(client, era, changed):
    """Listen as the era does: standing notifications, or a subscription."""
    if era == "legacy":
        yield
        return
    async with client.listen(tools_list_changed=True) as events:

        async def wait():
            async for _ in events:
                changed.set()

        waiting = asyncio.create_task(wait())
        yield
        waiting.cancel()


async def test_a_run_without_an_answer_is_an_error_with_its_name(tmp_path):
    settings = story.story_settings(
        tmp_path,
        {"candidates": 1, "repairs": 0},
        author=story.WRONG,
        next={"action": "answer", "text": "CEDAR"},
    )
    async with client_of(settings) as client:
        result = await client.call_tool("solve", {"task": story.TASK})
        assert result.is_error
        assert result.structured_content["run"] in result.content[0].text
        for inputs in ({}, {"task": 1}, {"task": "a", "more": 1}, {"task": ""}):
            assert (await client.call_tool("solve", inputs)).is_error


async def test_more_calls_than_can_wait_are_told_to_come_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    async with client_of(await with_tool(tmp_path)) as client:
        calls = [client.call_tool("reverse_text", {"text": "ab"}) for _ in range(6)]
        results = await asyncio.gather(*calls)
        refused = [result for result in results if result.is_error]
        assert len(refused) == 4
        assert "busy" in refused[0].content[0].text
        assert not (await client.call_tool("reverse_text", {"text": "ab"})).is_error


async def test_many_tools_come_in_pages(tmp_path):
    settings = story.story_settings(tmp_path)
    library = open_library(settings, print)
    for number in range(120):
        tool = story.tool(f"x = {number}\n", f"tool_{number:03}")
        library.add(tool, Verdict(tool_id=tool.id, admitted=True, stages=[]))
    library.close()
    async with client_of(settings) as client:
        first = await client.list_tools()
        second = await client.list_tools(cursor=first.next_cursor)
        names = [tool.name for tool in [*first.tools, *second.tools]]
        assert names == ["solve", *(f"tool_{number:03}" for number in range(120))]
        assert second.next_cursor is None
