from __future__ import annotations

import asyncio
import json
import os

import httpx
import pytest
from fake_server import chat, refuse, send

from yunjue.errors import ModelError, ModelUnavailable, UnknownModelError
from yunjue.events import Events
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.local import catalog, runtime, serving
from yunjue.models.local.model import LocalModel
from yunjue.models.local.pull import Display
from yunjue.protocols import ChatModel
from yunjue.types import Message, ModelRequest

REQUEST = ModelRequest(
    messages=[Message(role="user", content="hi")], temperature=0.5, seed=3, max_tokens=7, stop=["."]
)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
async def model(server):
    """A local model that finds ``server`` announced."""
    server.answers = [send(200, {"data": [{"id": "coder-0.5b"}]})]
    serving.announce(serving.Served(int(server.url.rpartition(":")[2]), os.getpid(), "coder-0.5b"))
    made = LocalModel("coder-0.5b")
    yield made
    await made.close()
    await made.close()


def test_names():
    assert isinstance(LocalModel(), ChatModel)
    assert LocalModel().name == "local/coder-1.5b"
    assert (LocalModel().context_window, LocalModel().parallel) == (4096, 4)
    with pytest.raises(UnknownModelError):
        LocalModel("gpt-5")


async def test_a_served_model_is_used(server, model):
    server.answers += [chat("hello", prompt=9, reply=2, cached=8), chat("{}", finish="length")]
    reply = await model.complete(REQUEST)
    assert (reply.text, reply.model, reply.cost_usd) == ("hello", "local/coder-0.5b", 0)
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (9, 2, 8)
    reply = await model.complete(REQUEST.model_copy(update={"schema_": SCHEMA}))
    assert reply.finish == "length"
    plain, structured = server.requests[-2].json, server.requests[-1].json
    assert (plain["temperature"], plain["seed"], plain["max_tokens"]) == (0.5, 3, 7)
    assert plain["stop"] == ["."]
    assert "grammar" not in plain
    grammar = json.loads(structured["grammar"].partition("%json")[2])
    assert {name: grammar[name] for name in SCHEMA} == SCHEMA
    assert grammar["x-guidance"]["whitespace_flexible"] is False


async def test_a_proxy_does_not_come_between(server, model, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.answers += [chat("hello")]
    assert (await model.complete(REQUEST)).text == "hello"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refuse(400, "too many tokens"), ModelError, "too many tokens"),
        (send(400, b"plain"), ModelError, "plain"),
        (refuse(503, "loading"), ModelUnavailable, "loading"),
        (send(200, b"garbage"), ModelError, "no chat completion"),
        (send(200, {"choices": []}), ModelError, "no chat completion"),
    ],
)
async def test_failures(server, model, answer, error, words):
    server.answers += [answer]
    with pytest.raises(error, match=words):
        await model.complete(REQUEST)


async def test_a_server_that_goes_is_looked_for_again(server, model, monkeypatch):
    server.answers += [chat("hello")]
    await model.complete(REQUEST)
    server.stop()
    with pytest.raises(ModelUnavailable, match="did not answer"):
        await model.complete(REQUEST)
    monkeypatch.setattr(runtime, "server", lambda name, weights: runtime.Server("http://own"))
    assert (await model._ready()).url == "http://own"


async def test_cancelling_stops_the_download(monkeypatch, server):
    """A person's Ctrl-C must not wait for a gigabyte."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("UV_OFFLINE", "1")
    entry = catalog.find("smollm2-135m")

    def drip(handler, request):
        handler.send_response(200)
        handler.send_header("content-length", str(entry.size))
        handler.end_headers()
        while not server.stopping.wait(0.01):
            handler.wfile.write(b"x" * 1000)

    server.answers = [drip]
    task = asyncio.create_task(LocalModel("smollm2-135m").complete(REQUEST))
    await asyncio.to_thread(server.asked.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The next caller gets the lock, which the thread gave back.
    await asyncio.to_thread(runtime._starting.acquire)
    runtime._starting.release()


def test_weights_that_are_no_model(tmp_path, capfd):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(ModelError, match="cannot be started"):
        runtime.start("bad", tmp_path / "bad.gguf")
    print("still heard")
    assert capfd.readouterr() == ("still heard\n", "")


def test_progress_off_a_terminal_is_a_line_per_tenth(capsys):
    entry = catalog.find("coder-0.5b")
    display = Display(entry)
    for done in range(0, 1001):
        display("hub", done * entry.size // 1000, entry.size)
        display("hub", done * entry.size // 1000, entry.size)
    display("verification", 1, entry.size)
    display("verification", entry.size, entry.size)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert "491 MB" in lines[0]
    assert len(lines) == 1 + 11 + 1
    assert lines[-1] == "verification: 491 of 491 MB"


@pytest.mark.live
async def test_the_real_model(live_model, capfd):
    """JSON, the prompt cache, calls at the same time, and nobody else on its port."""
    model = LocalModel(live_model)
    gate = Gateway({"author": [model]}, Unrecorded(), Meter(Limits()), Events())
    question = [Message(role="user", content="Name the capital of France, as JSON.")]
    found = await gate.ask_json("author", question, SCHEMA, max_tokens=40)
    assert set(found) == {"city"}

    prefix = [Message(role="system", content="You are brief. " * 30), *question]
    for cached in (0, 100):  # the words may differ: a cached prompt is computed in other batches
        reply = await gate.ask("author", prefix, max_tokens=8)
        assert reply.usage.cached_tokens >= cached

    replies = await asyncio.gather(
        *(gate.ask("author", question, temperature=0.9, seed=n, max_tokens=6) for n in range(4))
    )
    assert all(reply.usage.completion_tokens <= 6 for reply in replies)
    assert len(runtime._servers) == 1
    assert gate.spent_by_role["author"].cost_usd == 0

    async with httpx.AsyncClient(trust_env=False) as stranger:
        url = f"{model._server.url}/v1/chat/completions"
        refused = await stranger.post(url, json={"messages": []})
    assert refused.status_code == 401
    await gate.close()
    out, _ = capfd.readouterr()
    assert out == ""


@pytest.mark.live
async def test_a_call_that_is_given_up_frees_its_place(live_model):
    model = LocalModel(live_model)
    await model.complete(REQUEST)
    long = [Message(role="user", content="Count from 1 to 1000, every number.")]
    request = ModelRequest(messages=long, max_tokens=2000)
    tasks = [asyncio.create_task(model.complete(request)) for _ in range(model.parallel)]
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await model.complete(REQUEST)).usage.completion_tokens > 0
    await model.close()
