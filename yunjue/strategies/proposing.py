"""Asking a model for an action: the prompt, the schema, and what is not accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from yunjue.domains import OTHERWISE, ActionKind, Observed
from yunjue.errors import ModelOutputInvalid, PromptTooLong
from yunjue.foreign import MARK, block, inline
from yunjue.hashing import canonical_json
from yunjue.prompts import conversation
from yunjue.strategies.shape import Action, Decision, Mind, Past

SHOWN_PAST = 6
CHANGE_CHARS = 200
MOST_CUTS = 5
FRESH = 1.0
"""Temperature at which a stuck model is asked anew, without what it said before: with that in
sight it says it again."""
IDLE = 2
"""How often one action may leave the same state as it was; then it is refused."""


def action_schema(kinds: Sequence[ActionKind]) -> dict[str, Any]:
    """The JSON that a model answers: one of the actions, with its arguments."""
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"action": {"const": kind.name}, **kind.arguments},
                "required": ["action", *kind.arguments],
                "additionalProperties": False,
            }
            for kind in kinds
        ]
    }


async def propose(
    decision: Decision,
    mind: Mind,
    *,
    unlike: Sequence[Action] = (),
    shown: Sequence[Past] | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    repairs: int = 2,
) -> dict[str, Any]:
    """One action that the executor's model would take.

    Args:
        unlike: actions that it must differ from.
        shown: the part of the past that the model sees; None: all of it.
        repairs: how often the model is told what was wrong and asked again. One that was asked
            coldly and found nothing even so is asked at a higher temperature, too
            (the setting ``fresh_ideas``).

    Raises:
        ModelOutputInvalid: there was none that is new.
        PromptTooLong: even with little of what is observed.
    """
    barred = _barred(decision.here)
    taken = {**barred, **{canonical_json(other): "was named already" for other in unlike}}

    def problem(action: dict[str, Any]) -> str | None:
        key = canonical_json(action)
        return f"{key} {taken[key]}. Choose another action" if key in taken else None

    actions = _left(decision.actions, taken)
    if not actions:
        raise ModelOutputInvalid("There is no action that was not tried.")
    asking = replace(decision, actions=actions, past=decision.past if shown is None else shown)

    async def ask(temperature: float, seed: int, repairs: int) -> dict[str, Any]:
        return await asked(
            mind,
            "executor",
            "act",
            asking,
            action_schema(actions),
            max_tokens=decision.tokens,
            temperature=temperature,
            seed=seed,
            repairs=repairs,
            check=problem,
            unlike=[_text(action) for action in unlike],
        )

    try:
        return await ask(temperature, seed, repairs)
    except ModelOutputInvalid as stuck:
        tries = mind.settings.fresh_ideas if temperature == 0 and repairs else 0
        if OTHERWISE in decision.observed.details:
            tries = 0  # the environment knows what to do then
        for number in range(1, tries + 1):
            with suppress(ModelOutputInvalid):
                return await ask(FRESH, number, 0)
        raise stuck


def _left(kinds: Sequence[ActionKind], taken: Mapping[str, str]) -> list[ActionKind]:
    """The actions without those that are ``taken``, as far as a schema can say it: a small model
    that may name one again does so, whatever it is told."""
    left = []
    for kind in kinds:
        if not kind.arguments:
            if canonical_json({"action": kind.name}) not in taken:
                left.append(kind)
            continue
        (name, schema), *others = kind.arguments.items()
        if others or "enum" not in schema:
            left.append(kind)
            continue
        free = [
            value
            for value in schema["enum"]
            if canonical_json({"action": kind.name, name: value}) not in taken
        ]
        if free:
            left.append(replace(kind, arguments={name: {**schema, "enum": free}}))
    return left


async def asked(
    mind: Mind,
    role: str,
    name: str,
    decision: Decision,
    schema: dict[str, Any],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
    repairs: int = 2,
    check: Any = None,
    **values: Any,
) -> dict[str, Any]:
    """Ask ``role`` the prompt ``name`` about ``decision``. All such prompts begin with the
    task and end with what is observed, of which half is left out as often as the prompt is
    too long for the model.

    Raises:
        As :meth:`yunjue.models.gateway.Gateway.ask_json`.
    """
    shown = decision.observed.text
    for cut in range(MOST_CUTS + 1):
        views = {**_views(decision, shown), **values}
        try:
            return await mind.gateway.ask_json(
                role,
                conversation("act_system", name, **views),
                schema,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                repairs=repairs,
                check=check,
            )
        except PromptTooLong:
            if cut == MOST_CUTS:
                raise
        shown = shown[: len(shown) // 2]
    raise AssertionError("the last cut raises")


def _views(decision: Decision, shown: str) -> dict[str, Any]:
    past = decision.past[-SHOWN_PAST:]
    cut = len(shown) < len(decision.observed.text)
    return {
        "task": decision.task,
        "advice": decision.advice,
        "files": list(decision.files),
        "actions": [_kind_line(kind) for kind in decision.actions],
        "earlier": len(decision.past) - len(past),
        "past": [past_line(one) for one in past],
        "remark": inline(decision.remark, 600),
        "observed": block(shown + ("\n(what follows is left out)" if cut else "")),
    }


def past_line(past: Past) -> str:
    """An action and what followed, which is foreign text."""
    told = f"ERROR {past.error}" if past.error else past.change or "nothing changed"
    return f"{_text(past.action)}\n{MARK}{inline(told, CHANGE_CHARS)}"


def following(
    decision: Decision, past: Past, observed: Observed, actions: Sequence[ActionKind]
) -> Decision:
    """The decision that would come after ``past``, if ``observed`` was what it led to."""
    return replace(
        decision, observed=observed, actions=actions, past=[*decision.past, past], remark=""
    )


def _kind_line(kind: ActionKind) -> str:
    arguments = "".join(f', "{name}": {_sort(schema)}' for name, schema in kind.arguments.items())
    return f'{{"action": "{kind.name}"{arguments}}} {kind.description}'


def _sort(schema: Mapping[str, Any]) -> str:
    choices = schema.get("enum", ())
    if 0 < len(choices) <= 6 and all(isinstance(choice, str) for choice in choices):
        return "|".join(json.dumps(choice) for choice in choices)
    kind = schema.get("type")
    if kind == "array":
        return f"[{_sort(schema['items'])}]"
    if kind == "object":
        inner = ", ".join(f'"{name}": {_sort(one)}' for name, one in schema["properties"].items())
        return f"{{{inner}}}"
    return {"string": '"..."', "boolean": "true|false"}.get(str(kind), "number")


def _text(action: Action) -> str:
    return inline(json.dumps(action, ensure_ascii=False), 300)


def _barred(here: Sequence[Past]) -> dict[str, str]:
    """Actions that are of no use now -> why: in this very state they failed, or changed nothing
    again and again."""
    barred: dict[str, str] = {}
    idle: dict[str, int] = {}
    for one in here:
        key = canonical_json(one.action)
        if one.error:
            barred[key] = "failed here before"
        elif not one.change:
            idle[key] = idle.get(key, 0) + 1
    return barred | {key: "changes nothing" for key, times in idle.items() if times >= IDLE}
