from __future__ import annotations

import json
import os

import pytest
from fake_server import FakeServer, send

from yunjue import keys
from yunjue.config import ROLES, load_settings
from yunjue.errors import UnknownModelError, UnknownPriceError, UsageError
from yunjue.hookspecs import hookimpl
from yunjue.models import servers
from yunjue.models.local import serving
from yunjue.models.scripted import ScriptedModel
from yunjue.models.selection import PROVIDERS, choose_models, default_model_name, make_model
from yunjue.plugins import plugins


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"rules": [{"when": "", "reply": "x"}]}))
    return f"scripted/{path}"


def chosen(**flags) -> str:
    return default_model_name(load_settings(**flags))[0]


def why(**flags) -> str:
    return default_model_name(load_settings(**flags))[1]


def announce_a_served_model(server: FakeServer) -> None:
    server.answers = [send(200, {"data": [{"id": "coder-0.5b"}]})]
    serving.announce(serving.Served(int(server.url.rpartition(":")[2]), os.getpid(), "coder-0.5b"))


# The default


def test_with_nothing_at_all_it_is_local():
    assert default_model_name(load_settings()) == (
        "local",
        "no key and no model server was found",
    )


def test_named_beats_stored_beats_environment_beats_servers_beats_local(server, monkeypatch):
    announce_a_served_model(server)
    assert chosen() == "local/coder-0.5b"
    assert "models serve" in why()

    offers = FakeServer()
    offers.answers = [send(200, {"data": [{"id": "my-model"}]})]
    monkeypatch.setenv("OPENAI_API_BASE", f"{offers.url}/v1/")
    assert chosen() == "openai/my-model"
    assert offers.requests[0].path == "/v1/models"

    ollama = FakeServer()
    ollama.answers = [send(200, {"models": [{"name": "qwen3:8b"}, {"name": "other"}]})]
    monkeypatch.setenv("OLLAMA_HOST", ollama.url)
    assert chosen() == "ollama_chat/qwen3:8b"
    assert why() == "Ollama is running"

    monkeypatch.setenv("GROQ_API_KEY", "k")
    assert chosen() == PROVIDERS["groq"]
    assert why() == "GROQ_API_KEY is set"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert chosen() == PROVIDERS["anthropic"]

    keys.store("deepseek", "k")
    assert chosen() == PROVIDERS["deepseek"]
    assert why() == "a key for deepseek is stored"

    assert chosen(model="mine") == "mine"
    offers.stop()
    ollama.stop()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_providers_key_selects_its_model(provider, monkeypatch):
    monkeypatch.setenv(keys.variables(provider)[0], "k")
    assert chosen() == PROVIDERS[provider]


def test_an_empty_variable_is_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    assert chosen() == "local"


def test_with_a_server_of_ones_own_openais_key_is_that_servers(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert chosen() == PROVIDERS["openai"]
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    assert chosen() == PROVIDERS["openai"]
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    server.answers = [send(200, {"data": [{"id": "my-model"}]})]
    assert chosen() == "openai/my-model"
    assert server.requests[0].headers["authorization"] == "Bearer k"


@pytest.mark.parametrize("answer", [send(500, b""), send(200, b"{"), send(200, []), send(200, {})])
def test_servers_that_talk_nonsense_are_passed_over(server, monkeypatch, answer):
    server.answers = [answer]
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    serving.announce(serving.Served(int(server.url.rpartition(":")[2]), os.getpid(), "coder-0.5b"))
    assert chosen() == "local"


@pytest.mark.parametrize(
    ("named", "base"),
    [
        (None, "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":9000", "http://127.0.0.1:9000"),
        ("box:9000", "http://box:9000"),
        ("http://box", "http://box:80"),
        ("https://box/path/", "https://box:443/path"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("box:port", "http://box:11434"),
    ],
)
def test_the_forms_of_ollama_host(monkeypatch, named, base):
    if named is None:
        monkeypatch.delenv("OLLAMA_HOST")
    else:
        monkeypatch.setenv("OLLAMA_HOST", named)
    assert servers.ollama_base() == base


# Names


def test_the_kinds_of_names(script):
    settings = load_settings(free_models=["openai/my-own"])
    assert make_model("local", settings).name == "local/coder-1.5b"
    assert make_model("local/coder-0.5b", settings).name == "local/coder-0.5b"
    assert make_model(script, settings).name == script
    assert make_model("gpt-4.1-mini", settings).name == "gpt-4.1-mini"
    assert make_model("litellm/gpt-4.1-mini", settings).name == "gpt-4.1-mini"
    assert make_model("openai/my-own", settings).context_window
    with pytest.raises(UnknownPriceError):
        make_model("openai/my-other", settings)


def test_a_plugins_models():
    class Plugin:
        @hookimpl
        def register_models(self, register):
            register("acme", lambda name, settings: ScriptedModel([], name=f"acme {name}"))

    plugin = Plugin()
    plugins().manager.register(plugin)
    try:
        assert make_model("acme/big/one", load_settings()).name == "acme big/one"
    finally:
        plugins().manager.unregister(plugin)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("local/coder-1.5", "local/coder-1.5b"),
        ("local/coder", "local/coder-0.5b|local/coder-1.5b"),
        ("coder-1.5b", "local/coder-1.5b"),
        ("locla", "local"),
        ("gpt-4.1-mni", "gpt-4.1-mini"),
    ],
)
def test_an_unknown_name_is_met_with_the_nearest(name, near):
    with pytest.raises(UnknownModelError, match=f"Did you mean ({near})\\?"):
        make_model(name, load_settings())


def test_a_name_near_to_nothing():
    with pytest.raises(UnknownModelError) as caught:
        make_model("zzzzzz", load_settings())
    assert "Did you mean" not in caught.value.message
    with pytest.raises(UsageError):
        make_model("scripted/absent.json", load_settings())


# Roles


async def test_every_role_has_its_model_and_the_fallbacks(script, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"rules": []}))
    settings = load_settings(
        model=script, roles={"author": f"scripted/{other}"}, fallbacks=["local/coder-0.5b", script]
    )
    told = []
    found = await choose_models(settings, warn=told.append)
    assert set(found) == set(ROLES)
    names = [model.name for model in found["author"]]
    assert names == [f"scripted/{other}", "local/coder-0.5b", script]
    assert [model.name for model in found["critic"]] == [script, "local/coder-0.5b"]
    assert found["critic"][0] is found["tester"][0] is found["author"][2]
    assert not told


async def test_who_falls_back_on_the_embedded_model_is_told():
    told = []
    found = await choose_models(load_settings(), warn=told.append)
    assert found["author"][0].name == "local/coder-1.5b"
    assert "single functions" in told[0]
    told.clear()
    await choose_models(load_settings(model="local"), warn=told.append)
    assert len(told) <= 1


async def test_roles_that_are_all_named_need_no_default(script, monkeypatch):
    monkeypatch.setattr(servers, "ollama_models", lambda: pytest.fail("a server was asked"))
    settings = load_settings(roles=dict.fromkeys(ROLES, script))
    found = await choose_models(settings, warn=pytest.fail)
    assert {model.name for row in found.values() for model in row} == {script}
