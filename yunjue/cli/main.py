"""The entry point: builds the command tree and turns errors into one clear message."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Annotated

import typer

from yunjue import __version__
from yunjue.cli.output import print_json, say
from yunjue.errors import YunjueError
from yunjue.plugin_sources import NAMED
from yunjue.plugins import STRICT, plugins

app = typer.Typer(
    name="yunjue",
    help="An agent that writes, proves and keeps its own tools.",
    epilog='Start with: yunjue solve "What is the SHA-256 hash of the text cedar?"',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        print(f"yunjue {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option(metavar="MODULE:OBJECT", help="Load this plugin too. Repeatable."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A plugin that fails is an error.")
    ] = False,
) -> None:
    """What :func:`take_plugin_options` has read before there were commands."""


def take_plugin_options(arguments: list[str]) -> None:
    """Read ``--plugin`` and ``--strict`` before the command: they decide which commands there
    are. They go to the environment, which processes inherit that this one starts."""
    named = [os.environ.get(NAMED, "")]
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            break
        if word == "--strict":
            os.environ[STRICT] = "1"
        elif word == "--plugin":
            named.append(next(words, ""))
        elif word.startswith("--plugin="):
            named.append(word.partition("=")[2])
    if any(named):
        os.environ[NAMED] = ",".join(dict.fromkeys(filter(None, named)))


@cache
def command_line() -> typer.Typer:
    """All commands, those of plugins included."""
    plugins().add_commands(app)
    return app


def main() -> None:
    """Run the command line; exits with the codes of :mod:`yunjue.errors`."""
    try:
        take_plugin_options(sys.argv[1:])
        command_line()()
    except YunjueError as error:
        report(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("YUNJUE_TRACEBACK"):
            raise
        say(f"Internal error: {type(error).__name__}: {error}")
        say("       This is a bug; YUNJUE_TRACEBACK=1 shows where. `yunjue resume` may go on.")
        sys.exit(1)


def report(error: YunjueError) -> None:
    """Say what went wrong and the way out; with ``--json`` as the one document too."""
    if "--json" in sys.argv:
        print_json({"error": error.to_dict(), "exit_code": error.exit_code})
    say(f"Error: {error.message}")
    if error.hint:
        say(f"       {error.hint}")
