"""A recipe: the actions of a run in the browser that solved its task, with inputs in the place
of the values that the task named. Plain data, no code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from yunjue.browser.types import Observation
from yunjue.domains import Observed
from yunjue.errors import UsageError
from yunjue.events import Event
from yunjue.web.origins import origin
from yunjue.web.seeing import page_of

FORMAT = 1
KEPT = ("click", "type", "type_secret", "select", "press", "hover", "scroll", "back", "forward")
KEPT += ("goto", "new_tab", "switch_tab", "close_tab", "wait", "accept_dialog")
"""Actions that a recipe repeats; those that only look are left out."""
VALUES = {"type": "text", "select": "value"}
"""kind of action -> the argument that may become an input."""
SHORTEST = 2
"""Characters of a value: a shorter one is found in any task."""


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One action.

    Attributes:
        action: with ``{name}`` in the place of an input; without the id of an element.
        role, name, nth: of the element: the ``nth`` of its role and name on the page, from 0.
        risk: why a person was asked; "" if it can be taken back.
    """

    action: Mapping[str, Any]
    role: str = ""
    name: str = ""
    nth: int = 0
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A proven sequence of actions.

    Attributes:
        description: the task, with ``{name}`` in the place of an input.
        inputs: name -> the value of the run it comes from.
        origins: what it may reach.
        title, url: of the page it must end on, with inputs as above; the address without its
            query.
        run: where it comes from.
    """

    name: str
    description: str
    start_url: str
    origins: Sequence[str]
    inputs: Mapping[str, str]
    steps: Sequence[RecipeStep]
    title: str
    url: str
    run: str
    format: int = field(default=FORMAT)

    @property
    def irreversible(self) -> list[str]:
        """What of it cannot be taken back."""
        return [step.risk for step in self.steps if step.risk]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Raises ValueError, KeyError or TypeError if it is none."""
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, not {FORMAT}")
        return cls(**{**data, "steps": [RecipeStep(**step) for step in data["steps"]]})


def recipe_of(run: str, events: Sequence[Event], name: str = "") -> Recipe:
    """The recipe of a solved run in the browser.

    Raises:
        UsageError: the run was none, or was not solved.
    """
    started = next((event.data for event in events if event.kind == "run.started"), None)
    ended = events[-1].data if events and events[-1].kind == "run.finished" else {}
    if started is None or ended.get("status") != "solved":
        raise UsageError(
            f"The run {run} did not solve its task: there is nothing to keep.", hint=""
        )
    taken = list(_taken(events))
    if not taken:
        raise UsageError(f"The run {run} did nothing in the browser.", hint="")
    task, last = started["task"], taken[-1][2]
    inputs = _inputs(task, taken)
    risks = {
        event.data["number"]: event.data["risk"]
        for event in events
        if event.kind == "action.chosen"
    }
    steps = [
        _step(page, action, inputs, risks.get(number, ""))
        for page, action, _, number in taken
        if action["action"] in KEPT
    ]
    start = Observed(**_start(events)).details["start"]
    return Recipe(
        name=name or _named(task, inputs),
        description=_filled_in(task, inputs),
        start_url=start,
        origins=_origins(started["settings"], start),
        inputs={one: value for value, one in inputs.items()},
        steps=steps,
        title=_filled_in(last.title, inputs),
        url=_filled_in(last.url.partition("?")[0], inputs),
        run=run,
    )


def _origins(settings: Mapping[str, Any], start: str) -> list[str]:
    return list(settings.get("allow_origins") or [origin(start)])


def _start(events: Sequence[Event]) -> Mapping[str, Any]:
    return next(
        event.data["result"]
        for event in events
        if event.kind == "effect" and event.data["request"].get("start") == "web"
    )


def _taken(
    events: Sequence[Event],
) -> Iterator[tuple[Observation, dict[str, Any], Observation, int]]:
    """(page before, action, page after, number) of the actions that were done."""
    page: Observation | None = None
    for event in events:
        if event.kind != "effect" or event.data["effect"] != "environment":
            continue
        request, result = event.data["request"], event.data["result"]
        if request.get("start") == "web":
            page = page_of(Observed(**result))
        elif "step" in request and page is not None:
            after = page_of(Observed(**result["observed"]))
            if not result["error"]:
                yield page, request["step"]["action"], after, request["step"]["number"]
            page = after


def _inputs(task: str, taken: Sequence[tuple[Observation, dict[str, Any], Any, int]]) -> dict:
    """value -> name of the input, of typed and chosen values that the task names."""
    found: dict[str, str] = {}
    for page, action, _, _ in taken:
        value = action.get(VALUES.get(action["action"], ""), "")
        if len(value) < SHORTEST or value.casefold() not in task.casefold() or value in found:
            continue
        element = page.element(action["target"])
        base = _snake(element.name if element else "") or "value"
        name, number = base, 2
        while name in found.values():
            name, number = f"{base}_{number}", number + 1
        found[value] = name
    return found


def _step(
    page: Observation, action: Mapping[str, Any], inputs: Mapping[str, str], risk: str
) -> RecipeStep:
    kept = {
        name: "{" + inputs[value] + "}"
        if name == VALUES.get(action["action"]) and value in inputs
        else value
        for name, value in action.items()
        if name != "target"
    }
    element = page.element(action["target"]) if "target" in action else None
    if element is None:
        return RecipeStep(kept, risk=risk)
    alike = [
        one.id for one in page.elements if (one.role, one.name) == (element.role, element.name)
    ]
    return RecipeStep(kept, element.role, element.name, alike.index(element.id), risk)


def _filled_in(text: str, inputs: Mapping[str, str]) -> str:
    for value in sorted(inputs, key=len, reverse=True):
        text = re.sub(re.escape(value), "{" + inputs[value] + "}", text, flags=re.IGNORECASE)
    return text


def _named(task: str, inputs: Mapping[str, str]) -> str:
    words = _snake(re.sub(r"\{\w+\}|https?://\S+", " ", _filled_in(task, inputs))).split("_")
    return "_".join(words[:6]) or "web_task"


def _snake(text: str) -> str:
    words = re.findall(r"[a-z][a-z0-9]*", text.casefold())
    return "_".join(words)[:40].strip("_")
