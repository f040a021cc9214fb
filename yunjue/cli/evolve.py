"""`yunjue evolve`: a stream of tasks, and a library that grows and converges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from yunjue.cli import options
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from yunjue.evolution.folder import Folder


class _TasksOrCommand(TyperGroup):
    """`yunjue evolve TASKS` is short for `yunjue evolve run TASKS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_TasksOrCommand,
    no_args_is_help=True,
    help="Solve a stream of tasks in batches; merge and keep the tools. "
    "`yunjue evolve TASKS` starts one; a file called `run` or `undo` is named ./run.",
)

Evolved = Annotated[str, typer.Argument(help="Id, or its start or end; default: the newest.")]
TotalCost = Annotated[float | None, typer.Option(help="Most US dollars for the whole.")]
TotalTokens = Annotated[int | None, typer.Option(help="Most tokens for the whole.")]
TotalSeconds = Annotated[float | None, typer.Option(help="Most seconds of this sitting.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what each run does.")]
EngineName = Annotated[
    str | None,
    typer.Option(help="Where batches run: local, processes, ray, or what plugins offer."),
]
Address = Annotated[str | None, typer.Option(help="Of the engine's cluster.")]
Baselines = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        help="Afterwards, the same tasks without a library: `model` (alone) or `interpreter` "
        "(with one run-any-Python tool). Repeatable.",
    ),
]


@app.command()
def run(
    tasks: Annotated[
        str | None,
        typer.Argument(
            help="JSONL, JSON or CSV file, a folder of .txt and .md files, a Hugging Face dataset "
            "(org/name:split), domain:NAME, or - for stdin. Fields: task, and optionally id, "
            "answer, domain, files. Answers are for the report only."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", "-b", help="Tasks at once.")] = 4,
    epochs: Annotated[int, typer.Option(help="How often to go through the tasks.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Only the first N tasks.")] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="In a random order.")] = False,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Run nothing if a line of TASKS is wrong.")
    ] = False,
    warm_start: Annotated[
        Path | None, typer.Option(help="Begin with the tools of this library; needs --library.")
    ] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="Make no new tools.")] = False,
    baseline: Baselines = None,
    engine: EngineName = None,
    address: Address = None,
    total_cost: TotalCost = None,
    total_tokens: TotalTokens = None,
    total_seconds: TotalSeconds = None,
    replay: Annotated[
        Path | None,
        typer.Option(help="Instead of TASKS: an evolution's folder, replayed without a model."),
    ] = None,
    model: options.Model = None,
    library: options.Library = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    domain: options.Domain = None,
    approve: options.Approve = None,
    ask: options.AskRule = None,
    deny: options.Deny = None,
    max_cost: options.MaxCost = None,
    max_tokens: options.MaxTokens = None,
    max_steps: options.MaxSteps = None,
    timeout: options.Timeout = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Solve a stream of tasks, in batches that share a library.

    --max-cost, --max-tokens, --max-steps and --timeout bound each task, --total-… the whole.
    `yunjue evolve resume` goes on with one that was stopped; `yunjue metrics` shows how it went.
    """
    import asyncio

    from yunjue.config import load_settings
    from yunjue.evolution.domains import SOURCE, bring_tools, labelled, tasks_of
    from yunjue.evolution.evolve import Options, begin
    from yunjue.evolution.warm import warm_start as start_warm
    from yunjue.traces.runs import new_run_id

    of_domain = ""
    if tasks is not None and tasks.startswith(SOURCE):
        of_domain, path = tasks_of(tasks)
        tasks = str(path)
    settings = load_settings(
        domain=domain or of_domain or None,
        model=model,
        library=library,
        sandbox=sandbox,
        allow_unsafe=allow_unsafe,
        **options.granted(allow_net, grant),
        approval=options.approval(approve, ask, deny),
        max_cost=max_cost,
        max_tokens=max_tokens,
        max_steps=max_steps,
        timeout=timeout,
    )
    if replay is not None:
        _replay(replay, settings, json)
        return
    if tasks is None:
        raise UsageError("Name the tasks.", hint="`yunjue evolve --help` shows the formats.")
    stream = _read(tasks, limit, shuffle, seed, epochs, strict)
    if of_domain:
        stream = labelled(stream, of_domain)
    chosen = Options(
        batch_size=batch_size,
        frozen=frozen,
        engine=engine or "local",
        address=address or "",
        baselines=tuple(dict.fromkeys(baseline or ())),
        total_cost=total_cost,
        total_tokens=total_tokens,
        total_seconds=total_seconds,
    )
    chosen.check()
    if warm_start is not None:
        if library is None:
            raise UsageError("--warm-start needs --library, the folder of the new library.")
        start_warm(warm_start, settings.library_dir)
    asyncio.run(bring_tools(stream, settings, new_run_id(), say))
    folder = begin(stream, settings, chosen)
    _go_on(folder, {}, {}, json, quiet, verbose)


@app.command()
def resume(
    evolution: Evolved = "",
    baseline: Baselines = None,
    engine: EngineName = None,
    address: Address = None,
    total_cost: TotalCost = None,
    total_tokens: TotalTokens = None,
    total_seconds: TotalSeconds = None,
    model: options.Model = None,
    sandbox: options.Sandbox = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Go on with an evolution that was stopped; nothing finished is done again."""
    from yunjue.evolution.folder import find_folder

    chosen = {
        "baselines": tuple(dict.fromkeys(baseline)) if baseline else None,
        "engine": engine,
        "address": address,
        "total_cost": total_cost,
        "total_tokens": total_tokens,
        "total_seconds": total_seconds,
    }
    flags = {"model": model, "sandbox": sandbox}
    _go_on(find_folder(evolution), flags, chosen, json, quiet, verbose)


@app.command()
def undo(
    step: Annotated[int, typer.Argument(help="The step; those after it are undone first.")],
    evolution: Annotated[str, typer.Option(help="Its id; default: the newest.")] = "",
    json: options.Json = False,
) -> None:
    """Take back what absorbing a batch changed in the library, and the batches after it.

    `yunjue evolve resume` then runs their tasks anew.
    """
    from yunjue.evolution.folder import find_folder
    from yunjue.evolution.undo import undo_to

    folder = find_folder(evolution)
    undone, left = undo_to(folder, step, say)
    if json:
        print_json({"undone": undone, "left": left})
    else:
        say(f"Undone: {', '.join(map(str, undone))}.")
    for tool_id in left:
        say(f"warning: {tool_id[:12]} has changed since, and was left as it is.")


@app.command("list")
def list_evolutions(json: options.Json = False) -> None:
    """The evolutions of this home, newest first."""
    from yunjue.evolution.folder import Folder, evolutions, names
    from yunjue.evolution.overview import overview

    found = [overview(Folder(evolutions() / name)) for name in reversed(names())]
    if json:
        print_json(found)
    elif not found:
        say("There is no evolution yet. Start one: yunjue evolve TASKS")
    else:
        columns = ("id", "status", "tasks", "steps", "tools", "model")
        print_table(columns, [[row[name] for name in columns] for row in found])


@app.command()
def show(evolution: Evolved = "", json: options.Json = False) -> None:
    """Its steps and tasks."""
    from yunjue.evolution.folder import find_folder
    from yunjue.evolution.overview import overview
    from yunjue.metrics.journal import history

    folder = find_folder(evolution)
    past = history(folder.journal())
    if json:
        records = {
            "steps": [record.to_dict() for record in past.steps],
            "tasks": [record.to_dict() for record in past.tasks],
        }
        print_json({**overview(folder), **records, "folder": str(folder.path)})
        return
    for name, value in overview(folder).items():
        say(f"{name}: {value}")
    columns = ("step", "added", "merges", "merged", "dropped", "size", "seconds")
    print_table(columns, [[getattr(record, name) for name in columns] for record in past.steps])
    columns = ("arm", "step", "index", "task", "status", "right", "made", "calls", "tokens")
    print_table(columns, [[getattr(record, name) for name in columns] for record in past.tasks])


def _read(
    tasks: str, limit: int | None, shuffle: bool, seed: int, epochs: int, strict: bool
) -> list[Any]:
    """The stream; what is wrong with the source is said line by line."""
    import sys

    from yunjue.evolution.sources import read_tasks

    stdin = sys.stdin.buffer if tasks == "-" else None
    stream, problems = read_tasks(
        tasks, limit=limit, shuffle=shuffle, seed=seed, epochs=epochs, stdin=stdin
    )
    for problem in problems:
        say(f"warning: {problem.place}: {problem.what}")
    if problems and strict:
        raise UsageError(
            f"{len(problems)} problems in {tasks}; with --strict nothing is run.",
            hint="Mend them, or leave --strict out to run the rest.",
        )
    return stream


def _go_on(
    folder: Folder,
    flags: dict[str, Any],
    chosen: dict[str, Any],
    json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    import asyncio

    from yunjue.cli.evolve_display import EvolveDisplay
    from yunjue.evolution.evolve import Evolution
    from yunjue.evolution.overview import overview
    from yunjue.metrics.journal import history

    past = history(folder.journal())
    display = EvolveDisplay(len(folder.tasks()), past, quiet, verbose)
    if not quiet:
        say(f"evolution {folder.id}")
    evolution = Evolution(folder, flags, chosen, display)
    try:
        asyncio.run(evolution.go_on())
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted.", hint=f"Go on with: yunjue evolve resume {folder.id}"
        ) from None
    if json:
        print_json(overview(folder))
    else:
        print(folder.id)
        say(f"`yunjue metrics {folder.id}` shows how it went.")


def _replay(trace: Path, settings: Any, json: bool) -> None:
    import asyncio

    from yunjue.errors import YunjueError
    from yunjue.evolution.replay import replay_evolution

    result = asyncio.run(replay_evolution(trace, settings, say))
    if json:
        print_json(result.to_dict())
    else:
        print(f"{result.tasks} tasks and {result.steps} steps replayed, {result.tools} tools")
        for difference in result.differences:
            say(f"differs: {difference}")
    if result.differences:
        if json:
            raise typer.Exit(1)
        raise YunjueError(f"The replay differs in {len(result.differences)} places.", hint="")
