"""``yunjue tools gc``: show what a library holds for nothing, and delete it if told to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library
from yunjue.cli.output import print_json, print_table, say

DAYS = 30.0


def gc(
    older_than: Annotated[
        float,
        typer.Option("--older-than", metavar="DAYS", min=0, help="Spare what is younger."),
    ] = DAYS,
    apply: Annotated[bool, typer.Option("--apply", help="Delete what is shown.")] = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show what can be deleted: retired versions, files of no tool, old calls, other
    embedders' vectors, unfinished imports. Deletes only with --apply.

    Where a tool came from and what became of it is kept for ever.
    """
    with opened_library(library) as (_, opened):
        found = opened.leftovers(older_than)
        size = sum(one.size for one in found)
        freed = sum(opened.delete(one, older_than) for one in found) if apply else 0
    if json:
        print_json(
            {
                "leftovers": [asdict(one) for one in found],
                "bytes": size,
                "applied": apply,
                "freed": freed,
            }
        )
        return
    if not found:
        say("There is nothing to delete.")
        return
    print_table(
        ("kind", "what", "bytes", "why"),
        [(one.kind, one.name, one.size, one.why) for one in found],
    )
    if apply:
        say(f"Deleted; {freed} bytes are free again.")
    else:
        say(f"{size} bytes could be free. --apply deletes this; nothing was deleted now.")
