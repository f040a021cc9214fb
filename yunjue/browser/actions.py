"""Which fields each kind of action takes, how a model is asked for one, and what is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yunjue.browser.types import Action, ActionInvalid, Element, Observation

FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "click": (("target",), ("dialog", "reply")),
    "type": (("target",), ("text", "secret")),
    "select": (("target", "value"), ()),
    "press": (("key",), ("target", "dialog", "reply")),
    "scroll": (("direction",), ("target",)),
    "hover": (("target",), ()),
    "back": ((), ()),
    "forward": ((), ()),
    "goto": (("url",), ()),
    "new_tab": ((), ("url",)),
    "close_tab": ((), ("tab",)),
    "switch_tab": (("tab",), ()),
    "upload": (("target", "file"), ()),
    "wait": (("seconds",), ()),
    "extract": ((), ("target",)),
    "stop": (("answer",), ()),
}
"""kind -> (fields it must have, fields it may have)."""

MOST_SECONDS = 10.0
"""Of ``wait``."""
MOST_TEXT = 10_000
"""Characters of a text field of an action."""
MOST_CHOICES = 200
"""Ids that a schema lists; with more it takes any number, and :func:`problem` checks."""

_TEXTS = {
    "text": "what to type; replaces what the field holds",
    "secret": "name of a secret to type",
    "value": "text of an option",
    "key": "such as Enter, Escape, ArrowDown, Control+A",
    "url": "absolute address",
    "file": "name of a given file",
    "answer": "the answer to the task",
    "reply": "text for a prompt that is accepted",
}
_CHOICES = {
    "direction": ("up", "down", "left", "right"),
    "dialog": ("accept", "dismiss"),
}
_WHERE = {
    "click": "click",
    "hover": "",
    "type": "type",
    "select": "select",
    "upload": "upload",
    "press": "",
    "scroll": "",
    "extract": "",
}
"""kind -> what an element must offer (:attr:`Element.actions`) to be its target."""


def read_action(data: object) -> Action:
    """An action from JSON that a model wrote.

    Raises:
        ActionInvalid: with all that is wrong, in words that help to mend it.
    """
    if not isinstance(data, dict):
        raise ActionInvalid('An action is an object such as {"kind": "click", "target": 3}.')
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ActionInvalid(f"kind is {_short(kind)}; it must be one of: {', '.join(FIELDS)}.")
    must, may = FIELDS[kind]
    given = {name: value for name, value in data.items() if name != "kind" and value is not None}
    wrong = [f"{kind} needs {name}" for name in must if name not in given]
    for name, value in given.items():
        if name not in must + may:
            takes = ", ".join(must + may) or "no fields"
            wrong.append(f"{kind} has no {_short(name)} (it takes {takes})")
        elif said := _wrong_value(name, value):
            wrong.append(f"{name} {said}")
    if kind == "type" and ("text" in given) == ("secret" in given):
        wrong.append("type needs either text or secret")
    if wrong:
        raise ActionInvalid("; ".join(wrong) + ".")
    return Action(kind=kind, **given)  # type: ignore[arg-type]


def problem(action: Action, observation: Observation) -> str:
    """Why an action does not fit the page that was observed; empty if it does."""
    try:
        read_action(action.to_dict())
    except ActionInvalid as invalid:
        return str(invalid)
    if action.tab is not None and action.tab not in {tab.id for tab in observation.tabs}:
        open_now = ", ".join(str(tab.id) for tab in observation.tabs)
        return f"There is no tab {action.tab}; open are: {open_now}."
    if action.target is None:
        return ""
    element = observation.element(action.target)
    if element is None:
        return f"There is no element [{action.target}] on the page now; look at it again."
    offer = _WHERE[action.kind]
    if offer and offer not in element.actions:
        return _not_offered(action, element, observation)
    if "disabled" in element.states and offer:
        return f"{element.line()} is disabled; something else must be done first."
    if action.kind == "select" and element.options and not _option(action.value, element):
        return f"{element.line()} has no option {_short(action.value)}; it has: " + ", ".join(
            map(repr, element.options[:30])
        )
    return ""


def action_schema(
    observation: Observation,
    kinds: Sequence[str] | None = None,
    *,
    secrets: Sequence[str] = (),
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """JSON schema of the actions that make sense on a page, one alternative a kind.

    Args:
        observation: targets are the ids its text shows; kinds without a target that fits,
            or without tabs or files, are left out.
        kinds: those wanted; None for all.
        secrets, files: names that may be used; without any, their fields are left out.
    """
    shown = observation.shown()
    alternatives = []
    for kind in kinds or FIELDS:
        must, may = FIELDS[kind]
        properties: dict[str, Any] = {"kind": {"const": kind}}
        for name in must + may:
            if made := _schema(name, kind, shown, observation, secrets, files):
                properties[name] = made
        if any(name not in properties for name in must):
            continue
        if kind == "type" and secrets:  # one alternative each, so that exactly one is given
            for left in ("text", "secret"):
                taken = {name: made for name, made in properties.items() if name != left}
                alternatives.append(_object(taken, tuple(taken)))
        else:
            required = ("kind", *must, *(("text",) if kind == "type" else ()))
            alternatives.append(_object(properties, required))
    return {"anyOf": alternatives}


def _schema(name, kind, shown, observation, secrets, files) -> dict[str, Any] | None:
    if name == "target":
        offer = _WHERE[kind]
        ids = [one.id for one in shown if not offer or _fits(one, offer)]
        if len(ids) > MOST_CHOICES:
            return {"type": "integer"}
        return {"enum": ids} if ids else None
    if name == "tab":
        ids = [
            tab.id for tab in observation.tabs if kind != "switch_tab" or tab.id != observation.tab
        ]
        return {"enum": ids} if ids else None
    if name in ("secret", "file"):
        names = list(secrets if name == "secret" else files)
        return {"enum": names} if names else None
    if name == "seconds":
        return {"type": "number", "minimum": 0, "maximum": MOST_SECONDS}
    if name in _CHOICES:
        return {"enum": list(_CHOICES[name])}
    return {"type": "string", "description": _TEXTS[name], "maxLength": MOST_TEXT}


def _object(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _fits(element: Element, offer: str) -> bool:
    return offer in element.actions and "disabled" not in element.states


def _wrong_value(name: str, value: object) -> str:
    if name in ("target", "tab"):
        return "" if type(value) is int else f"is {_short(value)}, not a number that is shown"
    if name == "seconds":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and 0 <= value <= MOST_SECONDS:
            return ""
        return f"is {_short(value)}, not a number from 0 to {MOST_SECONDS:g}"
    if not isinstance(value, str):
        return f"is {_short(value)}, not a text"
    if name in _CHOICES and value not in _CHOICES[name]:
        return f"is {_short(value)}; it must be one of: {', '.join(_CHOICES[name])}"
    if len(value) > MOST_TEXT:
        return f"is longer than {MOST_TEXT} characters"
    return ""


def _not_offered(action: Action, element: Element, observation: Observation) -> str:
    offer = _WHERE[action.kind]
    fitting = [one.line() for one in observation.elements if _fits(one, offer)][:8]
    instead = f"; that is possible on: {', '.join(fitting)}" if fitting else ""
    return f"{action.kind} is not possible on {element.line()}{instead}."


def _option(value: str | None, element: Element) -> bool:
    wanted = (value or "").strip().casefold()
    return any(wanted == one.strip().casefold() for one in element.options)


def _short(value: object) -> str:
    return repr(value)[:80]
