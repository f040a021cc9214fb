"""``yunjue tools history|diff|retire|restore|rollback``: the versions of a tool.

A version is a file, named by the hash of its text. None is ever changed or deleted here:
a tool that is retired can be restored.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library
from yunjue.cli.output import print_json, print_table, say

SHORT = 12
"""Digits of an id that people see and may type."""

Name = Annotated[str, typer.Argument(help="Name of the tool.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the history.")]
Version = Annotated[
    str | None, typer.Option("--id", help="Id of the version, or how it begins; see `history`.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group ``tools``."""
    for command in (history, diff, retire, restore, rollback):
        app.command()(command)


def history(name: Name, library: options.Library = None, json: options.Json = False) -> None:
    """Show the versions of a tool, where each came from, and what became of it."""
    with opened_library(library) as (_, opened):
        versions = [{**one, **_use(opened.stats(one["id"]))} for one in opened.versions(name)]
        events = opened.history(name)
    if json:
        print_json({"name": name, "versions": versions, "events": events})
        return
    print_table(
        ("id", "status", "created", "runs", "calls", "failed", "from"),
        [
            (
                one["id"][:SHORT],
                one["status"],
                one["created"],
                one["runs"],
                one["calls"],
                one["failed"],
                lineage(one["origin"]),
            )
            for one in versions
        ],
    )
    print()
    print_table(
        ("when", "what", "id", "why"),
        [(one["created"], one["what"], one["id"][:SHORT], one["why"]) for one in events],
    )


def _use(stats: dict[str, Any]) -> dict[str, Any]:
    return {name: stats[name] for name in ("runs", "calls", "ok", "failed", "last_used")}


def lineage(origin: dict[str, Any]) -> str:
    """Where a version came from, on one line: an import, versions it was made of, the run,
    its model and its task."""
    parts = [f"{what} {origin[what]}" for what in ("import", "run", "model") if origin.get(what)]
    for what in ("parents", "merge"):
        if ids := origin.get(what):
            ids = [ids] if isinstance(ids, str) else ids
            parts.append(f"{what} {', '.join(str(one)[:SHORT] for one in ids)}")
    if task := " ".join(str(origin.get("task") or "").split()):
        parts.append(f"task: {task[:60]}{'…' if len(task) > 60 else ''}")
    return "; ".join(parts) or "-"


def diff(
    name: Name,
    old: Annotated[str | None, typer.Argument(help="Id; default: the one before.")] = None,
    new: Annotated[str | None, typer.Argument(help="Id; default: the last one.")] = None,
    library: options.Library = None,
) -> None:
    """Show how the files of two versions differ."""
    import difflib

    from yunjue.errors import UsageError

    with opened_library(library) as (_, opened):
        versions = opened.versions(name)
        if len(versions) < 2:
            raise UsageError(f"{name} has one version only.")
        ids = [
            _version(versions, old)["id"] if old else versions[-2]["id"],
            _version(versions, new)["id"] if new else versions[-1]["id"],
        ]
        texts = [opened.get_by_id(one).source.splitlines(keepends=True) for one in ids]
    for line in difflib.unified_diff(*texts, *(f"{name} {one[:SHORT]}" for one in ids)):
        print(line, end="" if line.endswith("\n") else "\n")


def retire(
    name: Name, why: Why = "by hand", library: options.Library = None, json: options.Json = False
) -> None:
    """Take a tool out of use; `restore` brings it back."""
    with opened_library(library) as (_, opened):
        tool = opened.get(name)
        opened.retire(tool.id, why)
    _tell({"name": name, "id": tool.id, "status": "retired"}, json)


def restore(
    name: Name,
    version: Version = None,
    why: Why = "by hand",
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Put a retired tool into use again: the version named, else the last one."""
    with opened_library(library) as (_, opened):
        versions = opened.versions(name)
        chosen = _version(versions, version) if version else versions[-1]
        opened.restore(chosen["id"], why, replace=version is not None)
    _tell({"name": name, "id": chosen["id"], "status": "active"}, json)


def rollback(
    name: Name, why: Why = "by hand", library: options.Library = None, json: options.Json = False
) -> None:
    """Replace the active version by the one made before it."""
    from yunjue.errors import UsageError

    with opened_library(library) as (_, opened):
        versions = opened.versions(name)
        now = next((i for i, one in enumerate(versions) if one["in_use"]), None)
        if now is None:
            raise UsageError(f"{name} is not in use.", hint=f"yunjue tools restore {name}")
        if now == 0:
            raise UsageError(f"{name} has no earlier version.")
        opened.restore(versions[now - 1]["id"], why, replace=True)
    _tell({"name": name, "id": versions[now - 1]["id"], "status": "active"}, json)


def _version(versions: list[dict[str, Any]], start: str) -> dict[str, Any]:
    """The version whose id begins like that."""
    from yunjue.errors import UnknownToolError

    found = [one for one in versions if one["id"].startswith(start)]
    if len(found) != 1:
        how = "No version has" if not found else f"{len(found)} versions have"
        raise UnknownToolError(f"{how} an id that begins with {start!r}.")
    return found[0]


def _tell(result: dict[str, Any], json: bool) -> None:
    if json:
        print_json(result)
    else:
        say(f"{result['name']} {result['id'][:SHORT]} is {result['status']}.")
