"""A clean home and environment, and the fake server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_server import FakeServer

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
def clean(monkeypatch):
    """No keys, no proxies, and no Ollama that happens to run here."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()
