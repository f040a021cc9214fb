"""Which model answers for which role, and why."""

from __future__ import annotations

import difflib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from yunjue.config import ROLES, Settings
from yunjue.errors import UnknownModelError
from yunjue.events import Events
from yunjue.keys import key_for, stored, variables
from yunjue.limits import Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.local import catalog
from yunjue.models.local.serving import running
from yunjue.models.servers import ollama_models, openai_base, openai_models
from yunjue.plugins import plugins
from yunjue.protocols import ChatModel

PROVIDERS = {
    "openai": "gpt-4.1-mini",
    "anthropic": "anthropic/claude-haiku-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "mistral": "mistral/mistral-medium-latest",
    "deepseek": "deepseek/deepseek-chat",
    "groq": "groq/openai/gpt-oss-120b",
    "cerebras": "cerebras/gpt-oss-120b",
    "together_ai": "together_ai/openai/gpt-oss-120b",
    "openrouter": "openrouter/openai/gpt-4.1-mini",
}
"""provider -> the model its key selects when none is named; earlier ones win."""


def default_model_name(settings: Settings) -> tuple[str, str]:
    """The model of every role that names none of its own, and why it is that one.

    The one named in the settings; else that of a provider whose key is stored, else of
    one whose key is in the environment; else a model server that runs; else ``local``.
    """
    if settings.model:
        return settings.model, "named by --model or in the settings"
    return _by_key() or _by_server() or ("local", "no key and no model server was found")


def _by_key() -> tuple[str, str] | None:
    # With a server of one's own, the key of OpenAI is that server's.
    providers = [name for name in PROVIDERS if name != "openai" or openai_base() is None]
    keys = stored()
    for provider in providers:
        if keys.get(provider):
            return PROVIDERS[provider], f"a key for {provider} is stored"
    for provider in providers:
        if key_for(provider):
            names = [name for name in variables(provider) if os.environ.get(name, "").strip()]
            return PROVIDERS[provider], f"{names[0]} is set"
    return None


def _by_server() -> tuple[str, str] | None:
    if installed := ollama_models():
        return f"ollama_chat/{installed[0]}", "Ollama is running"
    if (base := openai_base()) and (offered := openai_models(base)):
        return f"openai/{offered[0]}", f"{base} answers"
    if served := running():
        return f"local/{served.model}", "`yunjue models serve` is running"
    return None


def make_model(name: str, settings: Settings) -> ChatModel:
    """The model called ``name``.

    ``KIND/REST`` goes to whoever registered ``KIND`` (``local``, ``scripted``, a plugin);
    everything else is litellm's, whole.

    Raises:
        UnknownModelError: nobody knows it; names the nearest.
        UnknownPriceError, UsageError: as the model's maker says.
    """
    makers = plugins().offered("models")
    kind, _, rest = name.partition("/")
    if kind in makers:
        return makers[kind](rest, settings)
    near = difflib.get_close_matches(
        name, [*makers, *(f"local/{entry.name}" for entry in catalog.ENTRIES)], 1, 0.75
    )
    try:
        return makers["litellm"](name, settings)
    except UnknownModelError:
        if not near:
            raise
        raise UnknownModelError(f"There is no model {name!r}. Did you mean {near[0]}?") from None


async def choose_models(
    settings: Settings, *, warn: Callable[[str], None], roles: Sequence[str] = ROLES
) -> dict[str, list[ChatModel]]:
    """For every role its model and then the fallbacks; one instance per name.

    Args:
        warn: told what the user should know about the choice.
        roles: those that are wanted.

    Raises:
        As :func:`make_model`.
    """
    names = dict(settings.roles)
    if unnamed := [role for role in roles if role not in names]:
        default, why = default_model_name(settings)
        names |= dict.fromkeys(unnamed, default)
        if default == "local":
            warn(
                f"Using the embedded model {catalog.DEFAULT}, because {why}. It writes single "
                "functions, not systems; for more, name a stronger one with --model, such as "
                "gpt-4.1-mini or ollama/qwen3."
            )
    rows = {role: list(dict.fromkeys([names[role], *settings.fallbacks])) for role in roles}
    made = {
        name: make_model(name, settings)
        for name in dict.fromkeys(name for row in rows.values() for name in row)
    }
    return {role: [made[name] for name in row] for role, row in rows.items()}


@asynccontextmanager
async def opened_gateway(
    settings: Settings, warn: Callable[[str], None], roles: Sequence[str] = ROLES
) -> AsyncIterator[Gateway]:
    """A gateway to the models of the settings, for work that is no run: nothing is recorded.
    Args and raises as :func:`choose_models`."""
    models = await choose_models(settings, warn=warn, roles=roles)
    gateway = Gateway(models, Unrecorded(), Meter(settings.limits()), Events())
    try:
        yield gateway
    finally:
        await gateway.close()
