"""`yunjue sandbox`: what contains model-written code here, and whether it holds."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options
from yunjue.cli.library import warn
from yunjue.cli.output import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

app = typer.Typer(help="Try, prepare and tidy the sandboxes.", no_args_is_help=True)

Backend = Annotated[
    str | None, typer.Option("--backend", help="Which one; default: the one that runs use.")
]


@app.command("check")
def check(
    backend: Backend = None,
    allow_unsafe: options.AllowUnsafe = None,
    json: options.Json = False,
) -> None:
    """Attack a sandbox with every probe it claims to withstand; exit 1 if one gets through."""
    import asyncio

    from yunjue.config import load_settings
    from yunjue.sandbox.conformance.check import PROBES, Report, claimed
    from yunjue.sandbox.conformance.check import check as run
    from yunjue.sandbox.select import opened_sandbox

    settings = load_settings(sandbox=backend, allow_unsafe=allow_unsafe)

    async def probe() -> dict[str, Any]:
        async with opened_sandbox(settings, warn) as sandbox:
            reports: list[Report] = []
            async for report in run(sandbox):
                reports.append(report)
                if not json:
                    mark = "ok" if report.passed else "BROKEN"
                    detail = f": {report.detail}" if report.detail else ""
                    print(f"{mark:<8} {report.name}{detail}", flush=True)
            return {
                "backend": sandbox.name,
                "image": sandbox.image,
                "isolation": asdict(sandbox.isolation),
                "passed": all(report.passed for report in reports),
                "probes": [asdict(report) for report in reports],
                "not_claimed": [one.name for one in PROBES if not claimed(sandbox, one)],
            }

    found = asyncio.run(probe())
    if json:
        print_json(found)
    else:
        for name in found["not_claimed"]:
            print(f"{'-':<8} {name}: not claimed")
        held = sum(report["passed"] for report in found["probes"])
        print(f"{found['backend']}: {held} of {len(found['probes'])} probes held")
    if not found["passed"]:
        raise typer.Exit(1)


@app.command("status")
def status(json: options.Json = False) -> None:
    """Show which sandboxes work, what each keeps apart, and containers that were left."""
    import asyncio

    from yunjue.config import load_settings
    from yunjue.sandbox.survey import survey

    states = asyncio.run(survey(load_settings()))
    left = _containers() if any(one.name == "docker" and one.works for one in states) else []
    if json:
        backends = [{**asdict(one), "missing": one.missing} for one in states]
        print_json({"backends": backends, "containers": [asdict(one) for one in left]})
        return
    rows = [
        (
            one.name,
            "works" if one.works else "absent",
            ", ".join(part for part, kept in one.isolates.items() if kept),
            ", ".join(one.missing),
            one.image[:30] if one.works else one.problem,
        )
        for one in states
    ]
    print_table(["sandbox", "state", "isolates", "does not isolate", "image or problem"], rows)
    if left:
        print()
        print_table(
            ["container", "state", "age"], [(o.name, o.state, f"{o.age:.0f} s") for o in left]
        )


@app.command("reap")
def reap(
    everything: Annotated[
        bool, typer.Option("--all", help="Running ones too; this breaks runs that use them.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Remove the containers that killed processes have left."""
    from yunjue.sandbox import leftovers

    with _engine() as client:
        removed = leftovers.reap(client, running=everything)
    if json:
        print_json([{"name": name} for name in removed])
    else:
        print(f"{len(removed)} container{'' if len(removed) == 1 else 's'} removed")


@app.command("build")
def build(backend: Backend = None, json: options.Json = False) -> None:
    """Make what a sandbox runs on now, rather than at the first run."""
    import asyncio

    from yunjue.config import load_settings
    from yunjue.sandbox.select import opened_sandbox

    async def prepared() -> dict[str, str]:
        async with opened_sandbox(load_settings(sandbox=backend), warn) as sandbox:
            return {"name": sandbox.name, "image": sandbox.image}

    made = asyncio.run(prepared())
    if json:
        print_json(made)
    else:
        print(f"{made['name']} runs on {made['image']}")


def _containers() -> list[Any]:
    from yunjue.sandbox import leftovers

    with _engine() as client:
        return leftovers.containers(client)


@contextmanager
def _engine() -> Iterator[DockerClient]:
    """A client of the container engine, closed in the end."""
    import docker

    from yunjue.errors import SandboxUnavailable
    from yunjue.sandbox.container import engine_errors

    with engine_errors(SandboxUnavailable), closing(docker.from_env()) as client:
        yield client
