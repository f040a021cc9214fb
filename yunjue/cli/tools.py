"""``yunjue tools``: look into the library, search it, run a tool by hand."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import (
    options,
    tool_bundles,
    tool_gc,
    tool_refused,
    tool_repair,
    tool_stats,
    tool_verify,
    tool_versions,
)
from yunjue.cli.library import opened_library, warn
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

if TYPE_CHECKING:
    from yunjue.config import Settings
    from yunjue.library.library import Failure, Library
    from yunjue.types import CallOutcome, Case, Tool, Verdict

app = typer.Typer(help="The tool library: list, show, search, run.", no_args_is_help=True)
tool_versions.register(app)
app.command("verify")(tool_verify.verify)
app.command("repair")(tool_repair.repair)
tool_bundles.register(app)
app.command("stats")(tool_stats.stats)
app.command("gc")(tool_gc.gc)
app.command("refused")(tool_refused.refused)


@app.command("list")
def list_tools(library: options.Library = None, json: options.Json = False) -> None:
    """List the tools with how often they were called and how often that went well."""
    with opened_library(library) as (_, opened):
        found = [_summary(opened, tool) for tool in opened.active()]
    if json:
        print_json(found)
    elif not found:
        say("The library is empty. `yunjue solve TASK` makes the tools it needs.")
    else:
        columns = ("name", "calls", "success", "description")
        rows = [[_marked(tool), *(_cell(tool[column]) for column in columns[1:])] for tool in found]
        print_table(columns, rows)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    verdict: Annotated[bool, typer.Option("--verdict", help="Why it was admitted.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Its Python file.")] = False,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show a tool: what it does, the evidence for it, and how it fared."""
    with opened_library(library) as (_, opened):
        tool = opened.get(name)
        proof, cases = opened.verdict(tool.id), opened.cases(tool.id)
        stats, status = opened.stats(tool.id), opened.status(tool.id)
        failures = opened.evidence(tool.id)
    if json:
        print_json(
            {
                **tool.model_dump(),
                "status": status,
                "verdict": proof.model_dump() if proof else None,
                "cases": [case.model_dump() for case in cases],
                "stats": stats,
                "evidence": [asdict(failure) for failure in failures],
            }
        )
        return
    if not (source or verdict):
        _print_summary(tool, status, stats)
    if verdict or not source:
        _print_verdict(proof, cases, in_full=verdict)
        _print_failures(failures, in_full=verdict)
    if source:
        _print_source(tool.source)


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What is to be done.")],
    domain: Annotated[
        str | None, typer.Option("--domain", help="Only tools of this domain, or of none.")
    ] = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Show the tools that fit best, as the agent would find them."""
    with opened_library(library) as (settings, opened):
        found = [
            {**_summary(opened, hit.tool), "score": round(hit.score, 6)}
            for hit in opened.search(query, settings.top_k, domain=domain)
        ]
    if json:
        print_json(found)
    else:
        rows = [(_marked(hit), f"{hit['score']:.4f}", hit["description"]) for hit in found]
        print_table(("name", "score", "description"), rows)


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="Name of the tool.")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    args: Annotated[str | None, typer.Option("--args", help="All inputs as JSON.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="A new folder for the files that it leaves."),
    ] = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    library: options.Library = None,
    json: options.Json = False,
) -> None:
    """Call a tool in the sandbox. Exits with 1 when the call fails."""
    import asyncio

    from yunjue.cli.tool_inputs import parse_inputs

    flags = {"sandbox": sandbox, "allow_unsafe": allow_unsafe}
    flags |= options.granted(allow_net, grant)
    with opened_library(library, **flags) as (settings, opened):
        tool = opened.get(name)
    values = parse_inputs(tool.input_schema, args, inputs or [])
    if out is not None and out.exists():
        raise UsageError(f"{out} is there already.", hint="--out makes a new folder.")
    outcome = asyncio.run(_call(settings, tool, values, out and out.absolute()))
    if json:
        print_json({"tool": tool.name, "inputs": values, **outcome.model_dump()})
    else:
        _print_outcome(tool, outcome)
    if outcome.status != "ok":
        raise typer.Exit(1)


@app.command("reindex")
def reindex(library: options.Library = None, json: options.Json = False) -> None:
    """Make the search index again; after changing the embedder it makes itself."""
    with opened_library(library) as (_, opened):
        count = opened.reindex()
    if json:
        print_json({"tools": count})
    else:
        say(f"Indexed {count} tools.")


async def _call(
    settings: Settings, tool: Tool, inputs: dict[str, Any], out: Path | None
) -> CallOutcome:
    from yunjue.grants import GrantedSandbox, call_of
    from yunjue.protocols import Outputs
    from yunjue.sandbox.select import opened_sandbox

    outputs = Outputs(out) if out else None
    job = replace(call_of(tool, inputs, settings), outputs=outputs)
    async with opened_sandbox(settings, warn) as sandbox:
        return (await GrantedSandbox(sandbox, settings).call(job))[0]


def _summary(library: Library, tool: Tool) -> dict[str, Any]:
    stats = library.stats(tool.id)
    return {
        "name": tool.name,
        "description": tool.description,
        "signature": tool.signature,
        "id": tool.id,
        "status": library.status(tool.id),
        **stats,
        "success": stats["ok"] / stats["calls"] if stats["calls"] else None,
    }


def _marked(summary: dict[str, Any]) -> str:
    """The name, with a mark when the tool failed lately."""
    return summary["name"] + (" (suspect)" if summary["status"] == "suspect" else "")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0%}"
    return "-" if value is None else str(value)


def _print_summary(tool: Tool, status: str, stats: dict[str, Any]) -> None:
    print(tool.signature)
    print(f"  {tool.description}")
    print(f"  id       {tool.id}")
    print(f"  status   {status}")
    if tool.requirements:
        print(f"  needs    {', '.join(tool.requirements)}")
    for key, value in tool.origin.items():
        if not isinstance(value, dict):  # what a bundle said of its making is for --json
            print(f"  {key:<8} {value}")
    print(
        f"  calls    {stats['calls']} ({stats['ok']} ok, {stats['input_errors']} with wrong "
        f"inputs, {stats['failed']} failed), {stats['seconds']:.2f} s, "
        f"last {stats['last_used'] or 'never'}"
    )


def _print_verdict(verdict: Verdict | None, cases: list[Case], in_full: bool) -> None:
    import json

    if verdict is None:
        print("  verdict  none")
        return
    where = f", sandbox {verdict.sandbox}" if verdict.sandbox else ""
    print(f"  verdict  {'admitted' if verdict.admitted else 'refused'}{where}")
    for stage in verdict.stages:
        mark = "passed" if stage.passed else "FAILED"
        detail = f"  {stage.detail}" if stage.detail else ""
        print(f"    {stage.name:<14} {mark}  {stage.seconds:.2f} s{detail}")
        if in_full and stage.evidence:
            print(f"      {json.dumps(stage.evidence, ensure_ascii=True, default=str)}")
    print(f"  cases    {len(cases)}")
    for case in cases if in_full else ():
        expected = "an error" if case.raises else json.dumps(case.expected)
        print(f"    {json.dumps(case.inputs)} -> {expected}  ({case.origin})")


def _print_failures(failures: list[Failure], in_full: bool) -> None:
    import json

    print(f"  failures {len(failures)}")
    for failure in failures if in_full else ():
        print(f"    {json.dumps(failure.inputs)}: {failure.reason}: {failure.error}")


def _print_source(source: str) -> None:
    if not sys.stdout.isatty():
        sys.stdout.write(source)
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console().print(Syntax(source, "python", word_wrap=True))


def _print_outcome(tool: Tool, outcome: CallOutcome) -> None:
    from yunjue.agent.told import told
    from yunjue.events import Event

    for visit in outcome.visits:
        say(told(Event("tool.network", {"tool": tool.name, **visit.model_dump()})))
    for file in outcome.files:
        say(f"file: {file.name} ({file.size} bytes)")
    for name, why in outcome.left_out.items():
        say(f"not taken: {name}: {why}")
    for stream in (outcome.stdout, outcome.stderr):
        if stream:
            say(stream.rstrip("\n"))
    if outcome.status == "ok":
        print_json(outcome.output)
    else:
        say(f"error: {outcome.error or outcome.reason}")
