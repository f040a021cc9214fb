"""`yunjue plugins`: what is loaded, and from where."""

from __future__ import annotations

from dataclasses import asdict

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table

app = typer.Typer(help="Show the loaded plugins.", no_args_is_help=True)


@app.command("list")
def list_plugins(json: options.Json = False) -> None:
    """List the plugins with the hooks they implement."""
    from yunjue.plugins import plugins

    found = plugins().info()
    if json:
        print_json([asdict(plugin) for plugin in found])
        return
    rows = [
        (plugin.name, plugin.version, plugin.source, plugin.error or ", ".join(plugin.hooks))
        for plugin in found
    ]
    print_table(["plugin", "version", "source", "hooks"], rows)
