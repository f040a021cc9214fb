"""Elements, observations and changes as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yunjue.browser.types import Change, Element

CHARACTERS_A_TOKEN = 4
"""The estimate that budgets are counted with; no tokenizer is asked."""
MOST_INDENT = 12
MOST_OPTIONS = 30


def line(element: Element) -> str:
    """``[id] role 'name' value='...' state ...``"""
    parts = [f"[{element.id}] {element.role}"]
    if element.name:
        parts.append(_quoted(element.name))
    if element.value:
        parts.append(f"value={_quoted(element.value)}")
    parts += element.states
    if element.options:
        shown = [_quoted(one) for one in element.options[:MOST_OPTIONS]]
        rest = len(element.options) - len(shown)
        parts.append(f"options={', '.join(shown)}" + (f" and {rest} more" if rest else ""))
    return " ".join(parts)


def page(elements: Sequence[Element], cursor: int, budget: int) -> tuple[str, int]:
    """The lines from ``cursor`` on that fit.

    Args:
        budget: tokens, of :data:`CHARACTERS_A_TOKEN` characters.

    Returns:
        The text, and the index of the first element that it does not hold.
    """
    room = budget * CHARACTERS_A_TOKEN
    lines: list[str] = []
    at = cursor
    while at < len(elements):
        element = elements[at]
        made = "  " * min(element.depth, MOST_INDENT) + line(element)
        if len(made) + 1 > room:
            if lines:
                break
            made = made[: room - 1]  # a single line that is longer than all: its beginning
        lines.append(made)
        room -= len(made) + 1
        at += 1
    return "\n".join(lines), at


def change_lines(change: Change, most: int) -> list[str]:
    """What followed an action, the most telling first."""
    lines = []
    if change.url:
        lines.append(f"url: {change.url[0]} -> {change.url[1]}")
    if change.title:
        lines.append(f"title: {_quoted(change.title[0])} -> {_quoted(change.title[1])}")
    lines += [f"tab {tab.id} opened: {tab.url}" for tab in change.tabs_opened]
    lines += [f"tab {tab.id} closed" for tab in change.tabs_closed]
    lines += [f"{one.kind} {_quoted(one.message)} {one.outcome}" for one in change.dialogs]
    for one in change.downloads:
        lines.append(f"download {one.name}: {one.problem or f'{one.size} bytes'}")
    lines += [f"refused: {one}" for one in change.refused]
    lines += [f"updated: {line(one.before)} -> {line(one.after)}" for one in change.updated]
    lines += [f"new: {line(one)}" for one in change.new]
    lines += [f"deleted: {line(one)}" for one in change.deleted]
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more"]
    return lines


def _quoted(text: str) -> str:
    """On one line, in quotes that the text does not break."""
    flat = " ".join(text.split())
    return "'" + flat.replace("\\", "\\\\").replace("'", "\\'") + "'"
