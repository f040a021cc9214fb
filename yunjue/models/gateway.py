"""The one way to a model: limits, recording, retries, fallbacks, and JSON that is JSON."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yunjue.errors import (
    LimitReached,
    ModelOutputInvalid,
    ModelUnavailable,
    PromptTooLong,
)
from yunjue.events import Events
from yunjue.limits import Meter
from yunjue.models.cache import ReplyCache
from yunjue.models.json_reply import parse_object
from yunjue.models.prompting import fits, problem_with, repair_turn, tokens_needed, with_schema
from yunjue.protocols import ChatModel, Effects
from yunjue.types import Message, ModelReply, ModelRequest

Check = Callable[[dict[str, Any]], str | None]

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
SEED_STEP = 7919
REPAIR_TEMPERATURE = 0.5
"""At 0 a small model gives the reply again that was refused."""
SHOWN = 500


@dataclass(slots=True)
class RoleUsage:
    """What one role has asked and spent. ``seconds`` is the models' time, not the wall's."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def add(self, reply: ModelReply) -> None:
        self.calls += 1
        self.prompt_tokens += reply.usage.prompt_tokens
        self.completion_tokens += reply.usage.completion_tokens
        self.cost_usd += reply.cost_usd
        self.seconds += reply.seconds


class Unrecorded:
    """Effects that are performed and forgotten; for questions outside any run."""

    async def perform(
        self, kind: str, request: Mapping[str, Any], action: Callable[[], Any]
    ) -> dict[str, Any]:
        return await action()


async def close_models(models: Mapping[str, Sequence[ChatModel]]) -> None:
    """Close the models of these roles, each once."""
    for model in {id(model): model for row in models.values() for model in row}.values():
        await model.close()


