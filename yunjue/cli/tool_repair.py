"""``yunjue tools repair``: write a tool that failed in use anew, and prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library, warn
from yunjue.cli.output import print_json, say
from yunjue.cli.tool_versions import SHORT

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.library.library import Library
    from yunjue.types import Tool


def repair(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    suspect: Annotated[
        bool, typer.Option("--suspect", help="Every tool in use that failed lately.")
    ] = False,
    model: options.Model = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Have a model write tools anew that failed in use; exit 1 if one could not be mended.

    The new version must pass the cases of the old one, do again what that did right in real
    work, and not fail on the inputs it failed on. Then it takes its place; the old one is
    kept, and `tools rollback` brings it back. If none passes, nothing changes.
    """
    import asyncio

    from yunjue.errors import UsageError

    if bool(names) == suspect:
        raise UsageError("Name the tools to repair, or give --suspect.")
    flags = {"model": model, "sandbox": sandbox, "allow_unsafe": allow_unsafe}
    with opened_library(library, **flags) as (settings, opened):
        if suspect:
            tools = [tool for tool in opened.active() if opened.status(tool.id) == "suspect"]
        else:
            tools = [opened.get(name) for name in names or []]
        found = asyncio.run(_repair_all(settings, opened, tools, quiet=json)) if tools else []
    if json:
        print_json(found)
    elif not found:
        say("No tool is suspect.")
    if not all(one["repaired"] for one in found):
        raise typer.Exit(1)


async def _repair_all(
    settings: Settings, library: Library, tools: list[Tool], quiet: bool
) -> list[dict[str, Any]]:
    from contextlib import AsyncExitStack

    from yunjue.models.selection import opened_gateway
    from yunjue.plugins import plugins
    from yunjue.sandbox.select import opened_sandbox
    from yunjue.synthesis.repair import Broken
    from yunjue.synthesis.repair import repair as write_anew

    found = []
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(opened_sandbox(settings, warn))
        gateway = await stack.enter_async_context(opened_gateway(settings, warn))
        for tool in tools:
            failures = [
                Broken(failure.inputs, failure.error)
                for failure in library.evidence(tool.id)
                if failure.inputs is not None
            ]
            one = {"name": tool.name, "id": tool.id, "repaired": False, "new_id": "", "why": ""}
            if not failures:
                one["why"] = "no call of it failed whose inputs were kept"
            else:
                if not quiet:
                    say(f"{tool.name}: {len(failures)} failed calls, writing it anew")
                done = await write_anew(
                    gateway,
                    sandbox,
                    tool,
                    library.cases(tool.id),
                    failures,
                    settings.tool_limits(),
                    plugins().veto,
                )
                one["why"] = done.refusal
                if done.tool is not None and done.verdict is not None:
                    why = f"repaired: {failures[0].error}"
                    new = library.replace(tool.id, done.tool, done.verdict, why)
                    one |= {"repaired": True, "new_id": new.id}
            if not quiet:
                _tell(one)
            found.append(one)
    return found


def _tell(one: dict[str, Any]) -> None:
    if one["repaired"]:
        print(f"ok       {one['name']}: replaced by {one['new_id'][:SHORT]}", flush=True)
    else:
        print(f"FAILED   {one['name']}: {one['why']}", flush=True)
