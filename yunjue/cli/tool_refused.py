"""``yunjue tools refused``: what could not be made, and is not tried with every task."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UnknownToolError


def refused(
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="NAME", help="Try it again next time. Repeatable."),
    ] = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show the tools that could not be made. After the nth refusal the next 2^n tasks that
    want the same tool of the same model do without; then it is tried again."""
    with opened_library(library) as (_, opened):
        if forget:
            known = {one.name for one in opened.refusals()}
            if unknown := sorted(set(forget) - known):
                raise UnknownToolError(f"No tool named {unknown[0]!r} was refused.")
            opened.forget_refusals(forget)
        found = opened.refusals()
    if json:
        print_json([{**asdict(one), "left": one.left} for one in found])
    elif not found:
        say("No tool was refused.")
    else:
        columns = ("name", "model", "refused", "passed over", "still to pass over", "why")
        print_table(
            columns,
            [
                (one.name, one.model, one.times, one.passed_over, one.left, one.why[:160])
                for one in found
            ],
        )
