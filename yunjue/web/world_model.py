"""The world model: asked what an action would do, and what a few of them in a row would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from yunjue.browser.types import Change
from yunjue.config import WORLD_MODEL
from yunjue.domains import Observed
from yunjue.errors import ModelOutputInvalid, PromptTooLong
from yunjue.foreign import block, inline
from yunjue.hashing import canonical_json, content_id
from yunjue.strategies.proposing import asked, following, propose
from yunjue.strategies.shape import Action, Decision, Mind, Past
from yunjue.web.environment import page_of
from yunjue.web.foresight import TOKENS, apply_change, foreseen, foresight_schema, page_text
from yunjue.web.risk import risks

NOT_IMAGINED = ("stop", "see_more", "extract")
"""They change nothing, and are judged as they are."""
PAGE_TOKENS = 1200
"""Of an imagined page, at most."""
SHOWN_LINES = 16
UNKNOWN = "It is not known what would follow."


@dataclass(slots=True)
class Rollout:
    """A candidate, and what was foreseen of it and the actions after it.

    Attributes:
        steps: an action and its change, in order; empty when nothing was imagined.
        unknown: whether a simulation was wanted and is missing.
        last: an action after these that is not imagined, such as ``stop``.
    """

    action: Action
    steps: list[tuple[Action, Change]] = field(default_factory=list)
    unknown: bool = False
    last: Action | None = None

    def told(self) -> str:
        """What the critic reads of it; "" when nothing was to be imagined."""
        lines = []
        for number, (action, change) in enumerate(self.steps):
            if number:
                lines.append(f"then {canonical_json(action)}:")
            lines += change.lines(SHOWN_LINES) or ["nothing changes"]
        if self.unknown:
            lines.append(UNKNOWN)
        if self.last is not None:
            lines.append(f"then {canonical_json(self.last)}")
        return "\n".join(lines)

    def to_list(self) -> list[dict[str, Any]]:
        return [{"action": dict(one), "change": change.to_dict()} for one, change in self.steps]


class WorldModel:
    """Foresees; one instance a run. What was foreseen once is not asked again."""

    def __init__(self) -> None:
        self._known: dict[str, Change | None] = {}

    async def rollout(self, decision: Decision, mind: Mind, action: Action, depth: int) -> Rollout:
        """What ``action`` and the actions after it would do, which the policy chooses."""
        rollout = Rollout(action)
        for level in range(depth):
            if action["action"] in NOT_IMAGINED:
                rollout.last = action if level else None
                break
            change = await self.change(decision, mind, action)
            if change is None:
                rollout.unknown = True
                break
            rollout.steps.append((action, change))
            if level + 1 < depth:
                decision = _after(decision, mind, action, change)
                try:
                    action = await propose(decision, mind)
                except ModelOutputInvalid:
                    break
        return rollout

    async def change(self, decision: Decision, mind: Mind, action: Action) -> Change | None:
        """What is foreseen; None when there is no usable answer, of which an event tells."""
        key = content_id([decision.observed.text, dict(action)])
        if key not in self._known:
            self._known[key] = await self._asked(decision, mind, action)
        return self._known[key]

    async def _asked(self, decision: Decision, mind: Mind, action: Action) -> Change | None:
        page = page_of(decision.observed)
        try:
            said = await asked(
                mind,
                WORLD_MODEL,
                "foresee",
                decision,
                foresight_schema(page),
                max_tokens=TOKENS,
                action=inline(canonical_json(action), 600),
                target=_line(decision, action),
            )
        except (ModelOutputInvalid, PromptTooLong) as error:
            mind.events.emit("action.unforeseen", action=dict(action), why=error.message)
            return None
        change = foreseen(page, said)
        mind.events.emit("action.foreseen", action=dict(action), change=change.to_dict())
        return change


def _line(decision: Decision, action: Action) -> str:
    element = page_of(decision.observed).element(action.get("target", -1))
    return block(element.line()) if element else ""


def _after(decision: Decision, mind: Mind, action: Action, change: Change) -> Decision:
    observed = imagined(decision.observed, change)
    past = Past(action, decision.observed.state, change="\n".join(change.lines(SHOWN_LINES)))
    return following(decision, past, observed, mind.actions(observed))


def imagined(observed: Observed, change: Change) -> Observed:
    """What would be observed after the change."""
    page = apply_change(page_of(observed), change)
    text = page_text(page, min(PAGE_TOKENS, max(200, len(observed.text) // 3)))
    details: Mapping[str, Any] = {
        **observed.details,
        "page": page.to_dict(),
        "risks": risks(page).to_dict(),
        "more": None,
        "dialog": None,
    }
    return replace(observed, text=text, state=content_id(text), details=details)
