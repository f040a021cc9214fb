"""`yunjue plugins`: what is loaded and from where; installing, trusting and making plugins."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

app = typer.Typer(help="Show, install and make plugins.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="As `plugins list` shows it.")]
UNCONFINED = "A plugin runs outside the sandbox, with all your rights: install what you trust."


@app.command("list")
def list_plugins(json: options.Json = False) -> None:
    """List the plugins with the hooks they implement, or why they do not take part."""
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


@app.command("info")
def info(name: Name, json: options.Json = False) -> None:
    """Show one plugin and what it registers."""
    from yunjue.plugins import plugins

    loaded = plugins()
    plugin = next((one for one in loaded.info() if one.name == name), None)
    if plugin is None:
        raise _unknown(name)
    offers = loaded.offers(name)
    if json:
        print_json({**asdict(plugin), "offers": offers})
        return
    for label, value in asdict(plugin).items():
        if value:
            print(f"{label:<9} {', '.join(value) if isinstance(value, tuple) else value}")
    for kind, names in offers.items():
        print(f"{kind:<9} {', '.join(names)}")


@app.command("enable")
def enable(name: Name, json: options.Json = False) -> None:
    """Load an installed plugin again that was disabled."""
    _switch(name, True, json)


@app.command("disable")
def disable(name: Name, json: options.Json = False) -> None:
    """Do not load an installed plugin any more."""
    _switch(name, False, json)


@app.command("install")
def install(
    what: Annotated[str, typer.Argument(help="Folder, wheel or requirement: yunjue-acme>=1.")],
    json: options.Json = False,
) -> None:
    """Install a plugin into the environment that yunjue runs in.

    A plugin runs outside the sandbox, with all your rights: install what you trust.
    """
    from yunjue.plugin_install import install as install_package

    say(UNCONFINED)
    found = install_package(what)
    if json:
        print_json(found)
    for plugin in found:
        say(
            f"{plugin['name']} {plugin['version']}: {plugin['error'] or ', '.join(plugin['hooks'])}"
        )
    if any(plugin["error"] for plugin in found):
        raise typer.Exit(1)


@app.command("uninstall")
def uninstall(name: Name, json: options.Json = False) -> None:
    """Uninstall the package that brings a plugin. Tools it brought stay in the library."""
    from yunjue.plugin_install import uninstall as uninstall_package

    package = uninstall_package(name)
    if json:
        print_json({"plugin": name, "package": package})
    else:
        say(f"Uninstalled {package}.")


@app.command("trust")
def trust(
    remove: Annotated[bool, typer.Option("--remove", help="Take the trust back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
) -> None:
    """Let the plugins of the working folder (.yunjue/plugins/*.py) load as they are now.

    They run outside the sandbox, with all your rights. One changed byte, and they are not
    loaded before you trust them anew.
    """
    from yunjue import plugin_sources

    project = Path.cwd()
    if remove:
        was = plugin_sources.untrust(project)
        _tell({"project": str(project), "trusted": False}, json)
        say("They do not load any more." if was else "They were not trusted.")
        return
    files = plugin_sources.project_files(project)
    for path in files:
        say(f"{path} ({path.stat().st_size} bytes)")
    if files and not yes:
        say(UNCONFINED)
        if not sys.stdin.isatty():
            raise UsageError("Trust is given at a terminal, or with --yes.", hint="")
        if not typer.confirm("Have you read them, and shall they load?", err=True):
            raise typer.Exit(1)
    kept = plugin_sources.trust(project)
    _tell({"project": str(project), "trusted": True, "files": [str(path) for path in kept]}, json)
    say("They load from now on, until one of them changes.")


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Of the package: acme, or my-field.")],
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to make; default: ./yunjue-NAME.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Make a package with a domain, a tool, a skill, tests and a CI file, which works at once."""
    from yunjue.plugin_new import make

    made = make(name, folder)
    if json:
        print_json({"folder": str(made)})
        return
    say(f"Made {made}. Next:")
    say(f"  yunjue plugins install {made}")
    say(f"  python -m pytest {made}")


def _switch(name: str, on: bool, json: bool) -> None:
    from importlib import metadata

    from yunjue import plugin_sources

    if name not in {point.name for point in metadata.entry_points(group=plugin_sources.GROUP)}:
        raise _unknown(name)
    plugin_sources.switch(name, on)
    _tell({"plugin": name, "enabled": on}, json)
    say(f"{name} is {'enabled' if on else 'disabled'} from the next start.")


def _tell(document: dict[str, Any], json: bool) -> None:
    if json:
        print_json(document)


def _unknown(name: str) -> UsageError:
    return UsageError(f"There is no plugin {name!r}.", hint="`yunjue plugins list` shows them.")
