"""`yunjue solve` and `yunjue resume`: the main job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.input_files import input_files
from yunjue.cli.output import print_json, print_text, say
from yunjue.cli.progress import Progress
from yunjue.errors import Interrupted, NotSolved, UsageError

if TYPE_CHECKING:
    from yunjue.agent.run import RunResult

FreeModel = Annotated[
    bool, typer.Option("--free-model", help="Calls of --model cost nothing; do not ask its price.")
]


def solve(
    task: Annotated[str, typer.Argument(help="The task, or - to read it from stdin.")],
    file: options.File = None,
    model: options.Model = None,
    library: options.Library = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    free_model: FreeModel = False,
    domain: options.Domain = None,
    approve: options.Approve = None,
    ask: options.AskRule = None,
    deny: options.Deny = None,
    principles: options.Principles = None,
    skills: options.Skills = None,
    start_url: options.StartUrl = None,
    allow_origin: options.AllowOrigin = None,
    allow_private: options.AllowPrivate = None,
    web_secret: options.WebSecret = None,
    visible: options.Visible = None,
    screenshots: options.Screenshots = None,
    look_ahead: options.LookAhead = None,
    look_ahead_depth: options.Depth = None,
    max_cost: options.MaxCost = None,
    max_tokens: options.MaxTokens = None,
    max_steps: options.MaxSteps = None,
    max_actions: options.MaxActions = None,
    timeout: options.Timeout = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Solve a task; write and keep the tools it needs.

    Exit codes: 0 solved, 2 usage, 3 not solved, 4 limit hit, 5 no sandbox, 6 waits for
    a decision, 130 interrupted. `yunjue resume RUN` goes on with a run that was stopped.
    """
    from yunjue.agent.run import solve as solve_task
    from yunjue.cli import asking
    from yunjue.config import load_settings

    if task == "-":
        task = _read_stdin()
    files = input_files(file or [])
    settings = load_settings(
        model=model,
        library=library,
        sandbox=sandbox,
        allow_unsafe=allow_unsafe,
        **options.granted(allow_net, grant),
        free_models=[model] if free_model and model else None,
        # Who names a page to begin with wants it opened.
        domain=domain or ("web" if start_url else None),
        approval=options.approval(approve, ask, deny),
        principles=options.switched("--principles", principles),
        skills=skills,
        **options.browsing(
            start_url,
            allow_origin,
            allow_private,
            web_secret,
            visible,
            screenshots,
            look_ahead,
            look_ahead_depth,
        ),
        max_cost=max_cost,
        max_tokens=max_tokens,
        max_steps=max_steps,
        max_actions=max_actions,
        timeout=timeout,
    )
    _finish(
        lambda see: solve_task(
            task, settings, files=files, subscribers=(see,), ask=asking.asker(see)
        ),
        json,
        quiet,
    )


def resume(
    run: Annotated[str, typer.Argument(help="The run's id, or the start or end of it.")],
    decide: Annotated[
        str | None,
        typer.Option(
            help="What the run waits for: approve, always (and do not ask again), reject."
        ),
    ] = None,
    say: Annotated[
        str | None, typer.Option(help="What the model is told with --decide reject.")
    ] = None,
    inputs: Annotated[
        str | None, typer.Option(help="JSON, instead of the inputs that wait for approval.")
    ] = None,
    model: options.Model = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    allow_net: options.AllowNet = None,
    grant: options.Grant = None,
    approve: options.Approve = None,
    ask: options.AskRule = None,
    deny: options.Deny = None,
    allow_origin: options.AllowOrigin = None,
    allow_private: options.AllowPrivate = None,
    web_secret: options.WebSecret = None,
    max_cost: options.MaxCost = None,
    max_tokens: options.MaxTokens = None,
    max_steps: options.MaxSteps = None,
    max_actions: options.MaxActions = None,
    timeout: options.Timeout = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Go on with a run that was stopped; nothing it had finished is done again.

    What the flags allow or grant is added to what the run had; all else replaces it.
    """
    from yunjue.agent.run import resume as resume_run
    from yunjue.cli import asking

    flags = {
        "model": model,
        "sandbox": sandbox,
        "allow_unsafe": allow_unsafe,
        **options.granted(allow_net, grant),
        "approval": options.approval(approve, ask, deny),
        "allow_origins": allow_origin or None,
        "allow_private": allow_private,
        "web_secrets": web_secret or None,
        "max_cost": max_cost,
        "max_tokens": max_tokens,
        "max_steps": max_steps,
        "max_actions": max_actions,
        "timeout": timeout,
    }

    def start(see: Progress) -> Coroutine[Any, Any, RunResult]:
        then = asking.asker(see)
        if decide or say or inputs:
            then = asking.decided(decide, say, inputs, asking.waiting_proposal(run), then)
        return resume_run(run, flags, subscribers=(see,), ask=then)

    _finish(start, json, quiet)


def _finish(
    start: Callable[[Progress], Coroutine[Any, Any, RunResult]], json: bool, quiet: bool
) -> None:
    """Run to the end, print the answer, and exit with the status."""
    import asyncio

    with Progress(quiet) as progress:
        try:
            result = asyncio.run(start(progress))
        except KeyboardInterrupt:
            hint = f"Go on with: yunjue resume {progress.run}" if progress.run else ""
            raise Interrupted("Interrupted.", hint=hint) from None
    if json:
        print_json(result.to_dict())
    elif result.status == "solved":
        print_text(result.answer)
    if not json:
        for path in result.files:
            say(f"file: {path}")
    if result.status != "solved":
        if json:
            raise typer.Exit(NotSolved.exit_code)
        guess = f" Its best guess: {result.answer}" if result.answer else ""
        if result.guessed:
            guess += " ({agree} of {of} pieces of unproven code say so)".format(**result.guessed)
        raise NotSolved(
            f"No answer was found that holds.{guess}",
            hint=NotSolved.default_hint.replace("RUN", result.run),
        )


def _read_stdin() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("The task on stdin is not UTF-8 text.") from None
