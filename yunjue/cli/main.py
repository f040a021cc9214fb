"""The entry point: builds the command tree and turns errors into one clear message."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from yunjue import __version__
from yunjue.cli.output import print_json, say
from yunjue.errors import YunjueError
from yunjue.plugins import plugins

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
) -> None:
    pass


def main() -> None:
    """Run the command line; exits with the codes of :mod:`yunjue.errors`."""
    try:
        plugins().hook.register_commands(app=app)
        app()
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
