"""``yunjue principles export``, ``import``, ``distil`` and ``learn``: principles from elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import warn
from yunjue.cli.output import print_json, say
from yunjue.errors import UsageError

Opened = Callable[..., Any]


def register(app: typer.Typer, opened_principles: Opened) -> None:
    """Add the commands to ``app``; ``opened_principles`` opens the bank."""

    @app.command("export")
    def export(
        file: Annotated[str, typer.Argument(help="A new file; - for stdout.")] = "-",
        everything: Annotated[bool, typer.Option("--all", help="Pruned ones, too.")] = False,
        library: options.Library = None,
        json: options.Json = False,
    ) -> None:
        """Write the principles as JSON lines, with their evidence and uses."""
        from yunjue.files import writing
        from yunjue.principles.exchange import exported

        if json and file == "-":
            raise UsageError("--json and the lines cannot share stdout.", hint="Name a file.")
        with opened_principles(library) as (_, opened):
            status = None if everything else "active"
            lines = list(exported(opened.existing(), None, status))
        if file == "-":
            sys.stdout.write("".join(f"{line}\n" for line in lines))
        else:
            path = Path(file)
            if path.exists():
                raise UsageError(f"{path} is there already.", hint="Name a new file.")
            with writing(path):
                path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        if json:
            print_json({"file": file, "principles": len(lines) - 1})
        else:
            say(f"Exported {len(lines) - 1} principles.")

    @app.command("import")
    def import_(
        file: Annotated[str, typer.Argument(help="What `export` wrote; - for stdin.")],
        with_counts: Annotated[
            bool, typer.Option("--with-counts", help="Take uses and pins along: your own backup.")
        ] = False,
        skip_refused: Annotated[
            bool, typer.Option("--skip-refused", help="Leave out what the guard refuses.")
        ] = False,
        library: options.Library = None,
        json: options.Json = False,
    ) -> None:
        """Take principles in, all or none. Equal texts are merged."""
        from yunjue.principles.exchange import bring_in, read_lines

        try:
            if file == "-":
                found, skipped = read_lines(sys.stdin.buffer, skip_refused)
            else:
                with Path(file).open("rb") as lines:
                    found, skipped = read_lines(lines, skip_refused)
        except OSError as error:
            raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from None
        new: list[str] = []
        merged: list[str] = []
        if found:
            with opened_principles(library) as (_, opened):
                new, merged = bring_in(opened.bank(), found, with_counts)
        if json:
            print_json({"new": new, "merged": merged, "skipped": skipped})
            return
        for line in skipped:
            say(f"skipped: {line}")
        say(f"Imported {len(new)} principles; {len(merged)} were here already.")

    @app.command("distil")
    def distil(
        run: Annotated[str, typer.Argument(help="The run's id, or a trace file.")],
        domain: Annotated[str, typer.Option(help="Of the task.")] = "",
        samples: Annotated[
            int, typer.Option(min=1, max=8, help="How often the model is asked.")
        ] = 1,
        model: options.Model = None,
        library: options.Library = None,
        json: options.Json = False,
    ) -> None:
        """Learn from a run that ended: its lesson goes into the bank, or is refused."""
        import asyncio

        from yunjue.principles.trajectory import trajectory
        from yunjue.traces.runs import Runs
        from yunjue.traces.trace import TRACE_FILE, read_trace

        path = Path(run)
        if not path.is_file():
            from yunjue.config import home

            path = Runs(home() / "runs").path(run) / TRACE_FILE
        told = trajectory(read_trace(path))
        with opened_principles(library, model=model) as (settings, opened):
            refused, integrated = asyncio.run(_distil(settings, opened, told, domain, samples))
        if json:
            print_json(_document(told, refused, integrated))
            return
        for one in refused:
            say(f"refused: {one.refusal.reason}: {one.refusal.message} {one.sentence}".rstrip())
        for one in integrated:
            for kept in one.kept:
                say(f"{'new' if kept.new else 'known'}: {kept.id} {one.draft.sentence}")
        if not integrated:
            say("Nothing was learnt.")

    @app.command("learn")
    def learn(
        most: Annotated[int, typer.Option("--most", "-k", min=1, help="Most runs.")] = 100,
        model: options.Model = None,
        library: options.Library = None,
        json: options.Json = False,
    ) -> None:
        """Learn now from the runs that wait for it, instead of while later runs go on."""
        import asyncio

        lessons: list[Any] = []

        def told(lesson: Any) -> None:
            lessons.append(lesson)
            if not json:
                for line in _lines(lesson):
                    say(line)

        with opened_principles(library, model=model) as (settings, opened):
            if opened.existing() is not None and opened.waiting().runs(1):
                asyncio.run(_learn(settings, opened, most, told))
        if json:
            print_json([lesson.to_dict() for lesson in lessons])
        elif not lessons:
            say("No run waits. `yunjue solve --principles on` lets its run wait for its lesson.")


def _lines(lesson: Any) -> list[str]:
    lines = [f"{lesson.run}: new: {one}" for one in lesson.new]
    lines += [f"{lesson.run}: known: {one}" for one in lesson.known]
    if lesson.state in ("waiting", "failed"):
        return [*lines, f"{lesson.run}: {lesson.state}: {lesson.why}"]
    return lines or [f"{lesson.run}: nothing was learnt: {lesson.why}"]


async def _learn(settings: Any, opened: Any, most: int, told: Callable[[Any], None]) -> None:
    from yunjue.config import LATER_ROLES
    from yunjue.models.selection import opened_gateway
    from yunjue.principles.learn import learn

    async with opened_gateway(settings, warn, LATER_ROLES) as gateway:
        await learn(opened, gateway, most, told)


async def _distil(
    settings: Any, opened: Any, told: Any, domain: str, samples: int
) -> tuple[Any, Any]:
    from yunjue.config import LATER_ROLES
    from yunjue.models.selection import opened_gateway
    from yunjue.principles.distil import distil

    async with opened_gateway(settings, warn, LATER_ROLES) as gateway:
        status = told.outcome.status
        found = await distil(gateway, told, status, domain=domain, samples=samples)
        return found.refused, await opened.integrate(found.drafts, gateway)


def _document(told: Any, refused: Any, integrated: Any) -> dict[str, Any]:
    return {
        "run": told.run,
        "status": told.outcome.status,
        "refused": [
            {
                "sentence": one.sentence,
                "reason": one.refusal.reason,
                "message": one.refusal.message,
            }
            for one in refused
        ],
        "principles": [
            {"id": kept.id, "new": kept.new, "sentence": one.draft.sentence}
            for one in integrated
            for kept in one.kept
        ],
    }
