"""What is different between two observations."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence

from yunjue.browser.types import Change, Dialog, Download, Element, Observation, Update


def difference(
    before: Observation,
    after: Observation,
    *,
    dialogs: Sequence[Dialog] = (),
    downloads: Sequence[Download] = (),
    refused: Sequence[str] = (),
) -> Change:
    """What an action changed.

    Elements are matched by id. What is left, for example because a page was loaded again or
    drew a part of itself anew, is matched by role and name in the order of the page, so that
    what merely was replaced by its like does not count as new.

    Args:
        dialogs, downloads, refused: what happened in between; they pass into the change.
    """
    new, deleted, updated = _elements(before.elements, after.elements)
    added = _texts(new) + [u.after.name for u in updated if u.after.role == "text"]
    removed = _texts(deleted) + [u.before.name for u in updated if u.before.role == "text"]
    were, are = {tab.id for tab in before.tabs}, {tab.id for tab in after.tabs}
    return Change(
        new=tuple(new),
        deleted=tuple(deleted),
        updated=tuple(updated),
        text_added=tuple((Counter(added) - Counter(removed)).elements()),
        text_removed=tuple((Counter(removed) - Counter(added)).elements()),
        url=(before.url, after.url) if before.url != after.url else None,
        title=(before.title, after.title) if before.title != after.title else None,
        tabs_opened=tuple(tab for tab in after.tabs if tab.id not in were),
        tabs_closed=tuple(tab for tab in before.tabs if tab.id not in are),
        tab=(before.tab, after.tab) if before.tab != after.tab else None,
        dialogs=tuple(dialogs),
        downloads=tuple(downloads),
        refused=tuple(refused),
    )


def _elements(
    before: Sequence[Element], after: Sequence[Element]
) -> tuple[list[Element], list[Element], list[Update]]:
    old = {one.id: one for one in before}
    updated = [Update(old[one.id], one) for one in after if one.id in old]
    kept = {pair.after.id for pair in updated}
    waiting: dict[tuple[str, str], deque[Element]] = defaultdict(deque)
    for one in before:
        if one.id not in kept:
            waiting[one.role, one.name].append(one)
    new = []
    for one in after:
        if one.id in kept:
            continue
        alike = waiting.get((one.role, one.name))
        if alike:
            updated.append(Update(alike.popleft(), one))
        else:
            new.append(one)
    left = {one.id for alike in waiting.values() for one in alike}
    deleted = [one for one in before if one.id in left]
    return new, deleted, [pair for pair in updated if _look(pair.before) != _look(pair.after)]


def _look(element: Element) -> tuple[object, ...]:
    return element.role, element.name, element.value, element.states, element.options


def _texts(elements: Iterable[Element]) -> list[str]:
    return [one.name for one in elements if one.role == "text"]
