"""The real litellm against a server of our own."""

from __future__ import annotations

import asyncio

import pytest
from fake_server import chat, hang, refuse, send

from yunjue import keys
from yunjue.errors import (
    LimitReached,
    ModelAuthError,
    ModelError,
    ModelUnavailable,
    UnknownModelError,
    UnknownPriceError,
)
from yunjue.events import Events
from yunjue.limits import Limits, Meter
from yunjue.models import gateway as gateway_module
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.litellm_model import LitellmModel, _is_strict, load_litellm
from yunjue.models.selection import PROVIDERS
from yunjue.protocols import ChatModel
from yunjue.types import Message, ModelRequest

SECRET = "sk-very-secret-0123"
REQUEST = ModelRequest(
    messages=[Message(role="user", content="hi")], temperature=0.5, seed=3, max_tokens=7, stop=["."]
)
STRICT = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture
def model(server):
    return LitellmModel("openai/gpt-4.1-mini", api_base=f"{server.url}/v1", api_key=SECRET)


async def test_an_answer(server, model):
    server.answers = [chat("hello", prompt=1000, reply=100, cached=400)]
    reply = await model.complete(REQUEST)
    assert isinstance(model, ChatModel)
    assert (reply.text, reply.model, reply.finish) == ("hello", "openai/gpt-4.1-mini", "stop")
    assert reply.usage.prompt_tokens == 1000
    assert reply.usage.completion_tokens == 100
    assert reply.usage.cached_tokens == 400
    # 600 at 0.4, 400 cached at 0.1, 100 written at 1.6 USD a million.
    assert reply.cost_usd == pytest.approx((600 * 0.4 + 400 * 0.1 + 100 * 1.6) / 1e6)
    (asked,) = server.requests
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    body = asked.json
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.5, 3, 7)
    assert body["stop"] == ["."]
    assert "response_format" not in body


async def test_a_free_model_costs_nothing(server):
    model = LitellmModel(
        "openai/gpt-4.1-mini", free=True, api_base=server.url, api_key=SECRET, context_window=99
    )
    server.answers = [chat("hello")]
    assert (await model.complete(REQUEST)).cost_usd == 0
    assert model.context_window == 99


async def test_a_schema_is_sent(server, model):
    server.answers = [chat("{}", finish="length")]
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    for schema in (STRICT, loose):
        reply = await model.complete(REQUEST.model_copy(update={"schema_": schema}))
        assert reply.finish == "length"
    formats = [request.json["response_format"]["json_schema"] for request in server.requests]
    assert [sent["schema"] for sent in formats] == [STRICT, loose]
    assert [sent["strict"] for sent in formats] == [True, False]


def test_strictness_is_looked_for_at_every_depth():
    assert _is_strict({**STRICT, "properties": {"a": STRICT}})
    assert not _is_strict({**STRICT, "properties": {"a": {"type": "object"}}})
    assert not _is_strict({"anyOf": [STRICT, {"type": "object"}]})
    assert _is_strict({"type": "array", "items": STRICT})


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refuse(401, f"Incorrect API key provided: {SECRET}"), ModelAuthError, "refused the key"),
        (refuse(403, "not allowed"), ModelAuthError, "not allowed"),
        (refuse(404, "no such model"), UnknownModelError, "does not know"),
        (refuse(400, "bad field"), ModelError, "bad field"),
        (refuse(422, "bad field"), ModelError, ""),
        (
            refuse(400, "This model's maximum context length is 4096 tokens"),
            ModelError,
            "too long",
        ),
        (refuse(429, "slow down", retry_after="7"), ModelUnavailable, "limits the rate"),
        (refuse(429, "You exceeded your current quota"), ModelError, "wants payment"),
        (refuse(500, "oops"), ModelUnavailable, "failed to answer"),
        (refuse(503, "oops"), ModelUnavailable, "failed to answer"),
        (send(200, b"garbage"), ModelUnavailable, "failed to answer"),
        (send(200, {"choices": []}), ModelError, "no chat completion"),
    ],
)
async def test_every_failure_is_one_sentence_and_never_the_key(server, model, answer, error, words):
    server.answers = [answer]
    with pytest.raises(error) as caught:
        await model.complete(REQUEST)
    assert type(caught.value) is error
    assert words in caught.value.message
    assert SECRET not in caught.value.message
    assert "litellm" not in caught.value.message
    assert "\n" not in caught.value.message
    assert getattr(caught.value, "retry_after", 0) in (0, 7)


