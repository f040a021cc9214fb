"""Any of the models litellm knows, as a :class:`yunjue.protocols.ChatModel`."""

from __future__ import annotations

import difflib
import os
import time
from typing import Any

from yunjue.errors import ModelAuthError, ModelError, UnknownModelError, UnknownPriceError
from yunjue.keys import key_for
from yunjue.models.litellm_errors import translated
from yunjue.models.servers import OLLAMA, base_of, is_loopback
from yunjue.types import ModelReply, ModelRequest, Usage

ANSWER_SECONDS = 300.0
UNKNOWN_WINDOW = 8192
TELLS_COST = ("openrouter",)
"""Providers that say what each answer cost; the others need a price in litellm's table."""


def load_litellm() -> Any:
    """The module, quiet and on its own: no fetch at import, no .env file, no retries."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads ./.env
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    import litellm

    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.telemetry = False
    litellm.num_retries = 0
    # Sessions of its own HTTP stack outlive the event loop and complain at exit.
    litellm.disable_aiohttp_transport = True
    return litellm


class LitellmModel:
    """One model, by litellm's name for it.

    Args:
        name: e.g. ``gpt-4.1-mini``, ``anthropic/claude-haiku-4-5``, ``ollama/qwen3``.
        free: its calls cost nothing, whatever the price table says.
        api_base: address of the server, if not the provider's own or the one that
            ``OPENAI_BASE_URL`` or ``OLLAMA_HOST`` names.
        api_key: used instead of the stored key and the environment's.
        context_window: tokens of prompt plus reply, if the table is wrong or silent.

    Raises:
        UnknownModelError: no provider has a model of this name.
        UnknownPriceError: its cost could not be counted, and it is not said to be free.
    """

    def __init__(
        self,
        name: str,
        *,
        free: bool = False,
        api_base: str | None = None,
        api_key: str | None = None,
        context_window: int | None = None,
    ) -> None:
        litellm = load_litellm()
        self.name = name
        try:
            self._provider = litellm.get_llm_provider(name)[1]
        except litellm.exceptions.BadRequestError:
            raise UnknownModelError(f"No provider has a model {name!r}.{_meant(name)}") from None
        self._api_base = api_base or base_of(self._provider)
        self._api_key = api_key
        self._local = bool(self._api_base and is_loopback(self._api_base))
        facts = _facts(name)
        priced = "input_cost_per_token" in facts or self._provider in TELLS_COST
        self._free = free or self._provider in OLLAMA or (self._local and not priced)
        if not priced and not self._free:
            raise UnknownPriceError(f"The price of {name} is not known.{_meant(name)}")
        self.context_window = context_window or facts.get("max_input_tokens") or UNKNOWN_WINDOW
        self.supports_schema = bool(self._api_base) or litellm.supports_response_schema(name)

    async def complete(self, request: ModelRequest) -> ModelReply:
        litellm = load_litellm()
        key = self._key()
        started = time.perf_counter()
        try:
            answer = await litellm.acompletion(**self._arguments(request), api_key=key)
        except Exception as error:
            raise translated(error, self.name, self._provider, key) from None
        try:
            choice = answer.choices[0]
            text, finish = choice.message.content or "", choice.finish_reason
        except (AttributeError, LookupError, TypeError):
            raise ModelError(f"{self.name} sent no chat completion.") from None
        return ModelReply(
            text=text,
            model=self.name,
            usage=_usage(answer),
            cost_usd=0.0 if self._free else self._cost(answer),
            seconds=time.perf_counter() - started,
            finish="length" if finish == "length" else "stop",
        )

    async def close(self) -> None:
        """litellm keeps its connections for all models of the process; nothing is ours."""

    def _key(self) -> str | None:
        if key := key_for(self._provider, self._api_key):
            return key
        if self._local or self._provider in OLLAMA:
            return "none"  # the client library insists on one
        missing = load_litellm().validate_environment(self.name)["missing_keys"]
        if missing:
            raise ModelAuthError(
                f"{self.name} needs {' and '.join(missing)}, which "
                f"{'is' if len(missing) == 1 else 'are'} not set.",
                hint=f"`yunjue keys set {self._provider}` stores a key; --model local needs none.",
            )
        return None

    def _arguments(self, request: ModelRequest) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self.name,
            "messages": [message.model_dump() for message in request.messages],
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "timeout": ANSWER_SECONDS,
            "max_retries": 0,
        }
        if self._api_base:
            arguments["api_base"] = self._api_base
        if request.stop:
            arguments["stop"] = request.stop
        if self._provider in OLLAMA:
            # Without it Ollama cuts the prompt to a small window of its own, silently.
            arguments["num_ctx"] = self.context_window
        if request.schema_ is not None and self.supports_schema:
            strict = _is_strict(request.schema_)
            schema = {"name": "reply", "schema": request.schema_, "strict": strict}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        return arguments

    def _cost(self, answer: Any) -> float:
        """US dollars, as the provider said or by the price table."""
        litellm = load_litellm()
        headers = (getattr(answer, "_hidden_params", None) or {}).get("additional_headers") or {}
        told = headers.get("llm_provider-x-litellm-response-cost")
        try:
            if self._provider in TELLS_COST:
                return float(told)
            return float(litellm.completion_cost(completion_response=answer, model=self.name))
        except Exception as error:
            raise UnknownPriceError(
                f"What {self.name} charged cannot be counted: {type(error).__name__}."
            ) from error


def _usage(answer: Any) -> Usage:
    used = getattr(answer, "usage", None)
    if used is None:
        return Usage()
    details = getattr(used, "prompt_tokens_details", None)
    return Usage(
        prompt_tokens=used.prompt_tokens or 0,
        completion_tokens=used.completion_tokens or 0,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
    )


def _facts(name: str) -> dict[str, Any]:
    """What litellm's table says of the model: prices per token, window; {} if nothing."""
    litellm = load_litellm()
    try:
        return litellm.model_cost.get(litellm.get_model_info(name)["key"], {})
    except Exception:  # litellm raises several types for a model it does not know
        return {}


def _meant(name: str) -> str:
    """`` Did you mean X?``, if litellm knows a name that is nearly this one."""
    known = load_litellm().model_cost
    bare = name.removeprefix("openai/")  # the table names OpenAI's models without it
    for tried, cutoff in ((bare, 0.85), (name, 0.75)):
        if near := difflib.get_close_matches(tried, known, 1, cutoff):
            return f" Did you mean {near[0]}?"
    return ""


def _is_strict(schema: Any) -> bool:
    """Whether providers take the schema as ``strict``: every object names and requires all
    of its members."""
    if isinstance(schema, list):
        return all(_is_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        members = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(members):
            return False
    return all(_is_strict(part) for part in schema.values())
