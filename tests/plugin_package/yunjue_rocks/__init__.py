"""The domain ``rocks``, a command, a model, a verifier, a metric, and three watchers."""

from __future__ import annotations

import os
from pathlib import Path

from yunjue.approvals import Decision
from yunjue.domains import Domain, Judged
from yunjue.hookspecs import hookimpl

yunjue_hooks = "1.0"
HERE = Path(__file__).parent


@hookimpl
def register_commands(app):
    @app.command("rocks")
    def rocks(count: int = 1) -> None:
        """Print rocks."""
        print("rock " * count)


@hookimpl
def register_domains(register):
    register(
        Domain(
            "rocks",
            "the weight of rocks",
            fits=lambda task, files: "rock" in task,
            prompt="Rocks are weighed in kilograms.",
            tools=HERE / "tools",
            verify=lambda task, answer, files: Judged("-" not in answer, "no rock weighs so", 1.0),
        )
    )


@hookimpl
def register_models(register):
    from yunjue_rocks.model import make

    register("rocks", make)


@hookimpl
def register_verifiers(register):
    register("rocks_words", lambda task, answer, files: None)


@hookimpl
def register_metrics(register):
    register("rocks", lambda past: {"tasks": len(past.tasks)})


@hookimpl
def admit_tool(tool):
    return "moons are not rocks" if "moon" in tool.name else None


@hookimpl
def approve_call(proposal):
    return Decision(True) if proposal.inputs.get("litres") == 2.0 else None


@hookimpl
def on_event(event):
    with open(os.environ["ROCKS_LOG"], "a") as log:
        log.write(event.kind + "\n")