class Gateway:
    """Asks the model of a role.

    Args:
        models: role -> the model to ask and then those to try when it is not reachable.
        effects: records and replays every answer.
        meter: what the run may still spend.
        events: told of retries, repairs and fallbacks.
        cache: answers repeated questions, if given.
        max_retries: how often one model is asked again that is not reachable.

    Attributes:
        spent_by_role: role -> what it used, replayed answers included.
    """

    def __init__(
        self,
        models: Mapping[str, Sequence[ChatModel]],
        effects: Effects,
        meter: Meter,
        events: Events,
        cache: ReplyCache | None = None,
        max_retries: int = 4,
    ) -> None:
        self._models = models
        self._effects = effects
        self._meter = meter
        self._events = events
        self._cache = cache
        self._max_retries = max_retries
        self._places: dict[int, asyncio.Semaphore] = {}
        self.spent_by_role: dict[str, RoleUsage] = {}

    def model_name(self, role: str) -> str:
        """The model that is asked first for ``role``."""
        return self._models[role][0].name

    def context_window(self, role: str) -> int:
        """Tokens of prompt plus reply that the model of ``role`` holds."""
        return self._models[role][0].context_window

    async def ask(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 1024,
        stop: Sequence[str] = (),
    ) -> ModelReply:
        """One reply of the role's model.

        Args:
            schema: what the reply should match; it is not checked here (:meth:`ask_json`).
            max_tokens: most tokens of the reply.

        Raises:
            LimitReached: before asking, or when the time is over while it answers.
            PromptTooLong: the messages do not fit the model.
            ModelError: it refuses for good.
            ModelUnavailable: neither it nor its fallbacks can be reached.
        """
        self._meter.check()
        request = ModelRequest(
            messages=list(messages),
            schema_=schema,
            temperature=temperature,
            seed=seed,
            max_tokens=max_tokens,
            stop=list(stop),
        )
        primary, *fallbacks = self._models[role]
        if not fits(primary, request):
            raise PromptTooLong(
                f"The prompt is too long for {primary.name}: with {max_tokens} tokens for the "
                f"reply it needs about {tokens_needed(primary, request)} tokens of "
                f"{primary.context_window}.",
                hint="Give it a shorter task, or a model with a larger context window.",
            )
        recorded = await self._effects.perform(
            "model",
            {"role": role, "model": primary.name, "request": request.model_dump()},
            lambda: self._in_time(role, [primary, *fallbacks], request),
        )
        reply = ModelReply.model_validate(recorded)
        self._meter.add(reply)
        self.spent_by_role.setdefault(role, RoleUsage()).add(reply)
        return reply

    async def ask_json(
        self,
        role: str,
        messages: Sequence[Message],
        schema: dict[str, Any],
        *,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 1024,
        repairs: int = 2,
        check: Check | None = None,
    ) -> dict[str, Any]:
        """One JSON object that matches ``schema`` and passes ``check``.

        Args:
            repairs: how often the model is told what was wrong and asked again.
            check: says what is wrong with an object that matches, or None.

        Raises:
            ModelOutputInvalid: the last reply allowed was wrong too.
            Others: as :meth:`ask`.
        """
        turns = list(messages)
        for attempt in range(repairs + 1):
            reply = await self.ask(
                role,
                turns,
                schema=schema,
                temperature=max(temperature, REPAIR_TEMPERATURE) if attempt else temperature,
                seed=seed + SEED_STEP * attempt,
                max_tokens=max_tokens,
            )
            found, problem = _read(reply, schema, max_tokens, check)
            if found is not None:
                return found
            turns = [*messages, *repair_turn(reply.text, problem)]
            request = ModelRequest(messages=turns, schema_=schema, max_tokens=max_tokens)
            if attempt == repairs or not fits(self._models[role][0], request):
                break
            self._events.emit("model.repaired", role=role, problem=problem, text=reply.text[:SHOWN])
        raise ModelOutputInvalid(
            f"{reply.model} gave the {role} no usable JSON in {attempt + 1} "
            f"attempt{'s' if attempt else ''}: {problem.rstrip('.')}."
        )

    async def close(self) -> None:
        """Close every model."""
        await close_models(self._models)

    async def _in_time(
        self, role: str, models: Sequence[ChatModel], request: ModelRequest
    ) -> dict[str, Any]:
        """The first answer, within the time the run has left."""
        try:
            async with asyncio.timeout(self._meter.remaining_seconds()) as clock:
                return (await self._first_answer(role, models, request)).model_dump()
        except TimeoutError:
            if not clock.expired():
                raise
            raise LimitReached(
                f"The limit on time was reached while {models[0].name} was answering."
            ) from None

    async def _first_answer(
        self, role: str, models: Sequence[ChatModel], request: ModelRequest
    ) -> ModelReply:
        """Ask each model in turn, until one is reachable."""
        failure = ModelUnavailable(f"No model is set for the {role}.")
        for number, model in enumerate(models):
            if number and not fits(model, request):
                self._warn(f"{model.name} cannot stand in: the prompt is too long for it.")
                continue
            if number:
                self._warn(f"{failure.message} {model.name} is asked instead, for the {role}.")
            try:
                return await self._persist(role, model, request)
            except ModelUnavailable as error:
                failure = error
        raise failure

    def _warn(self, message: str) -> None:
        self._events.emit("warning", message=message)

    async def _persist(self, role: str, model: ChatModel, request: ModelRequest) -> ModelReply:
        """Ask one model, again after a growing pause while it is not reachable."""
        if self._cache and (kept := self._cache.get(model.name, request)):
            return kept
        place = self._places.setdefault(id(model), asyncio.Semaphore(getattr(model, "parallel", 8)))
        for attempt in range(self._max_retries + 1):
            try:
                async with place:
                    reply = await model.complete(with_schema(model, request))
                break
            except ModelUnavailable as error:
                if attempt == self._max_retries:
                    raise
                wait = _pause(attempt, getattr(error, "retry_after", 0.0))
                self._events.emit(
                    "model.retried",
                    role=role,
                    model=model.name,
                    attempt=attempt + 1,
                    wait=round(wait, 3),
                    problem=error.message,
                )
                await asyncio.sleep(wait)
        if self._cache:
            self._cache.put(model.name, request, reply)
        return reply


def _pause(attempt: int, asked: float) -> float:
    """Seconds to wait: doubling, with jitter so that parallel calls part, and at least as
    long as the provider ``asked`` for."""
    doubled = FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311
    return min(max(doubled, asked), LONGEST_WAIT)


def _read(
    reply: ModelReply, schema: dict[str, Any], max_tokens: int, check: Check | None
) -> tuple[dict[str, Any] | None, str]:
    """The object of a reply, or None and what is wrong with it."""
    if reply.finish == "length":
        return None, f"the reply was cut off after {max_tokens} tokens; it must be shorter"
    try:
        found = parse_object(reply.text)
    except ValueError as error:
        return None, str(error)
    problem = problem_with(found, schema) or (check(found) if check else None)
    return (None, problem) if problem else (found, "")
