"""`yunjue runs`: what happened in earlier runs, and running them again without a model."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from yunjue.agent.told import plain, told
from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.cli.progress import Progress

app = typer.Typer(help="List, show and replay runs.", no_args_is_help=True)

RunName = Annotated[str, typer.Argument(help="The run's id, or the start or end of it.")]


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option(help="Most runs to list.")] = 20, json: options.Json = False
) -> None:
    """List runs, newest first."""
    from yunjue.agent.run import runs

    folder = runs()
    summaries = [folder.summary(name) for name in folder.names()[::-1][:limit]]
    if json:
        print_json([_json(summary) for summary in summaries])
        return
    rows = [
        (
            entry.name,
            entry.status,
            f"{entry.seconds:.0f} s",
            ", ".join(entry.new_tools),
            _one_line(entry.task, 50),
            _one_line(entry.answer, 30),
        )
        for entry in summaries
    ]
    print_table(["run", "status", "time", "new tools", "task", "answer"], rows)


@app.command("show")
def show(run: RunName, json: options.Json = False) -> None:
    """Show everything a run did, event by event."""
    from yunjue.agent.run import runs
    from yunjue.traces.runs import summarise
    from yunjue.traces.trace import TRACE_FILE, read_trace

    path = runs().path(run)
    events = read_trace(path / TRACE_FILE)
    summary = summarise(path.name, events, path)
    if json:
        print_json({**_json(summary), "events": [asdict(event) for event in events]})
        return
    print(f"task      {summary.task}")
    for event in events:
        line = told(event)
        if event.kind == "warning":
            line = plain(f"warning   {event.data['message']}")
        if event.kind == "run.failed":
            line = plain(f"failed    {event.data['error']['message']}")
        if line:
            print(line)
    print(f"{summary.status:<9} {summary.answer}")
    print(f"trace     {path / TRACE_FILE}")


@app.command("replay")
def replay(
    run: Annotated[str, typer.Argument(help="The run's id, or a trace file.")],
    file: options.File = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run it again with no model: replies from the trace, tools in the sandbox anew.

    Says where the results differ from the recorded ones, and exits 1 if they do. The inputs of
    a trace file are given with --file: it may be somebody else's.
    """
    import asyncio

    from yunjue.agent.replay import replay as replay_trace
    from yunjue.agent.run import runs
    from yunjue.cli.input_files import input_files
    from yunjue.config import load_settings
    from yunjue.traces.trace import TRACE_FILE

    path = Path(run)
    given = input_files(file or []) if file or path.is_file() else None
    trace = path if path.is_file() else runs().path(run) / TRACE_FILE
    settings = load_settings(
        sandbox=sandbox,
        allow_unsafe=allow_unsafe,
        # Never from the trace, which may be somebody else's.
        **options.granted(allow_net, grant),
    )
    with Progress(quiet) as progress:
        done = asyncio.run(replay_trace(trace, settings, subscribers=(progress,), files=given))
    if json:
        print_json({**done.result.to_dict(), "differences": done.differences})
    else:
        print(done.result.answer)
        for difference in done.differences:
            say(f"differs: {difference}")
        if not done.differences:
            say("The replay gave what was recorded.")
    if done.differences:
        raise typer.Exit(1)


def _json(summary: Any) -> dict[str, Any]:
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(summary.started))
    return {**asdict(summary), "started": started}


def _one_line(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
