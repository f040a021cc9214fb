"""Prompts live in files beside this one; each role has one.

Every request of a role starts with the same system text and ends with what changes, so
that a server's prompt cache serves the beginning.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from yunjue.types import Message


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("yunjue", "prompts"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - prompts are text, not HTML
    )


def render(name: str, **values: Any) -> str:
    """The prompt ``name`` filled in; a value it needs and does not get is an error."""
    return _environment().get_template(f"{name}.md.j2").render(**values).strip()


def conversation(system: str, name: str, **values: Any) -> list[Message]:
    """The system text ``system`` and, as the user's message, the prompt ``name``."""
    return [
        Message(role="system", content=render(system)),
        Message(role="user", content=render(name, **values)),
    ]
