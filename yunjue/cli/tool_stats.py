"""``yunjue tools stats``: what the tools cost to make, and what their reuse saved."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library
from yunjue.cli.output import print_json, print_table, say

ASSUMPTION = (
    "Saved is an estimate: without the library each later run that used a tool with success "
    "would have made it anew, at what it cost the first time."
)
_COLUMNS = ("name", "status", "made: tokens", "USD", "s", "calls", "failed", "runs", "later")
_SAVED = ("saved: tokens", "USD", "s")


def stats(
    most: Annotated[int, typer.Option("--most", min=1, help="Rows of the table.")] = 50,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show what the tools cost to make, how often they were used, and what that saved."""
    from yunjue.library.economics import Cost, total

    with opened_library(library) as (_, opened):
        tools = opened.economics()
    made, saved = (
        total(Cost(**tool[what]) for tool in tools if tool[what]) for what in ("made", "saved")
    )
    sums = {name: sum(tool[name] for tool in tools) for name in ("calls", "failed", "later_runs")}
    unknown = sum(tool["made"] is None for tool in tools)
    if json:
        print_json(
            {
                "tools": tools,
                "total": {
                    "tools": len(tools),
                    **sums,
                    "made": made.to_dict(),
                    "saved": saved.to_dict(),
                    "cost_unknown": unknown,
                },
                "assumption": ASSUMPTION,
            }
        )
        return
    if not tools:
        say("The library is empty.")
        return
    tools.sort(key=lambda tool: (-(tool["saved"] or {"tokens": 0})["tokens"], tool["name"]))
    rows = [_row(tool) for tool in tools[:most]]
    last = {"name": "all", "status": "", "runs": "", **sums, "made": made.to_dict()}
    rows.append(_row({**last, "saved": saved.to_dict()}))
    print_table(_COLUMNS + _SAVED, rows)
    if len(tools) > most:
        say(f"{len(tools) - most} more tools are counted; --most shows them.")
    if unknown:
        say(f"Of {unknown} tools it is not known what they cost; they count as nothing.")
    say(ASSUMPTION)


def _row(tool: dict[str, Any]) -> list[Any]:
    counts = [tool[name] for name in ("calls", "failed", "runs", "later_runs")]
    return [tool["name"], tool["status"], *_cost(tool["made"]), *counts, *_cost(tool["saved"])]


def _cost(cost: dict[str, float] | None) -> list[str]:
    if cost is None:
        return ["-", "-", "-"]
    return [f"{cost['tokens']}", f"{cost['cost_usd']:.4f}", f"{cost['seconds']:.1f}"]
