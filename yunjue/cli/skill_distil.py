"""``yunjue skills distil``: a run that was solved becomes a skill, once it is proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import opened_library, warn
from yunjue.cli.output import print_json, say
from yunjue.cli.progress import Progress

if TYPE_CHECKING:
    from yunjue.agent.proving import SkillProof
    from yunjue.config import Settings
    from yunjue.skills.distil import Proven
    from yunjue.skills.types import Skill


def distil(
    run: Annotated[str, typer.Argument(help="The run's id, or the start or end of it.")],
    check: Annotated[str, typer.Option("--check", help="A second task of the kind, to prove it.")],
    name: Annotated[str | None, typer.Option("--name", help="The skill's name.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Over one of the same name.")] = False,
    model: options.Model = None,
    library: options.Library = None,
    sandbox: options.Sandbox = None,
    allow_unsafe: options.AllowUnsafe = None,
    timeout: options.Timeout = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a skill of a run: its steps, tools by version, and checks.

    The skill is kept only if the task of --check is solved by it: with its tools, by their
    versions, and no new ones. Exit codes: 0 kept, 1 not proven.
    """
    import asyncio

    from yunjue.agent.run import runs
    from yunjue.errors import SkillRefused
    from yunjue.skills.distil import proven
    from yunjue.skills.install import install
    from yunjue.traces.trace import TRACE_FILE, read_trace

    events = read_trace(runs().path(run) / TRACE_FILE)
    started = next((event.data for event in events if event.kind == "run.started"), {})
    flags = {"model": model, "sandbox": sandbox, "allow_unsafe": allow_unsafe, "timeout": timeout}
    recorded = started.get("library")
    with opened_library(library or (Path(recorded) if recorded else None), **flags) as (
        settings,
        opened,
    ):
        found = proven(events, opened.get_by_id)
        with Progress(quiet) as progress:
            draft, proof = asyncio.run(
                _proved(settings, found, name, check, opened.cases, replace, progress)
            )
    if proof.problems:
        raise SkillRefused(
            f"The skill {draft.name} is not kept: {'; '.join(proof.problems)}.",
            hint=f"`yunjue runs show {proof.result.run}` shows the second run.",
        )
    folder = install([draft], replace) / draft.name
    if json:
        document = {"name": draft.name, "id": draft.id, "folder": str(folder)}
        print_json({**document, "run": found.run, "check": proof.result.to_dict()})
    else:
        say(f"kept: {draft.name} ({draft.id[:12]}), proven by {proof.result.run}: {folder}")


async def _proved(
    settings: Settings,
    found: Proven,
    name: str | None,
    check: str,
    cases: Any,
    replace: bool,
    see: Any,
) -> tuple[Skill, SkillProof]:
    """The skill with the run that proves it in its metadata, and the proof."""
    from yunjue.agent.proving import prove_skill
    from yunjue.config import LATER_ROLES
    from yunjue.models.selection import opened_gateway
    from yunjue.skills.distil import describe, skill_of
    from yunjue.skills.install import check_free

    async with opened_gateway(settings, warn, LATER_ROLES) as gateway:
        chosen, description = await describe(gateway, found)
    draft = skill_of(found, name or chosen, description, cases)
    if not replace:
        check_free([draft.name])  # before the second run costs anything
    proof = await prove_skill(draft, found, check, settings, subscribers=(see,))
    more = {"yunjue-checked-by": proof.result.run}
    return skill_of(found, draft.name, description, cases, more), proof
