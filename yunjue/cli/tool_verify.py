"""``yunjue tools verify``: prove tools again, and act on what is found."""

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
    from yunjue.protocols import Sandbox
    from yunjue.types import Tool, Verdict


def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every active tool.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report only; the library stays as it is.")
    ] = False,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Prove tools again with their cases; exit 1 if one fails.

    A tool that fails is retired, and the last earlier version that still passes takes its
    place. Nothing is deleted: `tools restore` brings it back.
    """
    import asyncio

    from yunjue.errors import UsageError

    if bool(names) == everything:
        raise UsageError("Name the tools to verify, or give --all.")
    flags = {"sandbox": sandbox, "allow_unsafe": allow_unsafe}
    flags |= options.granted(allow_net, grant)
    with opened_library(library, **flags) as (settings, opened):
        tools = opened.active() if everything else [opened.get(name) for name in names or []]
        found = asyncio.run(_verify(settings, opened, tools, dry_run, quiet=json))
    if json:
        print_json(found)
    else:
        passed = sum(one["passed"] for one in found)
        say(f"{passed} of {len(found)} tools passed.")
    if not all(one["passed"] for one in found):
        raise typer.Exit(1)


async def _verify(
    settings: Settings, library: Library, tools: list[Tool], dry_run: bool, quiet: bool
) -> list[dict[str, Any]]:
    from yunjue.grants import GrantedSandbox
    from yunjue.sandbox.select import opened_sandbox

    if not tools:
        return []
    found = []
    async with opened_sandbox(settings, warn) as opened:
        sandbox = GrantedSandbox(opened, settings)
        for tool in tools:
            one = await _verify_one(settings, library, sandbox, tool, dry_run)
            if not quiet:
                mark = "ok" if one["passed"] else "FAILED"
                after = f"; replaced by {one['replaced_by'][:SHORT]}" if one["replaced_by"] else ""
                print(f"{mark:<8} {tool.name}: {one['detail']}{after}", flush=True)
            found.append(one)
    return found


async def _verify_one(
    settings: Settings, library: Library, sandbox: Sandbox, tool: Tool, dry_run: bool
) -> dict[str, Any]:
    """What became of the tool. One that may not have what it needs is left as it is: that
    says nothing of it."""
    from yunjue.grants import lacking

    one = {"name": tool.name, "id": tool.id, "passed": False, "replaced_by": ""}
    missing = lacking(tool.source, settings)
    if missing:
        return {**one, "reason": missing, "detail": missing}
    verdict = await _prove(settings, library, sandbox, tool)
    if not dry_run:
        library.add_verdict(verdict)
        if not verdict.admitted:
            why = verdict.reason()
            one["replaced_by"] = await _replace(settings, library, sandbox, tool, why)
    one |= {"passed": verdict.admitted, "reason": verdict.reason()}
    return {**one, "detail": verdict.stages[-1].detail}


async def _replace(
    settings: Settings, library: Library, sandbox: Sandbox, tool: Tool, why: str
) -> str:
    """Retire the tool; the id of the earlier version that passes and takes its place."""
    versions = [one["id"] for one in library.versions(tool.name)]
    library.retire(tool.id, f"verify: {why}")
    for tool_id in reversed(versions[: versions.index(tool.id)]):
        earlier = library.get_by_id(tool_id)
        if (await _prove(settings, library, sandbox, earlier)).admitted:
            library.restore(tool_id, f"verify: {tool.id[:SHORT]} failed")
            return tool_id
    return ""


async def _prove(settings: Settings, library: Library, sandbox: Sandbox, tool: Tool) -> Verdict:
    from yunjue.synthesis.reprove import reprove

    return await reprove(sandbox, tool, library.cases(tool.id), settings.tool_limits())
