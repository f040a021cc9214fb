"""A clean home and environment, and the fake server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from fake_server import FakeServer

from yunjue.models.local import catalog
from yunjue.models.local.pull import folder, pull

LIVE_MODEL = os.environ.get("YUNJUE_LIVE_MODEL", "coder-0.5b")
USERS_MODELS = folder()

VARIABLES = (
    *(
        f"{name}_API_KEY"
        for name in (
            "OPENAI ANTHROPIC GEMINI GOOGLE MISTRAL DEEPSEEK GROQ OPENROUTER XAI TOGETHERAI "
            "TOGETHER CEREBRAS"
        ).split()
    ),
    "OPENAI_BASE_URL",
    "OPENAI_API_BASE",
    "OLLAMA_HOST",
    "HF_ENDPOINT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """A home of its own, no keys, no settings, and no Ollama that happens to run here."""
    for name in [*VARIABLES, *(name for name in os.environ if name.startswith("YUNJUE_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("YUNJUE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YUNJUE_LOAD_PLUGINS", "")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture
def live_home(tmp_path, monkeypatch) -> str:
    """The embedded model of live tests (``YUNJUE_LIVE_MODEL``), in a home of its own that
    borrows weights from the user's, so that they are downloaded once."""
    name = LIVE_MODEL
    own = tmp_path / "home" / "models"
    own.parent.mkdir()
    USERS_MODELS.mkdir(parents=True, exist_ok=True)
    own.mkdir()
    entry = catalog.find(name)
    pull(entry, USERS_MODELS)
    for file in (entry.file, f"{entry.file}.ok"):
        (own / file).symlink_to(USERS_MODELS / file)
    return name
