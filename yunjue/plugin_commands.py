"""Commands of plugins, each put beside the others under a name of its own."""

from __future__ import annotations

import typer

from yunjue.errors import PluginError


def scratch() -> typer.Typer:
    """Where one plugin puts its commands first."""
    return typer.Typer()


def merge(app: typer.Typer, own: typer.Typer) -> None:
    """Move the commands of ``own`` to ``app``.

    Raises:
        PluginError: a name is taken, or it would change what is above all commands; nothing was
            moved then.
    """
    if own.registered_callback is not None:
        raise PluginError("it sets a callback, which belongs to yunjue itself")
    mine = names(own)
    taken = sorted(set(mine) & set(names(app)))
    doubled = sorted(name for name in set(mine) if mine.count(name) > 1)
    if taken or doubled:
        raise PluginError(f"there is another command {(taken or doubled)[0]!r}")
    app.registered_commands += own.registered_commands
    app.registered_groups += own.registered_groups


def names(app: typer.Typer) -> list[str]:
    """What its commands and groups are called."""
    commands = [one.name or _spoken(one.callback) for one in app.registered_commands]
    groups = [
        one.name or getattr(one.typer_instance.info, "name", "") for one in app.registered_groups
    ]
    return [name for name in [*commands, *groups] if isinstance(name, str) and name]


def _spoken(function: object) -> str:
    """What Typer calls a command by default."""
    return getattr(function, "__name__", "").lower().replace("_", "-")
