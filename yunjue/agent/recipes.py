"""Recipes of the browser among the tools of a run, and what a call of one needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yunjue.agent.approval import rules_of
from yunjue.approvals import Proposal, ruling
from yunjue.config import Settings
from yunjue.errors import UsageError
from yunjue.types import Tool
from yunjue.web.recipe import Recipe
from yunjue.web.recipes import as_tool, needs_of, recipes

MOST = 2
"""Recipes that are shown next to the tools of the library."""


def search(
    query: str, similar: Callable[[str, Sequence[str]], list[float] | None]
) -> list[tuple[Tool, float | None]]:
    """The recipes that fit best, best first, each with its cosine; see
    :meth:`yunjue.mcp_client.offered.RemoteTools.search`."""
    tools = [as_tool(recipe) for recipe in recipes().values()]
    if not tools:
        return []
    texts = [f"{tool.name.replace('_', ' ')}\n{tool.description}" for tool in tools]
    scores = similar(query, texts) or [None] * len(texts)
    return sorted(zip(tools, scores, strict=True), key=lambda pair: -(pair[1] or 0.0))[:MOST]


def permitted(recipe: Recipe, inputs: Mapping[str, Any], settings: Settings) -> None:
    """Check that the user's rules allow a call that nobody is asked about.

    Raises:
        UsageError: they do not.
    """
    permissions, told = needs_of(recipe)
    proposal = Proposal("tool", recipe.name, inputs, permissions=permissions, summary=told)
    if ruling(rules_of(settings), proposal).verdict != "allow":
        raise UsageError(
            f"{recipe.name} is not run without your word: {told}.",
            hint=f"--approve {recipe.name} gives it.",
        )
