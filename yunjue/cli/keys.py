"""`yunjue keys`: API keys in a file that only you can read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from yunjue import keys
from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

app = typer.Typer(help="Store the API keys of model providers.", no_args_is_help=True)

Provider = Annotated[str, typer.Argument(help="As litellm names it: openai, anthropic, groq ...")]


@app.command("set")
def set_key(provider: Provider) -> None:
    """Store a key; it is asked for, or read from standard input."""
    if sys.stdin.isatty():
        key = typer.prompt(f"Key for {provider}", hide_input=True, err=True)
    else:
        key = sys.stdin.readline()
    keys.store(provider, key)
    say(f"Stored the key for {provider} in {keys.path()}.")


@app.command("list")
def list_keys(
    as_json: options.Json = False,
) -> None:
    """Name the providers with a stored key; the keys themselves are never shown."""
    providers = sorted(keys.stored())
    if as_json:
        print_json([{"name": provider} for provider in providers])
    elif providers:
        print_table(["provider"], [[provider] for provider in providers])
    else:
        say("No keys are stored; `yunjue keys set PROVIDER` stores one.")


@app.command()
def remove(provider: Provider) -> None:
    """Forget a stored key."""
    if not keys.remove(provider):
        raise UsageError(
            f"No key for {provider} is stored.", hint="`yunjue keys list` names those that are."
        )
    say(f"Removed the key for {provider}.")


@app.command()
def path() -> None:
    """Print where the keys are stored."""
    print(keys.path())
