"""A page as a model and strategies see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from yunjue.browser.types import Change, Observation, Transition
from yunjue.domains import Observed

READ_CHARS = 4000
"""Of the text that ``extract`` gives."""
CHANGE_LINES = 12
MOST_CHANGED = 200
"""Elements of each sort that the record of a change keeps."""


def page_of(observed: Observed) -> Observation:
    """The page as it was shown: the elements the model could read, and no others."""
    return Observation.from_dict(observed.details["page"])


def page_text(page: Observation) -> str:
    lines = [f"page {page.url} {page.title!r}"]
    if len(page.tabs) > 1:
        lines += [
            f"tab {tab.id}{' (in front)' if tab.id == page.tab else ''}: {tab.url}"
            for tab in page.tabs
        ]
    if page.problem:
        lines.append(f"PROBLEM: {page.problem}")
    lines.append(page.text)
    if page.more is not None:
        lines.append("(more follows: see_more)")
    return "\n".join(lines)


def told(done: Transition) -> str:
    if done.text:
        return f"read: {done.text[:READ_CHARS]}"
    return "\n".join(done.change.lines(CHANGE_LINES))


def dismissed(done: Transition | None) -> dict[str, Any] | None:
    """The dialog that the last action opened and that was answered with no."""
    if done is None:
        return None
    asked = [one for one in done.change.dialogs if one.outcome == "dismissed"]
    if not asked or done.action.kind not in ("click", "press") or asked[0].kind == "alert":
        return None
    return {"message": asked[0].message, "again": done.action.to_dict()}


def bounded(change: Change) -> Change:
    return replace(
        change,
        new=change.new[:MOST_CHANGED],
        deleted=change.deleted[:MOST_CHANGED],
        updated=change.updated[:MOST_CHANGED],
        text_added=change.text_added[:MOST_CHANGED],
        text_removed=change.text_removed[:MOST_CHANGED],
    )
