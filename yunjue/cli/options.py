"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yunjue.errors import UsageError

Model = Annotated[
    str | None, typer.Option("--model", "-m", help="Model to ask; default: see `models list`.")
]
Library = Annotated[
    Path | None, typer.Option("--library", "-l", help="Folder of the tool library.")
]
Sandbox = Annotated[
    str | None, typer.Option("--sandbox", help="auto, docker, bubblewrap, or process (unsafe).")
]
AllowUnsafe = Annotated[
    bool | None,
    typer.Option("--allow-unsafe", help="Let --sandbox process run code on this host."),
]
AllowNet = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST",
        help="Let tools that declare this host reach it: NAME, *.NAME, * (all that is public), "
        "NAME:PORT, NAME=ADDRESS. Repeatable.",
    ),
]
Grant = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Give this secret (see `yunjue keys`) to tools that declare it. Repeatable.",
    ),
]


def granted(allow_net: list[str] | None, grant: list[str] | None) -> dict[str, list[str] | None]:
    """The settings of :data:`AllowNet` and :data:`Grant`; an empty list counts as not given."""
    return {"allow_net": allow_net or None, "grant_secrets": grant or None}


Approve = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help="Allow such calls without asking: NAME, domain:NAME, "
        "permission:NAME, globs, several joined by commas. Repeatable.",
    ),
]
AskRule = Annotated[
    list[str] | None,
    typer.Option("--ask", metavar="RULE", help="Ask before such calls (see --approve)."),
]
Deny = Annotated[
    list[str] | None, typer.Option(metavar="RULE", help="Deny such calls (see --approve).")
]


def approval(
    approve: list[str] | None, ask: list[str] | None, deny: list[str] | None
) -> list[str] | None:
    """The setting ``approval`` of these flags; the stricter goes first."""
    flags = (("deny", deny), ("ask", ask), ("allow", approve))
    return [f"{verdict} {rule}" for verdict, rules in flags for rule in rules or ()] or None


Domain = Annotated[
    str | None,
    typer.Option(help="Field of the task: auto (the manager says), none, or a domain's name."),
]
Principles = Annotated[
    str | None,
    typer.Option(
        metavar="on|off", help="Use lessons of earlier runs and learn from them; default: off."
    ),
]


Skills = Annotated[
    str | None,
    typer.Option(
        metavar="on|off|NAME,NAME", help="Work by a skill that fits, or by these; default: off."
    ),
]


def switched(name: str, value: str | None) -> bool | None:
    """The value of an option that is ``on`` or ``off``; None when it is not given.

    Raises:
        UsageError: it is something else.
    """
    if value not in (None, "on", "off"):
        raise UsageError(f"{name} is `on` or `off`, not {value!r}.")
    return None if value is None else value == "on"


StartUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Solve the task in a browser that begins with this page."),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ORIGIN",
        help="Let the browser reach https://HOST, https://*.HOST or * (all that is public). "
        "Repeatable; default: the start page's.",
    ),
]
AllowPrivate = Annotated[
    bool | None,
    typer.Option("--allow-private", help="Let the browser reach addresses that are not public."),
]
WebSecret = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=ORIGIN",
        help="Let the agent type this secret (see `yunjue keys`) on pages of that origin, and "
        "nowhere else. Repeatable.",
    ),
]
Visible = Annotated[bool | None, typer.Option("--visible", help="Show the browser's window.")]
Screenshots = Annotated[
    str | None,
    typer.Option(metavar="end|each", help="Pictures to keep: the last, or of each step."),
]
LookAhead = Annotated[
    str | None,
    typer.Option(
        metavar="auto|never|always|critic",
        help="Imagine what actions in the browser do before one is taken; default: auto.",
    ),
]
Depth = Annotated[
    int | None, typer.Option("--look-ahead-depth", help="Actions to imagine in a row: 1 or 2.")
]
MaxActions = Annotated[
    int | None, typer.Option(help="Most actions in an environment such as the browser.")
]


def browsing(
    start_url: str | None,
    allow_origin: list[str] | None,
    allow_private: bool | None,
    web_secret: list[str] | None,
    visible: bool | None,
    screenshots: str | None,
    look_ahead: str | None,
    look_ahead_depth: int | None,
) -> dict[str, object]:
    """The settings of the flags for the browser."""
    return {
        "start_url": start_url,
        "allow_origins": allow_origin or None,
        "allow_private": allow_private,
        "web_secrets": web_secret or None,
        "headless": False if visible else None,
        "screenshots": screenshots,
        "look_ahead": look_ahead,
        "look_ahead_depth": look_ahead_depth,
    }


MaxCost = Annotated[float | None, typer.Option(help="Most US dollars to spend.")]
MaxTokens = Annotated[int | None, typer.Option(help="Most tokens to use.")]
MaxSteps = Annotated[int | None, typer.Option(help="Most decisions of the executor.")]
Timeout = Annotated[float | None, typer.Option(help="Most seconds to take.")]
File = Annotated[
    list[Path] | None, typer.Option("--file", "-f", help="An input that tools may read.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the answer.")]