async def test_nobody_there(model, server):
    server.stop()
    with pytest.raises(ModelUnavailable):
        await model.complete(REQUEST)


async def test_retried_as_often_as_the_gateway_says_and_no_oftener(server, model, monkeypatch):
    monkeypatch.setattr(gateway_module, "FIRST_WAIT", 0.001)
    server.answers = [refuse(500, "a"), refuse(429, "b"), chat("at last")]
    gate = Gateway({"author": [model]}, Unrecorded(), Meter(Limits()), Events())
    reply = await gate.ask("author", [Message(role="user", content="hi")])
    assert reply.text == "at last"
    assert len(server.requests) == 3


async def test_a_server_that_hangs_ends_with_the_runs_time(server, model):
    server.answers = [hang(server)]
    gate = Gateway({"author": [model]}, Unrecorded(), Meter(Limits(seconds=0.5)), Events())
    with pytest.raises(LimitReached):
        await gate.ask("author", [Message(role="user", content="hi")])


async def test_cancelling_reaches_the_call(server, model):
    server.answers = [hang(server)]
    task = asyncio.create_task(model.complete(REQUEST))
    await asyncio.to_thread(server.asked.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# Names and prices


@pytest.mark.parametrize("name", ["openai/never-heard-of", "azure/my-deployment"])
def test_an_unknown_price_stops_before_anything_is_sent(name):
    with pytest.raises(UnknownPriceError, match="price"):
        LitellmModel(name)
    assert LitellmModel(name, free=True).context_window == 8192


@pytest.mark.parametrize("name", ["gpt-4.1-mni", "nobody/model", "", "/"])
def test_an_unknown_model(name):
    with pytest.raises(UnknownModelError) as caught:
        LitellmModel(name)
    if name.startswith("gpt"):
        assert "Did you mean gpt-4.1-mini?" in caught.value.message


def test_a_server_on_this_machine_is_free_unless_its_model_has_a_price(server):
    assert LitellmModel("openai/my-model", api_base=server.url)._free
    assert not LitellmModel("openai/gpt-4.1-mini", api_base=server.url)._free
    with pytest.raises(UnknownPriceError):
        LitellmModel("openai/my-model", api_base="https://models.example.com/v1")


async def test_ollama_is_free_and_gets_its_window(server, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))
    message = {"role": "assistant", "content": "hello"}
    counts = {"prompt_eval_count": 5, "eval_count": 2, "done": True, "done_reason": "stop"}
    server.answers = [send(200, {"model": "qwen3", "message": message, **counts})]
    model = LitellmModel("ollama_chat/qwen3")
    server.requests.clear()
    reply = await model.complete(REQUEST)
    assert (reply.text, reply.cost_usd) == ("hello", 0)
    (asked,) = [request for request in server.requests if request.path == "/api/chat"]
    assert asked.json["options"]["num_ctx"] == model.context_window


async def test_the_provider_that_tells_its_cost_is_believed(server):
    answer = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.125},
    }
    model = LitellmModel("openrouter/some/model", api_base=server.url, api_key=SECRET)
    server.answers = [send(200, answer)]
    assert (await model.complete(REQUEST)).cost_usd == 0.125
    del answer["usage"]["cost"]
    server.answers = [send(200, answer)]
    with pytest.raises(UnknownPriceError):
        await model.complete(REQUEST)


# Keys


async def test_without_a_key_nothing_is_sent():
    with pytest.raises(ModelAuthError, match="OPENAI_API_KEY") as caught:
        await LitellmModel("gpt-4.1-mini").complete(REQUEST)
    assert "keys set openai" in caught.value.hint


async def test_flag_stored_environment(server, monkeypatch):
    server.answers = [chat("x")]
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    name, base = "openai/gpt-4.1-mini", server.url
    await LitellmModel(name, api_base=base).complete(REQUEST)
    keys.store("openai", "stored")
    await LitellmModel(name, api_base=base).complete(REQUEST)
    await LitellmModel(name, api_base=base, api_key="flag").complete(REQUEST)
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer from-environment", "Bearer stored", "Bearer flag"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_default_models_are_known_priced_and_take_schemas(provider):
    litellm = load_litellm()
    model = LitellmModel(PROVIDERS[provider])
    assert model._provider == provider
    assert not model._free
    if provider != "openrouter":
        assert model.supports_schema
        assert model.context_window >= 32_000
    assert litellm.validate_environment(PROVIDERS[provider])["missing_keys"]
