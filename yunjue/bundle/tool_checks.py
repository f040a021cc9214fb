"""Whether a record fits the file it describes, and the file can be a tool at all."""

from __future__ import annotations

from typing import Any

from yunjue.bundle.idle import idle_program
from yunjue.bundle.manifest import Record
from yunjue.errors import BundleRefused, DependencyError
from yunjue.sandbox.dependencies import parse
from yunjue.synthesis.stages import runnable
from yunjue.synthesis.static_checks import check_source
from yunjue.synthesis.template import read_meta
from yunjue.types import Case


def check_tool(record: Record, source: str) -> None:
    """Everything about a tool that can be said without running it.

    Raises:
        BundleRefused: the first thing that is wrong.
    """
    meta = checked_meta(record.name, source, record.requirements)
    for what, said in (("name", record.name), ("description", record.description)):
        if meta.get(what) != said:
            raise BundleRefused(
                "manifest-lies", f"The {what} of {record.name} is not what its file says."
            )
    if meta.get("dependencies", []) != record.requirements:
        raise BundleRefused(
            "manifest-lies", f"The requirements of {record.name} are not what its file says."
        )
    check_cases(record.name, record.cases)


def checked_meta(name: str, source: str, requirements: list[str]) -> dict[str, Any]:
    """``__TOOL_META__`` of a file that passes the static checks.

    Raises:
        BundleRefused: it does not pass, requires what cannot be installed, or describes
            itself in characters that can change what a terminal shows.
    """
    try:
        problems = check_source(source, requirements)
        meta = read_meta(source) if not problems else {}
    except (RecursionError, MemoryError, ValueError, SyntaxError) as error:
        problems, meta = [f"it cannot be parsed: {type(error).__name__}."], {}
    if problems:
        raise BundleRefused("static", f"{name}: {' '.join(problems)[:500]}")
    try:
        parse(requirements)
    except DependencyError as error:
        raise BundleRefused("requirement", f"{name}: {error.message}") from None
    if not all(character.isprintable() or character in "\n\t" for character in meta["description"]):
        raise BundleRefused("description", f"{name} describes itself in unprintable characters.")
    return meta


def check_cases(name: str, cases: list[Case]) -> None:
    """Refuse cases that prove nothing."""
    proving = runnable(cases)
    if not proving:
        why = "only cases that need files of the run they come from" if cases else "no cases"
        raise BundleRefused("no-cases", f"{name} has {why}, so it cannot be proved.")
    if idle := idle_program(proving):
        raise BundleRefused(
            "tests-cannot-fail", f"A program that {idle} passes every case of {name}."
        )
