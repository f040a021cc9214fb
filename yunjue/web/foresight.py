"""What a world model says an action would do, and the page that would follow.

WebEvolver's world model writes the whole next page; here it writes the change, as the later
world models for the web do: that is short, and can be held against what really happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from yunjue.browser.render import page as rendered
from yunjue.browser.types import Change, Element, Observation, Update
from yunjue.synthesis.schemas import closed

MOST = 8
"""New, deleted and updated elements that may be named, of each."""
TOKENS = 500
"""Of the reply."""
_NAME = {"type": "string", "maxLength": 80}
_ROLES = (
    *("text", "heading", "link", "button", "textbox", "checkbox", "radio", "combobox", "listitem"),
    *("dialog", "alert", "status", "tab", "option", "image", "row", "cell", "form", "menuitem"),
)


def foresight_schema(page: Observation) -> dict[str, Any]:
    """The JSON of a prediction. ``sort`` is said first: most actions change little or all."""
    ids = [one.id for one in page.elements]
    known: dict[str, Any] = {"enum": ids} if 0 < len(ids) <= 200 else {"type": "integer"}
    element = closed({"role": {"enum": list(_ROLES)}, "name": _NAME})
    update = closed({"id": known, "name": _NAME, "value": _NAME})

    def several(items: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": items, "maxItems": MOST}

    return closed(
        {
            "sort": {"enum": ["nothing", "part", "new_page"]},
            "url": {"type": "string", "maxLength": 200},
            "title": _NAME,
            "new": several(element),
            "deleted": several(known),
            "updated": several(update),
        }
    )


def foreseen(page: Observation, said: Mapping[str, Any]) -> Change:
    """The prediction as a change of ``page``. Ids of new elements go on after the highest."""
    if said["sort"] == "nothing":
        return Change()
    top = max((one.id for one in page.elements), default=0)
    new = tuple(
        Element(top + number, one["role"], one["name"], actions=_ACTIONS.get(one["role"], ()))
        for number, one in enumerate(said["new"], 1)
    )
    moved = {"url": _moved(page.url, said["url"]), "title": _moved(page.title, said["title"])}
    if said["sort"] == "new_page":
        return Change(new=new, deleted=page.elements, **moved)
    gone = set(said["deleted"])
    updates = [
        Update(before, replace(before, name=one["name"] or before.name, value=one["value"]))
        for one in said["updated"]
        if one["id"] not in gone and (before := page.element(one["id"])) is not None
    ]
    return Change(
        new=new,
        deleted=tuple(one for one in page.elements if one.id in gone),
        updated=tuple(update for update in updates if update.before != update.after),
        **moved,
    )


_ACTIONS = {
    "link": ("click",),
    "button": ("click",),
    "checkbox": ("click",),
    "radio": ("click",),
    "tab": ("click",),
    "option": ("click",),
    "menuitem": ("click",),
    "textbox": ("click", "type"),
    "combobox": ("click", "select"),
}


def _moved(before: str, after: str) -> tuple[str, str] | None:
    return (before, after) if after and after != before else None


def apply_change(page: Observation, change: Change) -> Observation:
    """The page after the change: what stays in its order, what is new at the end."""
    gone = {one.id for one in change.deleted}
    updated = {one.before.id: one.after for one in change.updated}
    stays = tuple(updated.get(one.id, one) for one in page.elements if one.id not in gone)
    elements = (*stays, *change.new)
    return replace(
        page,
        url=change.url[1] if change.url else page.url,
        title=change.title[1] if change.title else page.title,
        elements=elements,
        text="",
        hash="",
        cursor=0,
        more=None,
    )


def page_text(page: Observation, tokens: int) -> str:
    """The page as a model reads it, cut to ``tokens``."""
    text, _ = rendered(page.elements, 0, tokens)
    return f"page {page.url} {page.title!r}\n{text}"
