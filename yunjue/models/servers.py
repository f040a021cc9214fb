"""Model servers that run near the user: Ollama, and whatever speaks OpenAI's API."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from yunjue.keys import key_for

OLLAMA = ("ollama", "ollama_chat")
PROBE_SECONDS = 1.0


def ollama_base() -> str:
    """Address of Ollama: ``OLLAMA_HOST`` in any of the forms Ollama takes, or its default."""
    named = os.environ.get("OLLAMA_HOST", "").strip() or "127.0.0.1"
    # As Ollama reads it: an address without a scheme has Ollama's own port.
    usual = {"http": 80, "https": 443}.get(named.partition("://")[0], 11434)
    parts = urlsplit(named if "://" in named else f"http://{named}")
    try:
        port = parts.port or usual
    except ValueError:
        port = usual
    host = parts.hostname or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104  where it listens; one calls loopback
        host = "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def openai_base() -> str | None:
    """Address of the OpenAI-compatible server the environment names, if it names another
    than OpenAI's own."""
    for variable in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        base = os.environ.get(variable, "").strip()
        if base and "//api.openai.com" not in base:
            return base.rstrip("/")
    return None


def base_of(provider: str) -> str | None:
    """Where the user runs ``provider`` (litellm's name), if it is not the company's."""
    if provider in OLLAMA:
        return ollama_base()
    return openai_base() if provider == "openai" else None


def is_loopback(url: str) -> bool:
    """Whether ``url`` is on this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ollama_models() -> list[str]:
    """What a running Ollama has installed; empty if none runs."""
    return _names(f"{ollama_base()}/api/tags", {}, "models", "name")


def openai_models(base: str) -> list[str]:
    """What the OpenAI-compatible server at ``base`` offers; empty if it does not answer."""
    key = key_for("openai")
    return _names(f"{base}/models", {"Authorization": f"Bearer {key}"} if key else {}, "data", "id")


def _names(url: str, headers: dict[str, str], rows: str, name: str) -> list[str]:
    import httpx

    try:
        # A server on this machine is not asked through a proxy.
        with httpx.Client(timeout=PROBE_SECONDS, trust_env=not is_loopback(url)) as client:
            return [str(row[name]) for row in client.get(url, headers=headers).json()[rows]]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return []
