"""The recipes of this home: ``HOME/web/recipes/NAME.json``. They are offered like tools."""

from __future__ import annotations

import json
from pathlib import Path

from yunjue.config import home
from yunjue.errors import UnknownToolError, UsageError
from yunjue.files import write_whole
from yunjue.hashing import content_id
from yunjue.types import TOOL_NAME, Tool
from yunjue.web.recipe import Recipe

ORIGIN = "recipe"
"""Member of :attr:`Tool.origin` that says that a tool is a recipe."""


def folder() -> Path:
    return home() / "web" / "recipes"


def keep(recipe: Recipe) -> Path:
    """Write the recipe; one of the same name is replaced.

    Raises:
        UsageError: its name is not that of a tool.
    """
    if not TOOL_NAME.match(recipe.name) or len(recipe.name) > 64:
        raise UsageError(
            f"{recipe.name!r} is not the name of a tool.", hint="Name it: --name look_up_price"
        )
    path = folder() / f"{recipe.name}.json"
    write_whole(path, json.dumps(recipe.to_dict(), indent=1, ensure_ascii=False).encode())
    return path


def recipes() -> dict[str, Recipe]:
    """name -> recipe, of those that can be read."""
    found = {}
    for path in sorted(folder().glob("*.json")):
        try:
            recipe = Recipe.from_dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # `yunjue web run NAME` says what is wrong with it
        if recipe.name == path.stem:
            found[recipe.name] = recipe
    return found


def find(name: str) -> Recipe:
    """The recipe called ``name``.

    Raises:
        UnknownToolError: there is none, or it is damaged.
    """
    path = folder() / f"{name}.json"
    try:
        if not TOOL_NAME.match(name):
            raise FileNotFoundError
        return Recipe.from_dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise UnknownToolError(
            f"There is no recipe {name!r}.", hint="`yunjue web list` shows those there are."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnknownToolError(f"{path} is no recipe: {error}.", hint="Remove it.") from None


def needs_of(recipe: Recipe) -> tuple[tuple[str, ...], str]:
    """The permissions a call needs (of :data:`yunjue.approvals.PERMISSIONS`), and where it runs
    with what, for a person."""
    secrets = any(step.action["action"] == "type_secret" for step in recipe.steps)
    risky = bool(recipe.irreversible)
    permissions = ("network", *(("secrets",) * secrets), *(("irreversible",) * risky))
    told = [f"runs in the browser at {', '.join(recipe.origins)}", *recipe.irreversible]
    return permissions, "; ".join(told)


def as_tool(recipe: Recipe) -> Tool:
    """The recipe as the executor sees it: a tool without source, called in the browser."""
    inputs = {
        name: {"type": "string", "description": f"such as {example[:80]!r}"}
        for name, example in recipe.inputs.items()
    }
    permissions, told = needs_of(recipe)
    arguments = ", ".join(f"{name}: str" for name in inputs)
    return Tool(
        id=content_id(recipe.to_dict()),
        name=recipe.name,
        description=f"In the browser at {recipe.start_url}: {recipe.description}"[:400],
        signature=f"{recipe.name}({arguments}) -> page: str",
        source="",
        input_schema={
            "type": "object",
            "properties": inputs,
            "required": list(inputs),
            "additionalProperties": False,
        },
        output_schema={"type": "object", "properties": {"page": {"type": "string"}}},
        origin={
            ORIGIN: recipe.name,
            "run": recipe.run,
            "permissions": list(permissions),
            "told": told,
        },
    )
