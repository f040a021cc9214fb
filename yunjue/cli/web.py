"""``yunjue web``: action sequences of solved runs, kept as tools that run in the browser."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, print_text, say
from yunjue.errors import UsageError

app = typer.Typer(
    help="Keep what a run did in the browser as a recipe, and do it again.", no_args_is_help=True
)


@app.command("distil")
def distil(
    run: Annotated[str, typer.Argument(help="The run's id, or the start or end of it.")],
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    json: options.Json = False,
) -> None:
    """Make a recipe of a solved run: typed and chosen values that the task names become inputs."""
    from yunjue.agent.run import runs
    from yunjue.traces.trace import TRACE_FILE, read_trace
    from yunjue.web import recipes
    from yunjue.web.recipe import recipe_of

    folder = runs().path(run)
    recipe = recipe_of(folder.name, read_trace(folder / TRACE_FILE), name)
    path = recipes.keep(recipe)
    if json:
        print_json(recipe.to_dict())
        return
    print(f"{recipe.name}({', '.join(recipe.inputs)}): {recipe.description}")
    for risk in recipe.irreversible:
        say(f"It cannot be taken back: {risk}.")
    say(f"Kept in {path}.")


@app.command("list")
def list_recipes(json: options.Json = False) -> None:
    """List the recipes."""
    from yunjue.web.recipes import recipes

    found = recipes()
    if json:
        print_json([recipe.to_dict() for recipe in found.values()])
        return
    rows = [
        (one.name, ", ".join(one.inputs), one.start_url, len(one.steps), one.description)
        for one in found.values()
    ]
    print_table(["recipe", "inputs", "page", "steps", "does"], rows)


@app.command("run")
def run_recipe(
    name: Annotated[str, typer.Argument(help="The recipe's name.")],
    given: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="NAME=TEXT", help="Repeatable.")
    ] = None,
    allow_private: options.AllowPrivate = None,
    web_secret: options.WebSecret = None,
    visible: options.Visible = None,
    approve: options.Approve = None,
    json: options.Json = False,
) -> None:
    """Carry out a recipe in the browser, without a model.

    One that does what cannot be taken back runs only if a rule allows it (--approve NAME).
    """
    from yunjue.agent.recipes import permitted
    from yunjue.config import load_settings
    from yunjue.web.recipe_run import carry_out
    from yunjue.web.recipes import find

    recipe = find(name)
    inputs = dict(_pair(text) for text in given or [])
    settings = load_settings(
        allow_private=allow_private,
        web_secrets=web_secret or None,
        headless=False if visible else None,
        approval=options.approval(approve, None, None),
    )
    permitted(recipe, inputs, settings)
    with tempfile.TemporaryDirectory(prefix="yunjue-web-") as folder:
        outcome = asyncio.run(carry_out(recipe, inputs, settings, Path(folder)))
    if json:
        print_json(outcome.model_dump())
    elif outcome.status == "ok":
        print_text((outcome.output or {})["page"])
    if outcome.status != "ok":
        if not json:
            say(f"Error: {outcome.error}")
        raise typer.Exit(2 if outcome.status == "input_error" else 1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not NAME=TEXT.", hint="For example --input search=lamp")
    return name, value
