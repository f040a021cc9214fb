"""What is added to a prompt for a model's sake: the schema, and what was wrong before."""

from __future__ import annotations

import json
from typing import Any

from yunjue.protocols import ChatModel
from yunjue.types import Message, ModelRequest

CHARACTERS_PER_TOKEN = 3.2
"""On the safe side for English and code; other scripts need more tokens."""

SCHEMA = "Reply with one JSON object and nothing else. It must match this JSON schema:\n"
REPAIR = "That reply cannot be used: {problem}. Reply again with only the corrected JSON object."
QUOTED = 500


def with_schema(model: ChatModel, request: ModelRequest) -> ModelRequest:
    """The request as ``model`` gets it: one that takes no schema reads it in the prompt."""
    if request.schema_ is None or getattr(model, "supports_schema", False):
        return request
    *earlier, last = request.messages
    schema = json.dumps(request.schema_, ensure_ascii=False, separators=(",", ":"))
    asking = last.model_copy(update={"content": f"{last.content}\n\n{SCHEMA}{schema}"})
    return request.model_copy(update={"messages": [*earlier, asking]})


def tokens_needed(model: ChatModel, request: ModelRequest) -> int:
    """Tokens of prompt and reply together, as ``model`` would get them; an estimate."""
    messages = with_schema(model, request).messages
    prompt = sum(len(message.content) for message in messages) / CHARACTERS_PER_TOKEN
    return int(prompt) + request.max_tokens


def fits(model: ChatModel, request: ModelRequest) -> bool:
    """Whether prompt and reply fit the model's context window."""
    return tokens_needed(model, request) <= model.context_window


def problem_with(found: dict[str, Any], schema: dict[str, Any]) -> str | None:
    """What keeps ``found`` from matching ``schema``, in one line for the model, or None."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(found))
    if error is None:
        return None
    where = ".".join(str(step) for step in error.absolute_path)
    message = error.message if len(error.message) < 300 else f"{error.message[:300]}…"
    return f"{where}: {message}" if where else message


def repair_turn(text: str, problem: str) -> list[Message]:
    """The model's wrong reply, cut, and what to do about it."""
    shown = text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
    return [
        Message(role="assistant", content=shown.strip() or "(no text)"),
        Message(role="user", content=REPAIR.format(problem=problem.rstrip("."))),
    ]
