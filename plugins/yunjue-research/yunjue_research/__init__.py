"""A domain of yunjue: questions over a corpus of documents, answered with quotes and places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from yunjue.domains import Domain, Environment, Place
from yunjue.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer

yunjue_hooks = "1"
PROMPT = (
    "Search with the telling words of the question. As soon as a passage says it, answer: text "
    "is the bare answer, a name, a number or a few words as the passage has them, and passage is "
    'its number. If none does, text is "", and then search with other words. When a question has '
    "many answers, note each with a quote copied from its passage, and end with report. Nothing "
    "may come from memory."
)


@hookimpl
def register_domains(register: Callable[[Domain], None]) -> None:
    from yunjue_research.place import fits

    register(
        Domain(
            name="research",
            description="questions that documents answer, with quotes and places",
            fits=fits,
            prompt=PROMPT,
            environment=_environment,
            verify=_verify,
            tasks=Path(__file__).parent / "tasks" / "tasks.jsonl",
        )
    )


@hookimpl
def register_commands(app: typer.Typer) -> None:
    from yunjue_research.cli import app as commands

    app.add_typer(commands, name="research")


def _environment(place: Place) -> Environment:
    from yunjue_research.environment import Research

    return Research(place)


def _verify(task: str, answer: str, files):
    from yunjue_research.findings import judged

    return judged(answer)
