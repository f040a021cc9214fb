"""The built-in groups of commands; each file of yunjue/cli is one."""

from __future__ import annotations

import typer

from yunjue.hookspecs import hookimpl


@hookimpl
def register_commands(app: typer.Typer) -> None:
    from yunjue.cli import (
        doctor,
        evolve,
        keys,
        mcp,
        metrics,
        models,
        plugins,
        principles,
        runs,
        sandbox,
        skills,
        solve,
        tools,
        web,
    )

    app.command("solve")(solve.solve)
    app.command("resume")(solve.resume)
    app.add_typer(evolve.app, name="evolve")
    app.add_typer(runs.app, name="runs")
    app.add_typer(tools.app, name="tools")
    app.command("metrics")(metrics.metrics)
    app.add_typer(principles.app, name="principles")
    app.add_typer(skills.app, name="skills")
    app.add_typer(mcp.app, name="mcp")
    app.add_typer(models.app, name="models")
    app.add_typer(keys.app, name="keys")
    app.add_typer(plugins.app, name="plugins")
    app.add_typer(sandbox.app, name="sandbox")
    app.add_typer(web.app, name="web")
    app.command("doctor")(doctor.doctor)
