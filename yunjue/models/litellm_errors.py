"""litellm's many exceptions as ours, each with one sentence for a person."""

from __future__ import annotations

import re
from typing import Any

from yunjue.errors import (
    ModelAuthError,
    ModelError,
    ModelUnavailable,
    UnknownModelError,
    YunjueError,
)

_PREAMBLE = re.compile(r"^(?:(?:litellm\.)?(?:\w*(?:Error|Exception)|LiteLLM) *(?::|- ) *)+")
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance|exceeded your current quota", re.I)


def translated(error: Exception, model: str, provider: str, key: str | None) -> YunjueError:
    """What ``error``, raised by litellm for a question to ``model``, means to us.

    ``key`` is cut out of the text, should the provider have repeated it.
    """
    import litellm.exceptions as theirs

    reason = _reason(error, key)
    if getattr(error, "status_code", 0) in (401, 403):
        return ModelAuthError(
            f"{provider} refused the key for {model}: {reason}",
            hint=f"`yunjue keys set {provider}` stores another key; --model local needs none.",
        )
    if isinstance(error, theirs.NotFoundError):
        return UnknownModelError(f"{provider} does not know {model}: {reason}")
    if isinstance(error, theirs.ContextWindowExceededError):
        return ModelError(f"The prompt is too long for {model}: {reason}")
    if isinstance(error, (theirs.RateLimitError, theirs.PaymentRequiredError)):
        if _NO_CREDIT.search(reason) or isinstance(error, theirs.PaymentRequiredError):
            return ModelError(
                f"{provider} wants payment before it answers: {reason}",
                hint="Look at your account there, or use another --model.",
            )
        return _unavailable(error, f"{provider} limits the rate of requests: {reason}")
    if isinstance(error, theirs.Timeout):
        return _unavailable(error, f"{model} did not answer in time: {reason}")
    if isinstance(
        error,
        (theirs.InternalServerError, theirs.ServiceUnavailableError, theirs.BadGatewayError),
    ):
        return _unavailable(error, f"{provider} failed to answer: {reason}")
    if isinstance(error, theirs.APIConnectionError):
        return _unavailable(error, f"{provider} cannot be reached: {reason}")
    return ModelError(f"{model} did not answer: {reason}")


def _unavailable(error: Exception, message: str) -> ModelUnavailable:
    """With ``retry_after``, the seconds the provider asks to wait, where it says so."""
    unavailable = ModelUnavailable(message)
    unavailable.retry_after = _retry_after(error)  # type: ignore[attr-defined]
    return unavailable


def _retry_after(error: Any) -> float:
    headers = getattr(error, "litellm_response_headers", None)
    headers = headers or getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after", 0)))
    except ValueError:  # a date: our own pauses must do
        return 0.0


def _reason(error: Exception, key: str | None) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    text = _PREAMBLE.sub("", text) or type(error).__name__
    if key:
        text = text.replace(key, "***")
    return text if len(text) <= 300 else f"{text[:300]}…"
