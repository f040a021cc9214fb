"""The actions of the browser as a model is offered them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yunjue.browser.actions import action_schema
from yunjue.browser.types import Action, Observation
from yunjue.domains import ActionKind, Observed
from yunjue.web.seeing import page_of

KINDS = ("click", "type", "select", "press", "scroll", "hover", "back", "forward", "goto")
KINDS += ("new_tab", "close_tab", "switch_tab", "upload", "wait", "extract", "stop")
DESCRIPTIONS = {
    "click": "an element",
    "type": "into a field; what it held is replaced",
    "type_secret": "into a field, by the secret's name",
    "select": "an option of a list",
    "press": "a key, such as Enter, Escape, ArrowDown",
    "scroll": "the page",
    "hover": "over an element",
    "back": "to the page before",
    "forward": "again",
    "goto": "an absolute address",
    "new_tab": "with an address",
    "close_tab": "",
    "switch_tab": "",
    "upload": "a file of the task",
    "wait": "some seconds",
    "extract": "the text of the page",
    "see_more": "of the page, what follows below",
    "accept_dialog": "do it again and say yes to the dialog",
    "stop": "when the task is done; answer: what was asked for, else done",
}
OPTIONAL = {"new_tab": ("url",)}
"""Arguments that a browser takes and need not have, and that are asked for here."""


def offered(observed: Observed, secrets: Sequence[str]) -> list[ActionKind]:
    """What can be done now, with these secrets."""
    page = page_of(observed)
    schema = action_schema(page, KINDS, secrets=secrets, files=observed.details["files"])
    useless = _useless(page, observed.details)
    kinds = [one for one in map(_kind, schema["anyOf"]) if one.name not in useless]
    if observed.details["more"] is not None:
        kinds.insert(-1, ActionKind("see_more", DESCRIPTIONS["see_more"]))
    if observed.details["dialog"]:
        kinds.insert(-1, ActionKind("accept_dialog", DESCRIPTIONS["accept_dialog"]))
    return kinds


def browser_action(action: Mapping[str, Any], before: Observed) -> Action:
    """The action as the browser takes it.

    Raises:
        ActionInvalid: with what is wrong, as a model can mend it.
    """
    values = {name: value for name, value in action.items() if name != "action"}
    kind = action["action"]
    if kind == "accept_dialog":
        return Action.from_dict({**before.details["dialog"]["again"], "dialog": "accept"})
    return Action.from_dict({"kind": "type" if kind == "type_secret" else kind, **values})


def _useless(page: Observation, details: Mapping[str, Any]) -> set[str]:
    """What cannot help now: the fewer actions there are, the better a small model chooses."""
    useless = set()
    if not details["moved"]:
        useless |= {"back", "forward"}
    if len(page.tabs) < 2:
        useless |= {"close_tab", "switch_tab"}
    if details["origins"] < 2:
        useless |= {"new_tab"}
    return useless


def _kind(schema: Mapping[str, Any]) -> ActionKind:
    """The action that a browser's schema describes, without what it need not have."""
    properties = schema["properties"]
    name = properties["kind"]["const"]
    wanted = [*schema["required"], *OPTIONAL.get(name, ())]
    if name == "type" and "secret" in wanted:
        name = "type_secret"
    arguments = {one: _plain(properties[one]) for one in wanted if one != "kind"}
    return ActionKind(name, DESCRIPTIONS[name], arguments)


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in schema.items() if name != "description"}
    if plain.get("type") == "string":
        plain["maxLength"] = min(plain.get("maxLength", 2000), 2000)
    return plain
