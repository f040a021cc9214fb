"""A domain of yunjue: a change to a repository, tried on a copy and given back as a patch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from yunjue.domains import Domain, Environment, Place
from yunjue.hookspecs import hookimpl

yunjue_hooks = "1"
PROMPT = (
    "The repository is a copy; paths are relative to its root. Read the file that is at fault "
    "before you change it. A short file is written anew as a whole; in a long one edit replaces "
    "one piece of text: old is copied exactly, with its spaces, and long enough to stand once in "
    "the file. A change after which no more tests pass than before is taken back. Change no "
    "test. Finish when the tests pass."
)
ACTION_TOKENS = 2000
"""A whole file of 6000 characters."""


@hookimpl
def register_domains(register: Callable[[Domain], None]) -> None:
    from yunjue_code.source import fits

    register(
        Domain(
            name="code",
            description="a change to a repository of code: a bug to mend, a function to add",
            fits=fits,
            prompt=PROMPT,
            environment=_environment,
            action_tokens=ACTION_TOKENS,
            strategy="afresh",  # a change that fails is taken back
            tasks=Path(__file__).parent / "tasks" / "tasks.jsonl",
        )
    )


def _environment(place: Place) -> Environment:
    from yunjue_code.environment import Repository

    return Repository(place)
